import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.config.load import load_mapping
from prosody_py.config.obsolete import OBSOLETE
from prosody_py.config.options import Options, integer
from prosody_py.config.schema import GlobalOptions, HostOptions, Schema, harvest, nearest


@pytest.mark.parametrize("source, names", [
    ('module:get_option_string("a", "b")', {"a"}),
    ("module:get_option('a')", {"a"}),
    ('module:get_option "a"', {"a"}),
    ("module:get_option_set[[a]]", {"a"}),
    ("module:get_option([==[a]==], 5)", {"a"}),
    ('module.get_option_number(\n  "a" -- why\n  , 5)', {"a"}),
    ('local g = module:context("*"):get_option_inherited_set("a") + x:get_option("b")', {"a", "b"}),
    ('-- module:get_option("a")\nx = 1', set()),
    ('--[[ module:get_option("a") ]] module:get_option("b")', {"b"}),
    ('--[==[ ]] get_option("a") ]==] get_option("b")', {"b"}),
    ('x = "module:get_option(\'a\')"', set()),
    ('module:get_option("a_" .. name)', set()),
    ("module:get_option(name, 'a')", set()),
    ('module:set_option("a")', set()),
    ('local get_option = module.get_option; get_option(module, "a")', set()),
    ('module:get_option_string("a', set()),
    ('module:get_option_string("a"', {"a"}),
    ('module:get_option("a\\n")', set()),
    ('"unclosed\nmodule:get_option("a")', {"a"}),
])
def test_option_names_are_found_in_lua_source(source, names):
    assert harvest(source) == names


@given(st.text(alphabet="get_option()[]=-\"'\\. \na", max_size=60))
@settings(max_examples=100)
def test_any_text_can_be_harvested(source):
    assert all(isinstance(name, str) for name in harvest(source))


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
    assert core.log == {"level": "info", "format": "text", "to": "console", "modules": {}}
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
