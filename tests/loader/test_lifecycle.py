"""Loading, reloading and unloading modules: each a transaction that leaves no trace."""

import textwrap

import pytest

from prosody_py.api.errors import LoadError


@pytest.fixture
def plugins(tmp_path):
    """Return a function that writes a module into the plugin folder."""
    folder = tmp_path / "plugins"
    folder.mkdir()

    def write(name, text):
        (folder / f"mod_{name}.py").write_text(
            "from prosody_py.api import *\n" + textwrap.dedent(text))

    write.folder = str(folder)
    return write


@pytest.fixture
def server(start_server, plugins):
    return start_server(plugin_paths=[plugins.folder], modules_enabled=[]).server


def trace(server):
    """Return everything that modules can leave behind."""
    events = [server.events, *(host.events for host in server.hosts.values())]
    return ([sorted((name, len(chain)) for name, chain in e.index.items()) for e in events],
            {host: sorted(server.modules.get_modules(host)) for host in ("*", *server.hosts)})


def test_load_and_unload_leave_no_trace(server, plugins):
    plugins("x", """
        FEATURES = ("urn:x",)
        @hook("event", priority=3)
        def handler(module, event): return "x"
        @iq("get", "urn:x", "query", to=("host", "bare"))
        def answer(module, event): pass
        def load(module):
            module.add_timer(60, print)
            module.wrap_event("event", lambda fire, name, data: fire(name, data))
    """)
    before = trace(server)
    server.modules.load("localhost", "x")
    assert server.hosts["localhost"].events.fire_event("event") == "x"
    assert trace(server) != before
    server.modules.unload("localhost", "x")
    assert trace(server) == before
    assert server.hosts["localhost"].events.wrapped is False


@pytest.mark.parametrize("broken", [
    "syntax error",
    "raise ValueError('at run time')",
    "def load(module): raise ValueError('in load')",
    "def restore(module, saved): raise ValueError('in restore')",
    "DEPENDS = ('does_not_exist',)",
])
def test_a_failed_load_or_reload_changes_nothing(server, plugins, broken):
    good = """
        @hook("event")
        def handler(module, event): return "good"
    """
    plugins("x", good)
    server.modules.load("localhost", "x")
    before = trace(server)
    plugins("x", '@hook("event", priority=9)\ndef bad(module, event): return "bad"\n' + broken)
    with pytest.raises(LoadError):
        server.modules.reload("localhost", "x")
    assert trace(server) == before
    assert server.hosts["localhost"].events.fire_event("event") == "good"
    server.modules.unload("localhost", "x")
    before = trace(server)
    if "restore" not in broken:
        with pytest.raises(LoadError):
            server.modules.load("localhost", "x")
    assert trace(server) == before


def test_a_load_error_names_file_and_line(server, plugins):
    plugins("x", "a = 1\nb = undefined_name\n")
    with pytest.raises(LoadError, match=r"mod_x\.py:3: NameError"):
        server.modules.load("localhost", "x")
    plugins("y", "a = = 1\n")
    with pytest.raises(LoadError, match=r"mod_y\.py:2: invalid syntax"):
        server.modules.load("localhost", "y")


def test_reload_goes_through_save_and_restore_and_old_handlers_are_gone(server, plugins):
    text = """
        @hook("event")
        def handler(module, event): return VERSION, state
        state = None
        def save(module): return {"from": VERSION}
        def restore(module, saved):
            global state
            state = saved
    """
    plugins("x", "VERSION = 1\n" + textwrap.dedent(text))
    server.modules.load("localhost", "x")
    plugins("x", "VERSION = 2  # newer\n" + textwrap.dedent(text))
    server.modules.reload("localhost", "x")
    assert server.hosts["localhost"].events.fire_event("event") == (2, {"from": 1})
    assert len(server.hosts["localhost"].events.index["event"]) == 1


def test_a_save_that_fails_keeps_the_old_instance(server, plugins):
    plugins("x", """
        @hook("event")
        def handler(module, event): return "old"
        def save(module): raise ValueError
    """)
    server.modules.load("localhost", "x")
    with pytest.raises(LoadError) as caught:
        server.modules.reload("localhost", "x")
    assert caught.value.code == "save-state-failed"
    assert server.hosts["localhost"].events.fire_event("event") == "old"


