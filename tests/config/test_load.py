import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.config.config import Config
from prosody_py.config.load import load, load_mapping, prepare_host
from prosody_py.config.problems import ConfigError, Location
from prosody_py.xmpp.prep import PrepError

EXAMPLE = """\
admins: [alice@example.com]
modules_enabled: [roster, saslauth, tls, disco, ping]
c2s_ports: [5222]
storage: sqlite
umask: 027
log: {level: info, format: text, modules: {mod_c2s: debug}}
hosts:
  localhost: {}
  Example.com:
    modules_enabled:
      - welcome
      - motd
    welcome_message: Hello
  old.example.com: {enabled: no}
components:
  conference.example.com: {module: muc, name: Rooms}
  gw.example.com:
"""


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def load_text(folder, text) -> Config:
    return load(write(folder, "main.yaml", text))


def errors(folder, text) -> list[str]:
    """Return the texts of all problems, with file names but without folders."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_hosts_inherit_each_unset_option_from_the_global_section(tmp_path):
    config = load_text(tmp_path, EXAMPLE)
    assert config.get("*", "storage") == "sqlite"
    assert config.get("example.com", "storage") == "sqlite"
    assert config.get("example.com", "modules_enabled") == ["welcome", "motd"]
    assert config.get("*", "welcome_message") is None
    assert config.get("not.here", "storage") == "sqlite"
    assert config.is_set("example.com", "welcome_message")
    assert not config.is_set("example.com", "storage")
    assert not config.is_set("not.here", "storage")
    assert config.keys("example.com") == ["modules_enabled", "welcome_message"]


def test_hosts_keep_the_order_of_the_file_and_components_their_module(tmp_path):
    hosts = load_text(tmp_path, EXAMPLE).hosts
    assert [(host.name, host.component_module, host.enabled) for host in hosts] == [
        ("localhost", None, True), ("example.com", None, True), ("old.example.com", None, False),
        ("conference.example.com", "muc", True), ("gw.example.com", "component", True),
    ]
    config = load_text(tmp_path, EXAMPLE)
    assert config.get("conference.example.com", "component_module") == "muc"


def test_every_name_and_value_has_its_place(tmp_path):
    config = load_text(tmp_path, EXAMPLE)
    path = str(tmp_path / "main.yaml")
    assert config.location("*", "storage") == Location(path, 4, 1)
    assert config.location("example.com", "storage") == Location(path, 4, 1)
    assert config.location("example.com", "welcome_message") == Location(path, 13, 5)
    assert config.location("example.com", "modules_enabled", 1) == Location(path, 12, 9)
    assert config.location("*", "log", "modules", "mod_c2s") == Location(path, 6, 44)
    assert config.location("*", "log", "modules", "nothing").line == 6
    assert config.location("*", "nothing") is None
    assert config.host("example.com").location == Location(path, 9, 3)


@pytest.mark.parametrize("written, value", [
    ("yes", True), ("Off", False), ("027", "027"), ("0", 0), ("-5", -5), ("1.5", 1.5),
    ("0x1f", 31), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("1_000", "1_000"),
    ("'5'", "5"), ("9223372036854775808", "9223372036854775808"), (".", "."), (".nan", ".nan"),
    ("1.0e999", "1.0e999"), ('"é"', "é"), ("9" * 5000, "9" * 5000),
])
def test_words_are_read_by_rules_made_for_configuration(tmp_path, written, value):
    result = load_text(tmp_path, f"x: {written}").get("*", "x")
    assert result == value and type(result) is type(value)


def test_names_of_options_are_text_but_numbers_inside_stay_numbers(tmp_path):
    config = load_text(tmp_path, "on: 1\nssl: {5223: a, no: b, '7': c}")
    assert config.get("*", "on") == 1
    assert config.get("*", "ssl") == {5223: "a", "no": "b", "7": "c"}


def test_an_option_without_value_is_not_set(tmp_path):
    config = load_text(tmp_path, "admins: [a@b]\nhosts:\n  b:\n    admins:\n")
    assert config.get("b", "admins") == ["a@b"] and not config.is_set("b", "admins")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeffa: 1", "%YAML 1.1\n---\na: 1"])
def test_an_empty_file_and_a_byte_order_mark_are_accepted(tmp_path, text):
    assert load_text(tmp_path, text).hosts == []


def test_a_repeated_value_is_a_copy(tmp_path):
    config = load_text(tmp_path, "a: &x [1]\nb: *x")
    config.get("*", "a").append(2)
    assert config.get("*", "b") == [1]


@pytest.mark.parametrize("text, expected", [
    ("a: b: c",
     "main.yaml:1:5: a ':' is not expected here (check the indentation of this line and the one "
     "above; text with ': ' in it needs quotes)"),
    ("a:\n\tb: c", "main.yaml:2:1: a tab cannot be used here (indent with spaces)"),
    ("a: [1,\nb: c", "main.yaml:1:4: the list that begins with '[' here is not closed, or lacks a "
                     "comma (separate the values with ',' and end the list with ']')"),
    ("a: {x: 1\nb: 2", "main.yaml:1:4: what begins with '{' here is not closed, or lacks a comma "
                       "(separate the entries with ',' and end with '}')"),
    ('a: "x\nb: 1', "main.yaml:1:4: the quote that is opened here is never closed"),
    ("log: *console",
     "main.yaml:1:6: *console repeats a value named &console, and there is none above (put the "
     "value in quotes if it is to begin with a *)"),
    ("y: @foo", "main.yaml:1:4: a value cannot begin with @ (put the value in quotes)"),
    ("a: 1\nb: 2\na: 3",
     "main.yaml:3:1: a is set twice; the first time is in line 1 (remove one of the two)"),
    ("a: 1\nhosts:\n  b:\n    c: 1\n   d: 2",
     "main.yaml:5:4: this line does not fit with the lines above it (entries of one list or "
     "section begin in the same column)"),
    ("a: 1\nbc\nd: 1", "main.yaml:2:1: there is no ':' after this name (write 'name: value')"),
    ("- a", "main.yaml:1:1: the file must hold options, such as 'admins: [alice@example.com]'"),
    ("a: !!python/object:os.system x",
     "main.yaml:1:4: the tag !!python/object:os.system is not known here (the tags are !env, "
     "!file, !credential; put text that begins with ! in quotes)"),
    ("a: !env [x]", "main.yaml:1:4: !env needs a name, not a list or a mapping"),
    ("a: 1\n---\nb: 2", "main.yaml:2:1: a second document begins here (a configuration file is "
                        "one document; remove the '---')"),
    ("<<: {a: 1}", "main.yaml:1:1: merge keys (<<) are not supported (an option that all hosts "
                   "share goes to the top level of the file)"),
    ("?\n: 1", "main.yaml:1:2: there is no name before the ':'"),
    ("5222: x", "main.yaml:1:1: 5222 is a number, not the name of an option"),
    ("? [a]\n: b",
     "main.yaml:1:3: a name must be plain text, not a list, a tag or a repetition"),
    ('a: "\\q"', "main.yaml:1:6: this text in double quotes has an unknown escape after a "
                 "backslash (use single quotes, or write \\\\ for a backslash)"),
    ('a: "\\UFFFFFFFF"', "main.yaml: a number or an escape in this file is out of range"),
    ('a: "\\ud800"', "main.yaml:1:4: an escape in this text is half of a surrogate pair"),
    ("a: b\nc: \x01", "main.yaml:2:4: a control character cannot stand in a YAML file"),
    (b"a: 1\nb: \xff", "main.yaml:2: this line is not UTF-8 (save the file as UTF-8)"),
    ("hosts: [a]", "main.yaml:1:8: hosts must hold names and their options (write "
                   "'example.com: {}' for a host without options of its own)"),
    ("hosts: {a.b: yes}", "main.yaml:1:14: a.b must hold options, not a single value or a list "
                          "(write 'a.b: {}' when there are none)"),
    ("hosts: {a@b: {}}", "main.yaml:1:9: 'a@b' cannot be the name of a host: this is an address, "
                         "not a host name"),
    ("hosts: {'a b': {}}", "main.yaml:1:9: 'a b' cannot be the name of a host: it has a character "
                           "that host names cannot have, or an empty part"),
    ("hosts: {'*': {a: 1}}", "main.yaml:1:9: '*' cannot be the name of a host: a host has one "
                             "name, not a pattern"),
    ("hosts:\n  a.b: {}\ncomponents:\n  A.B: {}",
     "main.yaml:4:3: a.b is both a host and a component; the other is at main.yaml:2:3 (use two "
     "names, such as example.com and conference.example.com)"),
    ("components: {a: {module: [muc]}}",
     "main.yaml:1:26: module: expected the name of one module for a (for instance muc)"),
    ("components: {a: {component_module: muc}}",
     "main.yaml:1:18: component_module is not written here (write 'module: muc' for a host under "
     "components)"),
    ("hosts: {a: {enabled: maybe}}", "main.yaml:1:22: enabled: expected true or false for a "
                                     "(leave it out for a host that is served)"),
    ("hosts: {a: {", "main.yaml:1:13: the file ends inside a list or a mapping (close each '[' "
                     "with ']' and each '{' with '}')"),
    ('-- Prosody\nVirtualHost "a.b"\n  x = 1\n', "main.yaml:2:1: this is a configuration in Lua, "
     "as Prosody has it (the one here is YAML: see docs/from-prosody.md)"),
    ("include: no.yaml",
     "main.yaml:1:10: cannot read 'no.yaml': no such file or directory"),
    ("include: [{}]",
     "main.yaml:1:11: include: expected the path of a file, such as conf.d/*.yaml"),
])
def test_a_mistake_is_told_in_a_sentence_with_its_place(tmp_path, text, expected):
    assert errors(tmp_path, text) == [expected]


def test_all_mistakes_are_told_at_once(tmp_path):
    found = errors(tmp_path, "a: !env NO_SUCH_VARIABLE\na: 1\nhosts: {x@y: {}}\n1: 2")
    assert len(found) == 4


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml")
    path = tmp_path / "none.yaml"
    assert str(caught.value) == f"{path}: cannot read '{path}': no such file or directory"


def test_a_folder_or_a_pipe_is_no_configuration(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(ConfigError, match="not a regular file|is a directory"):
            load(tmp_path / name)


def test_a_file_beyond_the_limit_is_refused(tmp_path):
    assert "larger than 1024 KB" in errors(tmp_path, b"#" * (1024 * 1024 + 1))[0]


def test_aliases_cannot_unfold_into_a_bomb(tmp_path):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 100000 values, aliases included" in errors(tmp_path, "\n".join(lines))[0]


def test_aliases_cannot_nest_beyond_the_limit_either(tmp_path):
    lines = ["a0: &a0 [[[[1]]]]"] + [f"a{n}: &a{n} [[*a{n - 1}]]" for n in range(1, 400)]
    assert "nest deeper than 32 levels" in errors(tmp_path, "\n".join(lines))[0]


def test_brackets_cannot_nest_beyond_the_limit(tmp_path):
    assert "nest deeper than 32 levels" in errors(tmp_path, "a: " + "[" * 100_000)[0]


def test_an_alias_cannot_be_in_its_own_value(tmp_path):
    assert "there is none above" in errors(tmp_path, "a: &a [*a]")[0]


def test_includes_are_merged_in_alphabetical_order(tmp_path):
    write(tmp_path, "conf.d/b.yaml", "storage: sql\nhosts: {b.example: {name: B}}")
    write(tmp_path, "conf.d/a.yaml", "hosts: {a.example: }\ninclude: sub/one.yaml")
    write(tmp_path, "conf.d/sub/one.yaml", "hosts: {b.example: {welcome_message: Hi}}")
    main = write(tmp_path, "main.yaml", "hosts: {m.example: }\ninclude: [conf.d/*.yaml, 'x/*']")
    config = load(main)
    assert [host.name for host in config.hosts] == ["m.example", "a.example", "b.example"]
    assert [os.path.relpath(file, tmp_path) for file in config.files] == [
        "main.yaml", "conf.d/a.yaml", "conf.d/sub/one.yaml", "conf.d/b.yaml",
    ]
    assert config.get("b.example", "name") == "B"
    assert config.get("b.example", "welcome_message") == "Hi"
    assert config.location("*", "storage") == Location(str(tmp_path / "conf.d/b.yaml"), 1, 1)
    assert config.directory == str(tmp_path)


def test_an_option_set_in_two_files_is_a_conflict(tmp_path):
    write(tmp_path, "other.yaml", "storage: a\nhosts: {h: {name: x}}\n"
                                  "components: {c: {module: muc}}")
    assert errors(tmp_path, "storage: b\nhosts: {h: {name: y}}\n"
                            "components: {c: {module: pubsub}}\ninclude: other.yaml") == [
        "other.yaml:1:1: storage of the global section is already set at main.yaml:1:1 (remove "
        "one of the two)",
        "other.yaml:2:13: name of h is already set at main.yaml:2:13 (remove one of the two)",
        "other.yaml:3:18: module of c is already set at main.yaml:3:18 (remove one of the two)",
    ]


def test_a_mistake_in_an_included_file_has_its_name(tmp_path):
    write(tmp_path, "conf.d/x.yaml", "a: [")
    found = errors(tmp_path, "include: conf.d/x.yaml\nc: !env NO_SUCH_VARIABLE")
    assert [text.split(":")[0] for text in found] == ["main.yaml", "conf.d/x.yaml"]


def test_a_file_that_includes_itself_is_read_once(tmp_path):
    write(tmp_path, "other.yaml", "include: main.yaml")
    config = load_text(tmp_path, "a: 1\ninclude: '*.yaml'")
    assert len(config.files) == 2


def test_relative_includes_work_from_the_current_folder(tmp_path, monkeypatch):
    write(tmp_path, "conf.d/x.yaml", "a: 1")
    write(tmp_path, "main.yaml", "include: [conf.d/*.yaml]")
    monkeypatch.chdir(tmp_path)
    assert load("main.yaml").get("*", "a") == 1


def test_values_come_from_environment_files_and_credentials(tmp_path, monkeypatch):
    write(tmp_path, "secret.txt", "from file\n")
    write(tmp_path, "credentials/gw", "from systemd")
    monkeypatch.setenv("SOME_SECRET", "from environment")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    config = load_text(tmp_path, "a: !env SOME_SECRET\nb: !file secret.txt\n"
                                 "c: {x: [!credential gw]}\nd: plain")
    assert config.get("*", "a") == "from environment"
    assert config.get("*", "b") == "from file"
    assert config.get("*", "c") == {"x": ["from systemd"]}
    assert [config.is_secret("*", key) for key in "abcd"] == [True, True, True, False]


def test_a_value_that_cannot_be_had_from_elsewhere_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    write(tmp_path, "binary", b"\xff\xfe")
    text = ("a: !env NO_SUCH_VARIABLE\nb: !file /dev/zero\nc: !file none\nd: !credential gw\n"
            "e: !credential ../x\nf: !file binary\ng: !env\nh: !file .\ni: !credential ..")
    assert errors(tmp_path, text) == [
        "main.yaml:1:4: !env NO_SUCH_VARIABLE: the environment has no variable of this name (set "
        "it before the server starts, in its unit file for instance)",
        "main.yaml:2:4: !file /dev/zero: this is not a regular file",
        "main.yaml:3:4: !file none: no such file or directory",
        "main.yaml:4:4: !credential gw: the server was started without credentials "
        "(CREDENTIALS_DIRECTORY is not set; add LoadCredential=gw:PATH to the systemd unit)",
        "main.yaml:5:4: !credential ../x: this is a path (a credential has a plain name)",
        "main.yaml:6:4: !file binary: the file is not UTF-8 text",
        "main.yaml:7:4: !env needs a name (write !env NAME)",
        "main.yaml:8:4: !file .: is a directory",
        "main.yaml:9:4: !credential ..: this is a path (a credential has a plain name)",
    ]


def test_a_configuration_does_not_show_its_values_when_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_SECRET", "hunter2")
    config = load_text(tmp_path, "hosts: {a: {x: !env SOME_SECRET}}\ny: hunter2")
    assert "hunter2" not in repr(config) + repr(config.hosts) + repr(config.setting("a", "x"))


@pytest.mark.parametrize("written, name", [
    ("Example.COM", "example.com"), ("BÜCHER.example", "bücher.example"),
    ("xn--bcher-kva.example", "bücher.example"), ("example.com.", "example.com"),
])
def test_host_names_are_prepared(written, name):
    assert prepare_host(written) == name


@pytest.mark.parametrize("written", [
    "", ".", "a..b", "a/b", "a b", "x" * 64 + ".example", "xn--\x80", "*.example.com", "a@b",
])
def test_what_cannot_be_a_host_is_refused(written):
    with pytest.raises(PrepError):
        prepare_host(written)


def test_data_of_the_same_shape_makes_a_configuration_without_a_file():
    config = load_mapping({"a": (1, 2), "hosts": {"H": {"a": {"b": 1}}}, "components": {"c": None}})
    assert config.get("*", "a") == [1, 2] and config.get("h", "a") == {"b": 1}
    assert str(config.location("h", "a", "b")) == "(memory)"
    with pytest.raises(ConfigError, match="cannot be the name of a host"):
        load_mapping({"hosts": {"a@b": {}}})


FRAGMENTS = st.lists(st.sampled_from([
    "a", "hosts", "components", "include", "module", ":", " ", "\n", "  ", "- ", "[", "]", "{", "}",
    ",", "&x ", "*x", "!env ", "!file ", "!!", "!", "'", '"', "\\", "|", ">", "%YAML ", "---",
    "...", "\t", "#", "?", "<<", "~", "5", "0x", "\\U", "\\x", "é", "\0", "\ufeff", "*", "@",
]), max_size=30).map(lambda parts: "".join(parts).encode())


@given(st.one_of(st.binary(max_size=60), FRAGMENTS))
@settings(max_examples=300, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_load_or_raise_config_error(tmp_path, data):
    path = tmp_path / "any.yaml"
    path.write_bytes(data)
    try:
        config = load(path)
    except ConfigError as error:
        assert error.problems and all(problem.message for problem in error.problems)
        assert str(error)
    else:
        assert isinstance(config, Config)
