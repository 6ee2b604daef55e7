"""Options as modules read them one by one; the rules are those of prosody_py.config.getters."""

import logging
import math

import pytest


@pytest.mark.parametrize(("getter", "args", "expected"), [
    ("get_option", ("colour",), "green"),
    ("get_option", ("missing", 5), 5),
    ("get_option_string", ("colour", "red"), "green"),
    ("get_option_string", ("missing", "red"), "red"),
    ("get_option_boolean", ("yes",), True),
    ("get_option_boolean", ("missing", False), False),
    ("get_option_number", ("ratio",), 2.5),
    ("get_option_number", ("count", 1, 0, 5), 5),
    ("get_option_integer", ("count",), 7),
    ("get_option_integer", ("count", 1, 10), 10),
    ("get_option_period", ("pause",), 300),
    ("get_option_period", ("missing", "1 hour"), 3600),
    ("get_option_period", ("missing", "never"), math.inf),
    ("get_option_array", ("many",), ["a", "b"]),
    ("get_option_array", ("one",), ["a"]),
    ("get_option_array", ("missing", ["z"]), ["z"]),
    ("get_option_array", ("missing",), None),
    ("get_option_set", ("many",), {"a", "b"}),
    ("get_option_set", ("missing", {"z"}), {"z"}),
    ("get_option_inherited_set", ("extra",), {"c"}),
    ("get_option_enum", ("colour", "red", "green", "blue"), "green"),
    ("get_option_enum", ("missing", "red", "green"), "red"),
    ("get_option_scalar", ("count",), 7),
])
def test_an_option_is_read_as_its_kind(module, getter, args, expected):
    found = getattr(module, getter)(*args)
    assert found == expected and type(found) in (type(expected), frozenset)


def test_a_relative_path_begins_in_the_folder_of_the_configuration_or_another(module, running):
    assert module.get_option_path("place") == running.folder + "/here.txt"
    data = running.server.paths["data"]
    assert module.get_option_path("place", None, "data") == data + "/here.txt"
    assert module.get_option_path("place", None, "/elsewhere") == "/elsewhere/here.txt"
    assert module.get_option_path("missing", "default.txt") == running.folder + "/default.txt"


@pytest.mark.parametrize("getter", ["get_option_string", "get_option_boolean",
                                    "get_option_integer", "get_option_period"])
def test_a_wrong_value_is_none_and_logged(module, getter, caplog):
    with caplog.at_level(logging.ERROR):
        assert getattr(module, getter)("nonsense") is None
    assert "nonsense" in caplog.text and "mod_probe" in caplog.text


def test_each_host_has_its_own_values(load):
    assert load("probe", host="other.localhost").get_option_string("colour") == "blue"
    assert load("everywhere", "GLOBAL = True").get_option_string("colour") == "grey"
