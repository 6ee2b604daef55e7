import math

import pytest

from prosody_py.config.load import load, load_mapping
from prosody_py.config.options import (
    OptionError,
    Options,
    array,
    boolean,
    enum,
    inherited_set,
    integer,
    mapping,
    number,
    path,
    period,
    rate,
    scalar,
    set_,
    size,
    string,
)
from prosody_py.config.problems import ConfigError


class Ping(Options):
    ping_after = period("5 minutes", min="10 seconds", max="1 day", doc="Silence before we ping.")
    ping_limit = integer(3, min=1)
    greeting = string()
    attribute = boolean(False, name="ping_everybody")


def read(data, options=Ping, host="h", **more):
    return options.read(load_mapping({"hosts": {"h": data}}), host, **more)


def message(option, value, **more) -> str:
    with pytest.raises(OptionError) as caught:
        option.parse(value, **more)
    return caught.value.message


def test_unset_options_have_their_defaults():
    assert vars(read({})) == {
        "ping_after": 300, "ping_limit": 3, "greeting": None, "attribute": False}


def test_values_are_parsed_once_into_plain_attributes():
    ping = read({"ping_after": "1 hour", "ping_limit": "5", "ping_everybody": "yes"})
    assert vars(ping) == {
        "ping_after": 3600, "ping_limit": 5, "greeting": None, "attribute": True}


def test_a_prefix_is_put_before_the_names():
    assert read({"x_ping_limit": 7, "ping_limit": 9}, prefix="x_").ping_limit == 7
    assert [option.name for option in Ping.declared("x_")][:2] == ["x_ping_after", "x_ping_limit"]


def test_declared_options_keep_their_order_and_know_their_doc():
    names = [option.name for option in Ping.declared()]
    assert names == ["ping_after", "ping_limit", "greeting", "ping_everybody"]
    assert Ping.declared()[0].doc == "Silence before we ping."


def test_a_subclass_adds_to_the_options_of_its_base():
    class More(Ping):
        more = string("x")

    assert [option.name for option in More.declared()][-2:] == ["ping_everybody", "more"]
    assert len(Ping.declared()) == 4


def test_options_can_be_made_without_a_file():
    assert Ping(ping_after="1 minute").ping_after == 60
    with pytest.raises(TypeError, match="Ping has no option nonsense"):
        Ping(nonsense=1)
    with pytest.raises(OptionError, match="expected a whole number"):
        Ping(ping_limit="many")


def test_a_default_that_does_not_fit_fails_where_it_is_declared():
    with pytest.raises(TypeError, match="default of bad: expected at least 5, got 1"):
        class Bad(Options):
            bad = integer(1, min=5)

    with pytest.raises(TypeError, match="read is a method here"):
        class Taken(Options):
            read = integer(1)


def test_every_wrong_value_is_told_with_file_line_expected_and_got(tmp_path):
    file = tmp_path / "main.yaml"
    file.write_text("ping_limit: none\nhosts:\n  h:\n    ping_after: 5 minuets\n"
                    "    ping_everybody: perhaps\n")
    with pytest.raises(ConfigError) as caught:
        Ping.read(load(file), "h")
    assert [str(problem) for problem in caught.value.problems] == [
        f'{file}:4:5: ping_after: expected a period such as 300, "5 minutes" or "never", got '
        '"5 minuets": the units are seconds, minutes, hours, days, weeks, months, years '
        "(Silence before we ping.)",
        f'{file}:1:1: ping_limit: expected a whole number, got "none"',
        f'{file}:5:5: ping_everybody: expected true or false, got "perhaps"',
    ]


def test_a_wrong_entry_of_a_list_or_mapping_has_its_own_line(tmp_path):
    class Deep(Options):
        levels = mapping(None, enum(None, "info", "debug"))
        people = array((), of=string())

    file = tmp_path / "main.yaml"
    file.write_text("levels:\n  a: info\n  b: loud\npeople:\n  - x\n  - {}\n  - true\n  -\n")
    with pytest.raises(ConfigError) as caught:
        Deep.read(load(file), "*")
    assert [str(problem).removeprefix(str(file)) for problem in caught.value.problems] == [
        ':3:3: levels.b: expected one of info, debug, got "loud"',
        ":4:1: people: expected a list, each entry text, got a list of 4: an entry is empty",
    ]
    file.write_text("people: [x, {}, true]")
    with pytest.raises(ConfigError) as caught:
        Deep.read(load(file), "*")
    assert [problem.message for problem in caught.value.problems] == [
        "entry 2 of people: expected text, got a mapping",
        "entry 3 of people: expected text, got true: put the word in quotes if it is meant as "
        "text",
    ]


def test_a_required_option_must_be_set():
    class Component(Options):
        component_secret = string(required=True, doc="Shared with the component.")

    with pytest.raises(ConfigError, match="component_secret must be set for h .Shared with"):
        read({}, Component)
    with pytest.raises(ConfigError, match="component_secret must be set in the global section"):
        read({}, Component, host="*")
    assert read({"component_secret": 5}, Component).component_secret == "5"


