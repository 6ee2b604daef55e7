"""Shared tables, other modules, other hosts, and the module's own files."""

import gc

import pytest

from prosody_py.api.errors import LoadError


def test_a_shared_table_survives_reloads_and_dies_with_the_module(server, load):
    module = load("probe", "def load(module): module.shared('loads').setdefault('n', []).append(1)")
    module.shared("asked for later")["a"] = 1
    for _ in range(2):
        module = server.modules.reload("localhost", "probe")
        gc.collect()
    assert module.shared("asked for later") == {"a": 1}
    assert module.shared("loads") == {"n": [1, 1, 1]}
    server.modules.unload("localhost", "probe")
    assert not [path for path in server.modules._shared if "probe" in path]
    assert load().shared("loads") == {}


def test_the_tables_of_a_shared_modules_hosts_survive_too(server, load):
    load("everywhere", "GLOBAL = True\ndef add_host(module): module.shared('t')['a'] = "
                       "module.shared('t').get('a', 0) + 1")
    for _ in range(2):
        server.modules.reload("localhost", "everywhere")
        gc.collect()
    module = server.modules.get_module("localhost", "everywhere")
    assert module.shared("/localhost/everywhere/t") == {"a": 3}


def test_a_table_lives_while_another_module_holds_it(load, server):
    module, other = load(), load("other")
    module.shared("table")["a"] = 1
    held = other.shared("probe/table")
    assert held is module.shared("table")
    del module
    server.modules.unload("localhost", "probe")
    gc.collect()
    assert load().shared("table") is held and held == {"a": 1}


@pytest.mark.parametrize(("path", "absolute"), [
    ("x", "/localhost/probe/x"), ("other/x", "/localhost/other/x"),
    ("/*/other/x", "/*/other/x"), ("/other.localhost/other/x", "/other.localhost/other/x"),
])
def test_paths_of_shared_tables(server, module, path, absolute):
    table = module.shared(path)
    assert server.modules._shared[absolute] is table
    assert module.shared(path) is module.shared(absolute) is table


def test_depends_gives_what_the_other_module_exports(load, server, write):
    write("other", "VALUE = 42\ndef double(x): return 2 * x")
    module = load()
    other = module.depends("other")
    assert other.double(other.VALUE) == 84
    assert server.modules.is_loaded("localhost", "other")
    server.modules.unload("localhost", "other")
    assert not server.modules.is_loaded("localhost", "probe")


def test_depends_on_what_cannot_be_had_is_a_load_error(running, module):
    with pytest.raises(LoadError, match="mod_probe needs mod_missing"):
        module.depends("missing")
    running.write_config(modules_disabled=["off"])
    running.reload_config()
    with pytest.raises(LoadError, match="disabled"):
        module.depends("off")
    assert module.depends("off", soft=True) is None


def test_a_context_sees_events_and_options_of_another_host(load, server):
    module, seen = load(), []
    context = module.context("other.localhost")
    assert (context.host, context.get_host_type(), context.name) == (
        "other.localhost", "local", "probe")
    assert context.get_option_string("colour") == "blue"
    assert module.get_option_string("colour") == "green"
    context.hook("event", lambda event: seen.append("other"))
    server.hosts["localhost"].events.fire_event("event")
    context.fire_event("event")
    assert seen == ["other"]
    server.modules.unload("localhost", "probe")
    server.hosts["other.localhost"].events.fire_event("event")
    assert seen == ["other"] and "event" not in server.hosts["other.localhost"].events.index


def test_the_context_of_the_server_and_of_no_host(module, server):
    context = module.context("*")
    assert context.events is server.events and context.get_host_type() == "global"
    assert context.get_option_string("colour") == "grey"
    nowhere = module.context("nowhere")
    assert nowhere.events is server.events and nowhere.get_host_type() is None
    assert nowhere.get_option_string("colour") == "grey"


def test_stores_are_the_hosts_and_named_after_the_module(module):
    store = module.open_store()
    store.set("juliet", {"a": 1})
    assert module.open_store("probe", "map").get("juliet", "a") == 1
    assert module.context("other.localhost").open_store().get("juliet") is None


def test_a_module_reads_the_files_beside_it(module, folder):
    (folder / "words.txt").write_text("äöü", encoding="utf-8")
    assert module.get_directory() == str(folder)
    with module.load_resource("words.txt") as file:
        assert file.read() == "äöü"
    with module.load_resource("words.txt", "rb") as file:
        assert file.read() == "äöü".encode()
    with pytest.raises(OSError):
        module.load_resource("missing.txt")