def test_dependants_are_reloaded_after_and_unloaded_before(server, plugins):
    note = "notes = {}\n"
    plugins("a", note + "def load(module): module.shared('/*/notes/n').setdefault('l', [])"
            ".append('a')\ndef unload(module): module.shared('/*/notes/n')['l'].append('-a')")
    plugins("b", "DEPENDS = ('a',)\ndef load(module): module.shared('/*/notes/n')['l'].append('b')"
            "\ndef unload(module): module.shared('/*/notes/n')['l'].append('-b')")
    plugins("c", "DEPENDS = ('a', 'b')\ndef load(module): "
            "module.shared('/*/notes/n')['l'].append('c')\n"
            "def unload(module): module.shared('/*/notes/n')['l'].append('-c')")
    server.modules.load("localhost", "c")
    notes = server.modules._shared["/*/notes/n"]["l"]
    assert notes == ["a", "b", "c"]
    notes.clear()
    server.modules.reload("localhost", "a")
    assert [n for n in notes if not n.startswith("-")] == ["a", "b", "c"]
    notes.clear()
    server.modules.unload("localhost", "a")
    assert notes == ["-c", "-b", "-a"]
    assert not {"a", "b", "c"} & set(server.modules.get_modules("localhost"))


def test_a_dependency_on_itself_is_told(server, plugins):
    plugins("a", "DEPENDS = ('b',)")
    plugins("b", "DEPENDS = ('a',)")
    with pytest.raises(LoadError, match="depends on itself"):
        server.modules.load("localhost", "a")


def test_a_shared_module_is_reloaded_as_one(server, plugins):
    text = """
        GLOBAL = True
        def add_host(module):
            module.hook("event", lambda event: VERSION)
    """
    plugins("x", "VERSION = 1" + textwrap.dedent(text))
    server.modules.load("localhost", "x")
    assert server.modules.is_loaded("*", "x") and server.modules.is_loaded("localhost", "x")
    plugins("x", "VERSION = 22" + textwrap.dedent(text))
    server.modules.reload("localhost", "x")
    assert server.hosts["localhost"].events.fire_event("event") == 22
    assert len(server.hosts["localhost"].events.index["event"]) == 1


def test_items_are_announced_and_taken_back(server, plugins):
    plugins("x", "def load(module): module.add_item('thing', 'one')")
    seen = []
    events = server.hosts["localhost"].events
    events.add_handler("item-added/thing", lambda e: seen.append("+" + e.item))
    events.add_handler("item-removed/thing", lambda e: seen.append("-" + e.item))
    server.modules.load("localhost", "x")
    server.modules.unload("localhost", "x")
    assert seen == ["+one", "-one"]


def test_a_consumer_sees_items_from_before_and_after(server, plugins):
    plugins("x", "def load(module): module.add_item('thing', module.name)")
    plugins("y", "def load(module): module.add_item('thing', module.name)")
    plugins("c", """
        def load(module):
            seen = module.shared("/*/c/seen")["l"] = []
            module.seen = module.shared("/*/c/seen")
            module.handle_items("thing", lambda e: seen.append("+" + e.item),
                                lambda e: seen.append("-" + e.item))
    """)
    load = server.modules.load
    load("localhost", "x")
    load("localhost", "c")
    load("localhost", "y")
    server.modules.unload("localhost", "x")
    assert server.modules._shared["/*/c/seen"]["l"] == ["+x", "+y", "-x"]


def test_ready_runs_once_and_never_for_an_unloaded_module(server, plugins):
    import gevent

    plugins("x", "def ready(module): module.shared('/*/x/r').setdefault('n', []).append(1)\n"
            "def load(module): module.held = module.shared('/*/x/r')")
    module = server.modules.load("localhost", "x")
    gevent.sleep(0.05)
    assert module.held == {"n": [1]}
    module = server.modules.reload("localhost", "x")
    server.modules.unload("localhost", "x")
    gevent.sleep(0.05)
    assert module.held == {"n": [1]}


def test_wrong_options_keep_a_module_out_and_name_the_line(start_server, plugins):
    plugins("x", "class Config(Options):\n    count = integer(5, min=1, doc='How many.')\n")
    test_server = start_server(plugin_paths=[plugins.folder], count="many")
    with pytest.raises(LoadError, match=r"prosody\.cfg\.yaml:\d+.*count.*whole number"):
        test_server.server.modules.load("localhost", "x")
