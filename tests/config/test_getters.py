import math

import pytest

from prosody_py.config.getters import KINDS, get_option
from prosody_py.config.load import load_mapping

UNSET = object()


class Getter:
    """Reads the option `x` of a host and keeps what is logged."""

    def __init__(self, value=UNSET, above=UNSET):
        data = {"hosts": {"h": {} if value is UNSET else {"x": value}}}
        if above is not UNSET:
            data["x"] = above
        self.config = load_mapping(data)
        self.logged = []

    def __call__(self, kind, default=None, **more):
        log = lambda level, text: self.logged.append((level, text))  # noqa: E731
        return get_option(self.config, "h", kind, "x", default, log=log, **more)


@pytest.mark.parametrize("kind, value, expected", [
    ("option", {"a": [1]}, {"a": [1]}), ("option", False, False), ("scalar", 5, 5),
    ("string", 5, "5"), ("string", 1.5, "1.5"), ("string", True, "true"), ("string", "a", "a"),
    ("number", "1.5", 1.5), ("number", 5, 5), ("integer", "5", 5),
    ("boolean", "true", True), ("boolean", 1, True), ("boolean", 0, False),
    ("boolean", "no", False),
    ("period", "2 days", 172800), ("period", "1w", 604800), ("period", 30, 30),
    ("period", "never", math.inf), ("period", False, math.inf),
    ("array", "a", ["a"]), ("array", ["a", "a"], ["a", "a"]), ("array", [], []),
    ("set", ["a", "b", "a"], ["a", "b"]), ("set", "a", ["a"]), ("set", [1, True], [1, True]),
    ("scalar", ["a"], "a"), ("string", [], None),
])
def test_values_come_in_the_kind_asked_for(kind, value, expected):
    getter = Getter(value)
    result = getter(kind)
    assert result == expected and type(result) is type(expected)
    assert getter.logged == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_unset_option_without_default_is_none(kind):
    getter = Getter()
    assert getter(kind) is None and getter.logged == []


def test_a_default_goes_through_the_same_parser():
    assert Getter()("period", "1w") == 604800
    assert Getter()("boolean", "true") is True
    assert Getter()("array", "a") == ["a"]
    assert Getter()("set", ["a", "a"]) == ["a"]
    assert Getter()("string", 5) == "5"


@pytest.mark.parametrize("kind, value, text", [
    ("number", "many", 'expected a number, got "many"'),
    ("boolean", "maybe", 'expected true or false, got "maybe"'),
    ("period", "soon", 'expected a period such as 300, "5 minutes" or "never", got "soon"'),
    ("string", {"a": 1}, "expected a single value, got a mapping"),
    ("array", {"a": 1}, "expected a list, got a mapping"),
])
def test_a_wrong_value_is_logged_as_error_and_reads_as_none(kind, value, text):
    getter = Getter(value)
    assert getter(kind, 5 if kind != "array" else ["a"]) is None
    assert getter.logged == [("error", f"Option x at (memory): {text}")]


def test_of_a_list_for_a_single_value_the_first_entry_is_used():
    getter = Getter(["a", "b"])
    assert getter("string") == "a"
    assert getter.logged == [("error", "Option x at (memory): expected a single value, got a list "
                                       "of 2; only the first entry is used")]


@pytest.mark.parametrize("kind, value, bounds, expected", [
    ("number", 0.5, {"min": 1}, 1), ("number", 50, {"max": 10}, 10),
    ("integer", 50, {"max": 10}, 10),
    ("period", "5 s", {"min": "10 seconds"}, 10), ("period", "never", {"max": "1 day"}, 86400),
])
def test_a_value_beyond_its_bounds_is_clamped_with_a_warning(kind, value, bounds, expected):
    getter = Getter(value)
    assert getter(kind, **bounds) == expected
    (level, text), = getter.logged
    assert level == "warn" and text.endswith(f"using {expected}")


def test_bounds_do_not_apply_to_the_default():
    getter = Getter()
    assert getter("integer", 0, min=5) == 0 and getter.logged == []


def test_a_fraction_is_cut_off_with_a_warning():
    getter = Getter(2.7)
    assert getter("integer") == 2
    assert getter.logged == [("warn", "Option x at (memory): expected a whole number; using 2")]


def test_an_enum_takes_its_default_or_the_other_words():
    assert Getter("b")("enum", "a", words=("b", "c")) == "b"
    assert Getter()("enum", "a", words=("b",)) == "a"
    getter = Getter("z")
    assert getter("enum", "a", words=("b",)) is None
    assert getter.logged == [("error", 'Option x at (memory): expected one of a, b, got "z"')]


def test_a_path_starts_at_the_base():
    assert Getter("a/b")("path", base="/lib") == "/lib/a/b"
    assert Getter("/a")("path", base="/lib") == "/a"
    assert Getter()("path", "d", base="/lib") == "/lib/d"


def test_an_inherited_set_joins_host_and_global_entries():
    assert Getter(["a", "b"], above=["b", "c"])("inherited_set") == ["a", "b", "c"]
    assert Getter(above="c")("inherited_set") == ["c"]
    assert Getter("a")("inherited_set", ["d"]) == ["a", "d"]
    assert Getter()("inherited_set", ["d"]) == ["d"]


def test_a_list_is_a_copy():
    getter = Getter(["a"])
    getter("array").append("b")
    assert getter("array") == ["a"]


def test_a_secret_is_not_logged():
    config = load_mapping({"api_key": "hunter2"})
    logged = []
    get_option(config, "*", "number", "api_key", log=lambda level, text: logged.append(text))
    assert logged == ["Option api_key at (memory): expected a number, got text"]
