"""The driver module of the SQLite file: when the file is opened, kept and closed."""

import gc
import os

import gevent
import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import wait_until


def is_open(folder):
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    return any(path.startswith(folder) and ".sqlite" in path for path in found)


@pytest.fixture
def running(start_server):
    return start_server(storage={"notes": "sqlite"}, default_storage="memory")


def test_the_file_is_opened_when_it_is_needed_and_kept_over_reloads(running):
    server = running.server
    assert not is_open(running.folder)
    store = server.storage.open("localhost", "notes", "keyval")
    store.set("juliet", {"a": 1})
    server.modules.reload("*", "storage_sqlite")
    assert store.get("juliet") == {"a": 1}
    assert server.storage.open("localhost", "notes", "keyval").get("juliet") == {"a": 1}


def test_unloading_closes_the_file_when_the_last_store_is_let_go_of(running):
    server = running.server
    store = server.storage.open("localhost", "notes", "keyval")
    server.modules.unload("*", "storage_sqlite")
    store.set("juliet", {"a": 1})
    assert store.get("juliet") == {"a": 1}
    del store
    gc.collect()
    wait_until(lambda: not is_open(running.folder))
    again = server.storage.open("localhost", "notes", "keyval")
    assert again.get("juliet") == {"a": 1}


def test_when_the_server_has_stopped_a_store_says_that_it_is_closed(running):
    store = running.server.storage.open("localhost", "notes", "keyval")
    running.stop()
    assert not is_open(running.folder)
    with pytest.raises(StorageError, match="closed"):
        store.get("juliet")
    gevent.sleep(0)
