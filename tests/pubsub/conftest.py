"""Services on real stores, in memory and in SQLite, without a server around them."""

from __future__ import annotations

import pytest

from prosody_py.pubsub import agenda, digests, items, leases, publishing, subscribe_options
from prosody_py.pubsub.service import Service
from prosody_py.pubsub.setup import Setup
from prosody_py.storage.memory import MemoryStorage
from prosody_py.storage.sqlite import SQLiteStorage

HOST, OWNER = "pubsub.localhost", "owner@localhost"


class Nodes:
    """Nodes in a store, as the component has them; `fail` lets the next writes fail."""

    def __init__(self, storage):
        self.store = storage.open(HOST, "pubsub_nodes", "keyval")
        self.moved = storage.open(HOST, "pubsub_moved", "map")
        self.fail = None

    def all(self):
        return [(name, self.store.get(name)) for name in self.store.users()]

    def set(self, name, stored):
        if self.fail is not None:
            raise self.fail
        self.store.set(name, stored)

    def moved_to(self, name):
        return self.moved.get(None, name)

    def set_moved(self, name, uri, most=0):
        self.moved.set(None, name, uri)


class Told:
    """What a service has said: (kind, node, id, receivers) of notices, and messages by address."""

    def __init__(self):
        self.notices, self.messages = [], []

    def deliver(self, notice, receivers):
        id = notice.item.id if notice.item is not None else notice.id
        self.receivers = dict(receivers)
        self.notices.append((notice.kind, notice.node.name, id, sorted(receivers)))

    def tell(self, to, message):
        self.messages.append((to, message))


@pytest.fixture(params=["memory", "sqlite"])
def storage(request, tmp_path):
    storage = MemoryStorage() if request.param == "memory" else SQLiteStorage(tmp_path / "db")
    yield storage
    storage.close()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def make(storage, told):
    """Return a function that makes a service of OWNER on the storage; options are of Setup."""
    def make(**options):
        return Service(Setup(
            jid=HOST, node_store=Nodes(storage),
            open_items=lambda node: storage.open(HOST, "pubsub_" + node, "archive"),
            deliver=told.deliver, tell=told.tell, **{"get_affiliation": (
                lambda jid, node, action: "owner" if jid == OWNER else None), **options}))

    return make


@pytest.fixture
def service(make):
    return make()


class Clock:
    """A time that passes when a test says so, and timers on it."""

    def __init__(self):
        self.now, self.timers = 1_700_000_000.0, []

    def time(self):
        return self.now

    def add_timer(self, seconds, function, *args):
        timer = Timer(self, self.now + seconds, function, args)
        self.timers.append(timer)
        return timer

    def pass_(self, seconds):
        """Let time pass, and timers fire one after the other."""
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.when)
            timer.function(self.now, *timer.args)
        self.now = end


class Timer:
    def __init__(self, clock, when, function, args):
        self.clock, self.when, self.function, self.args = clock, when, function, args

    def stop(self):
        if self in self.clock.timers:
            self.clock.timers.remove(self)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (agenda, digests, leases, subscribe_options, publishing, items):
        monkeypatch.setattr(module, "time", clock)
    return clock