def test_a_secret_is_not_quoted_in_an_error(tmp_path, monkeypatch):
    class Hidden(Options):
        api_token = integer()
        harmless = integer()
        sql = mapping(None, fields={"password": integer(), "port": integer()})

    monkeypatch.setenv("SOME_SECRET", "hunter2")
    file = tmp_path / "main.yaml"
    file.write_text("api_token: hunter1\nharmless: !env SOME_SECRET\n"
                    "sql: {password: hunter3, port: x}")
    with pytest.raises(ConfigError) as caught:
        Hidden.read(load(file), "*")
    assert "hunter" not in str(caught.value)
    assert 'sql.port: expected a whole number, got "x"' in str(caught.value)
    assert "sql.password: expected a whole number, got text" in str(caught.value)


def test_an_inherited_set_has_the_global_entries_too():
    class Inherited(Options):
        people = inherited_set(("default",))

    config = load_mapping({"people": ["a"], "hosts": {"h": {"people": ["b", "b"]}, "i": {}}})
    assert Inherited.read(config, "h").people == {"a", "b"}
    assert Inherited.read(config, "i").people == {"a"}
    assert Inherited.read(config, "*").people == {"a"}
    assert read({"people": "b"}, Inherited).people == {"b", "default"}


def test_relative_paths_start_at_the_folder_of_the_configuration(tmp_path):
    class Paths(Options):
        certs = path("certs")
        data = array(("a",), of=path())

    file = tmp_path / "main.yaml"
    file.write_text("data: [../x, /y]")
    paths = Paths.read(load(file), "*")
    assert paths.certs == str(tmp_path / "certs")
    assert paths.data == [str(tmp_path.parent / "x"), "/y"]
    assert Paths.read(load(file), "*", base="/z").certs == "/z/certs"


def test_lists_are_fresh_for_each_reader():
    class Listed(Options):
        things = array(("a",))

    read({}, Listed).things.append("b")
    assert read({}, Listed).things == ["a"]


@pytest.mark.parametrize("option, written, parsed", [
    (string(), "a", "a"), (string(), 5, "5"), (string(), 1.5, "1.5"),
    (number(), "1.5", 1.5), (integer(), 5.0, 5), (period(), "never", math.inf),
    (size(max="1 MB"), "1 MB", 2**20), (rate(), "10kb/s", 10000), (enum("a", "b"), "b", "b"),
    (scalar(), False, False), (array(), "x", ["x"]), (array(of=integer()), ["1", 2], [1, 2]),
    (set_(), ["a", "b", "a"], {"a", "b"}), (set_(), "a", {"a"}),
    (mapping(), {"a": [1]}, {"a": [1]}), (mapping(None, integer()), {"a": "1"}, {"a": 1}),
    (mapping(None, fields={"a": integer(1), "b": integer(2), "c": string()}), {"a": 5},
     {"a": 5, "b": 2, "c": None}),
])
def test_values_of_each_kind(option, written, parsed):
    assert option.parse(written) == parsed


@pytest.mark.parametrize("option, written, text", [
    (string(), ["a"], "expected text, got a list of 1"),
    (string(), True, "expected text, got true: put the word in quotes if it is meant as text"),
    (string(), {"a": 1}, "expected text, got a mapping"),
    (number(), "x" * 50, f'expected a number, got "{"x" * 40}..."'),
    (integer(), 1.5, "expected a whole number, got 1.5: it has a fraction"),
    (integer(min=1, max=5), 7, "expected 1 to 5, got 7"),
    (integer(max=5), 7, "expected at most 5, got 7"),
    (period(min="10 seconds"), "5 s", 'expected at least 10 seconds, got "5 s"'),
    (period(max="1 day"), "never", 'expected at most 1 day, got "never"'),
    (period(), "5m", 'expected a period such as 300, "5 minutes" or "never", got "5m": m may '
                     "mean minutes or months; write which"),
    (size(), "5 elephants", 'expected a size such as 4096 or "256 KB", got "5 elephants": the '
                            "units are B, KB, MB, GB and TB"),
    (rate(), "10kb", 'expected a rate such as "10kb/s", got "10kb": it does not end in /s'),
    (enum("a", "b"), "c", 'expected one of a, b, got "c"'),
    (enum("a", "b"), ["a"], "expected one of a, b, got a list of 1"),
    (path(), "", 'expected a path, got ""'),
    (path(), "a\0b", 'expected a path, got "a\0b": it has a NUL character in it'),
    (scalar(), [], "expected a single value, got an empty list"),
    (array(), {}, "expected a list, got a mapping"),
    (set_(), [["a"]], "a set cannot have a list in it"),
    (mapping(), ["a"], "expected a mapping such as {name: value}, got a list of 1"),
    (mapping(None, fields={"level": string()}), {"levle": 1},
     "levle is not known here; did you mean level?"),
    (mapping(None, fields={"a": string(), "b": string()}), {"xyz": 1},
     "xyz is not known here; known are a, b"),
])
def test_an_error_says_what_was_expected_and_what_was_found(option, written, text):
    assert message(option, written) == text


def test_an_error_of_a_secret_says_only_the_kind_of_value():
    assert message(integer(name="x_secret"), "abc") == "expected a whole number, got text"
    assert message(integer(), "abc", secret=True) == "expected a whole number, got text"
    assert message(integer(secret=True), True) == "expected a whole number, got another value"
