"""The cache in front of SQLite: it saves reads, keeps its size, and is never behind."""

import sqlite3

import gevent
import pytest

from prosody_py.storage.sqlite import SQLiteStorage


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stores.sqlite"


def keyval(storage):
    return storage.open("localhost", "roster", "keyval")


def test_hot_values_are_read_from_the_file_once(sqlite_storage):
    plus = sqlite_storage.open("localhost", "accounts", "keyval+")
    plus.set("juliet", {"a": 1})
    for _ in range(2):
        plus.get("nobody")
        plus.get_key("nobody", "a")
    before = sqlite_storage.engine.counters()["reads"]
    for _ in range(10):
        assert plus.get("juliet") == {"a": 1}
        assert plus.get_key("juliet", "a") == 1
        assert plus.get("nobody") is None
        assert plus.get_key("nobody", False) is None
    assert sqlite_storage.engine.counters()["reads"] == before


def test_the_cache_keeps_within_its_bytes(path):
    storage = SQLiteStorage(path, durable=False, cache_bytes=20_000)
    store = keyval(storage)
    for n in range(100):
        store.set(f"user{n}", {"a": "x" * 400})
        assert 0 < storage._cache.size <= 20_000
    store.set("large", {"a": "x" * 15_000})
    assert store.get("large") == {"a": "x" * 15_000}
    assert all(store.get(f"user{n}") == {"a": "x" * 400} for n in range(100))
    storage.close()


def test_what_another_process_wrote_is_seen(sqlite_storage, path):
    store = keyval(sqlite_storage)
    store.set("juliet", {"a": 1})
    assert store.get("juliet") == {"a": 1}
    with sqlite3.connect(path) as other:
        other.execute("UPDATE item SET value = '2' WHERE user = 'juliet'")
    other.close()
    with gevent.Timeout(10):
        while store.get("juliet") != {"a": 2}:
            gevent.sleep(0.02)


def test_a_write_notices_what_another_process_wrote(sqlite_storage, path):
    store = keyval(sqlite_storage)
    store.set("juliet", {"a": 1})
    with sqlite3.connect(path) as other:
        other.execute("UPDATE item SET value = '2' WHERE user = 'juliet'")
    other.close()
    store.set("romeo", {"a": 1})
    assert store.get("juliet") == {"a": 2}
