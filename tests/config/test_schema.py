import pytest

from prosody_py.config.getters import get_option
from prosody_py.config.harvest import declare
from prosody_py.config.load import load_mapping
from prosody_py.config.obsolete import OBSOLETE
from prosody_py.config.options import Options, integer
from prosody_py.config.schema import GlobalOptions, HostOptions, Schema, nearest


@pytest.mark.parametrize("kind, good, bad", [
    ("string", "a", {"a": 1}), ("string", True, ["a", "b"]), ("string", ["a"], [["a"]]),
    ("boolean", "yes", "maybe"), ("number", "5.5", "five"), ("integer", 5, [5, 6]),
    ("period", "5 minutes", "soon"), ("array", "a", {"a": 1}), ("set", ["a"], [None]),
    ("enum", "a", "z"), ("scalar", 5, {}),
])
def test_a_lua_getter_takes_what_it_can_use(kind, good, bad):
    option = declare("x", kind, ("a", "b"), "read in x.lua")
    assert (option.name, option.doc) == ("x", "read in x.lua")
    assert option.errors(good) == [] and len(option.errors(bad)) == 1
    for value in (good, bad):
        told = logged(kind, value)
        assert (told == []) == (value == good), told


def logged(kind, value):
    """Return what the getter logs of a value."""
    told = []
    words = ("b",) if kind == "enum" else ()
    get_option(load_mapping({"x": value}), "*", kind, "x", "a" if words else None,
               log=lambda level, text: told.append(text), words=words)
    return told


@pytest.mark.parametrize("kind", ["option", "enum"])
def test_a_getter_that_takes_anything_says_nothing(kind):
    assert declare("x", kind) is None


def test_what_lua_reads_counts_unless_it_is_declared_or_read_in_several_ways():
    schema = Schema()
    schema.register_read([declare("a", "number"), declare("a", "integer"), declare("b", "number"),
                          declare("b", "string"), declare("admins", "number")])
    assert {"a", "b"} <= schema.names() and "a" in schema
    assert [option.kind for option in schema.get("a")] == ["number"]
    assert schema.get("b") == [] and schema.get("admins")[0].kind == "set"


@pytest.mark.parametrize("name, meant", [
    ("modules_enable", "modules_enabled"), ("module_enabled", "modules_enabled"),
    ("c2s-ports", "c2s_ports"), ("C2SPorts", "c2s_ports"), ("admin", "admins"),
    ("certificats", "certificates"), ("zzz", None), ("", None),
])
def test_a_misspelt_name_finds_the_one_that_was_meant(name, meant):
    assert nearest(name, Schema().names()) == meant


def test_the_core_options_can_be_read_from_an_empty_configuration():
    config = load_mapping({})
    core, host = GlobalOptions.read(config, "*"), HostOptions.read(config, "h")
    assert core.log == {"level": "info", "format": "text", "to": "console", "modules": {},
                        "sinks": []}
    assert core.umask == "027" and core.lua_runtime == "lua54"
    assert host.c2s_require_encryption is True and host.authentication == "internal_hashed"


def test_every_core_option_has_a_doc():
    assert [option.name for options in (GlobalOptions, HostOptions)
            for option in options.declared() if not option.doc.endswith(".")] == []


def test_storage_is_a_driver_or_a_mapping_from_stores_to_drivers():
    (storage,) = Schema().get("storage")
    assert storage.parse("sql") == "sql"
    assert storage.parse({"archive": "sql"}) == {"archive": "sql"}
    assert [error.message for error in storage.errors(["sql"])] == [
        "expected the name of a driver, or a mapping from stores to drivers, got a list of 1"]


def test_modules_add_options_names_and_services():
    class Ping(Options):
        ping_limit = integer(3)

    known = Schema()
    assert "ping_limit" not in known
    known.register(Ping)
    known.register(Ping)
    known.register(Ping, prefix="x_")
    known.register_names({"a_b"})
    known.register_service("s2s")
    assert {"ping_limit", "x_ping_limit", "a_b", "s2s_ports", "s2s_interfaces"} <= known.names()
    assert len(known.get("ping_limit")) == 1 and known.get("a_b") == []
    assert "ping_limit" not in Schema()


def test_no_obsolete_option_is_a_core_option():
    assert OBSOLETE.keys() & Schema().names() == set()
