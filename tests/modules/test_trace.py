"""Every module of the server loads, reloads and unloads under clients and leaves no trace."""

import gc
import os
import weakref
from collections import Counter
from pathlib import Path

import gevent
import pytest

from prosody_py.api.commands import Registry
from prosody_py.api.measures import measures
from prosody_py.concurrency.timer import Timer
from prosody_py.events import filters
from prosody_py.lua import runtime_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLACES = ("modules/mod_*.py", "modules/mod_*/mod_*.py", "plugins_lua/mod_*.lua")
NAMES = sorted(path.stem.removeprefix("mod_") for place in PLACES for path in ROOT.glob(place))
OPTIONS = {
    "admins": ["alice@localhost"],
    "allow_registration": True,
    "limits": {"c2s": {"rate": "10mb/s"}},
    "motd_text": "News.",
    "turn_external_secret": "secret",
    "groups_file": os.devnull,
    "muc_rtbl_jid": "lists.localhost",
    "contact_info": {"admin": ["mailto:admin@example.com"]},
}
# Not unloaded, for the clients could not be there without them.
RELOAD_ONLY = {
    "c2s": "the clients' streams are its work",
    "auth_internal_hashed": "the clients' accounts are its work",
    "storage_memory": "everybody has its stores open",
}


def trace(server):
    """Return everything that modules can leave behind, with names for what differs."""
    gc.collect()
    buses = {"*": server.events, **{name: host.events for name, host in server.hosts.items()}}
    scopes = {"*": server, **server.hosts}
    registry = Registry.of(server)
    modules = {scope: server.modules.get_modules(scope) for scope in scopes}
    objects = gc.get_objects()
    return {
        "handlers": {scope: {name: [priority for priority, _ in chain]
                             for name, chain in bus.describe().items()}
                     for scope, bus in buses.items()},
        "wrappers": {scope: (bus.wrapped, {name: len(found) for name, found
                                           in bus._wrappers.items()})
                     for scope, bus in buses.items()},
        "modules": {scope: sorted(names) for scope, names in modules.items()},
        "items": {scope: Counter(key for module in found.values()
                                 for key, items in module.items.items() for _item in items)
                  for scope, found in modules.items()},
        "extras": {scope: sorted(host.extras) for scope, host in scopes.items()},
        "permissions": {scope: dict(host.extras.get("permissions", {}))
                        for scope, host in scopes.items()},
        "filter hooks": len(filters._session_hooks),
        "filters": {session.full_jid: {kind: len(chain) for kind, chain
                                       in (session.filters or {}).items()}
                    for session in server.full_sessions.values()},
        "session fields": {session.full_jid: sorted(
            name for name, value in session.__dict__.items() if value is not None)
                           for session in server.full_sessions.values()},
        "timers": sum(isinstance(found, Timer) and found._watcher is not None
                      for found in objects),
        "greenlets": sum(isinstance(found, gevent.Greenlet) and not found.dead
                         for found in objects),
        "watchers": gevent.get_hub().loop.activecnt,
        "shared": sorted(server.modules._shared),
        "ports": {address: port.service for address, port in server.ports.open.items()},
        "services": sorted(server.ports.services),
        "commands": sorted(repr(command) for command in registry.describe()),
        "files": len(os.listdir("/proc/self/fd")),
    }


def differences(before, after):
    """Return what differs in two traces: {key: (before, after)}, as deep as there are dicts."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return (before, after)
    return {key: differences(before.get(key), after.get(key))
            for key in {**before, **after} if before.get(key) != after.get(key)}


def settle(clients):
    """Let everything happen that is going to happen."""
    for client in clients:
        client.flush()
    gevent.sleep(0.01)


def talk(one, two):
    """Assert that two clients are there and reach each other and the server."""
    for sender, receiver in ((one, two), (two, one)):
        sender.send(f"<message to='{receiver.jid}' type='chat'><body>still there</body></message>")
        assert receiver.message(5).get_child_text("body") == "still there"
        assert sender.iq("get", "<ping xmlns='urn:xmpp:ping'/>",
                         to="localhost").attr["type"] == "result"


@pytest.fixture(scope="module", autouse=True)
def small_heap():
    """Let the garbage collector look only at what these tests make, which is much faster."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def running(start_server):
    return start_server(**OPTIONS)


@pytest.fixture
def clients(running):
    return [running.client(name, "r").available() for name in ("alice", "bob")]


def load(server, name):
    return server.modules.load("localhost", name)


def unload(server, name, wanted):
    """Unload a module, the server's part too, and what was loaded because it needs it."""
    where = "*" if server.modules.is_loaded("*", name) else "localhost"
    server.modules.unload(where, name)
    for scope, names in wanted.items():
        for other in reversed(list(server.modules.get_modules(scope))):
            if other not in names and server.modules.is_loaded(scope, other):
                server.modules.unload(scope, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_comes_and_goes_without_a_trace(running, clients, name):
    server = running.server
    talk(*clients)
    loaded = name in {*server.modules.get_modules("localhost"), *server.modules.get_modules("*")}
    keep = name in RELOAD_ONLY
    dependants = [other for other in server.modules.get_modules("localhost")
                  if name in server.modules.get_module("localhost", other).dependencies]
    if loaded and not keep:
        server.modules.unload("*" if server.modules.is_loaded("*", name) else "localhost", name)
    measures(server)  # these two are there from their first use on
    runtime_of(server)
    settle(clients)
    without = trace(server)
    if not keep:
        load(server, name)
        for other in dependants:
            load(server, other)
    settle(clients)
    present = trace(server)
    by_others = 0  # what earlier tests have left in this process may change the watchers, too
    for _ in range(3):
        where = "*" if server.modules.is_loaded("*", name) else "localhost"
        server.modules.reload(where, name)
        settle(clients)
        changed = differences(present, trace(server))
        if set(changed) == {"watchers"}:
            by_others, present["watchers"] = by_others + 1, changed["watchers"][1]
        else:
            assert changed == {}
    assert by_others < 3, "each reload leaves watchers behind"
    if not keep:
        unload(server, name, without["modules"])
        settle(clients)
        changed = differences(without, trace(server))
        assert set(changed) <= ({"watchers"} if by_others else set()), changed
    if loaded and not keep:
        for other in (name, *dependants):
            load(server, other)
    talk(*clients)
    assert sorted(server.full_sessions) == ["alice@localhost/r", "bob@localhost/r"]


@pytest.mark.parametrize("name", ["ping", "disco", "offline", "limits", "c2s"])
def test_no_instance_outlives_its_reload(running, clients, name):
    modules = running.server.modules
    if not modules.is_loaded("localhost", name):
        load(running.server, name)
    where = "*" if modules.is_loaded("*", name) else "localhost"
    old = []
    for _ in range(200):
        module = modules.get_module(where, name)
        old += [weakref.ref(module), weakref.ref(module.code.namespace)]
        if where == "*":
            old.append(weakref.ref(modules.get_module("localhost", name)))
        del module
        modules.reload(where, name)
    settle(clients)
    gc.collect()
    assert [found for found in old if found() is not None] == []
    talk(*clients)
