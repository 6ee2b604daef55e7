"""SQLite behind greenlets: threads, group commit, order, failures, cost."""

import os
import sqlite3
import threading
from functools import partial

import gevent
import pytest

from prosody_py.storage import sqlite_archive_adding as adding
from prosody_py.storage import sqlite_archive_sql as sql
from prosody_py.storage.archive_query import FIRST, LAST, Query
from prosody_py.storage.interface import StorageError
from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.storage.sqlite_rows import read_pages
from prosody_py.xmpp.stanza import Stanza


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stores.sqlite"


def keyval(storage):
    return storage.open("localhost", "roster", "keyval")


def test_writes_of_many_greenlets_share_few_commits(sqlite_storage, together):
    store = keyval(sqlite_storage)
    archive = sqlite_storage.open("localhost", "archive", "archive")
    before = sqlite_storage.engine.counters()
    together(*[partial(store.set, f"user{n}", {"n": n}) for n in range(200)],
             *[partial(archive.append, "juliet", None, Stanza("message"), n, "x")
               for n in range(200)])
    after = sqlite_storage.engine.counters()
    assert after["writes"] - before["writes"] == 400
    assert 1 <= after["commits"] - before["commits"] <= 8
    assert all(store.get(f"user{n}") == {"n": n} for n in range(200))
    assert archive.find("juliet", {"total": True})[1] == 200


def test_reads_of_many_greenlets_share_few_batches(path, together):
    storage = SQLiteStorage(path, cache_bytes=0)
    store = keyval(storage)
    before = storage.engine.counters()
    together(*[partial(store.get, f"user{n}") for n in range(200)])
    after = storage.engine.counters()
    assert after["reads"] - before["reads"] == 200
    assert after["read_batches"] - before["read_batches"] <= 8
    storage.close()


def test_a_heavy_scan_stops_neither_the_hub_nor_other_calls(sqlite_storage):
    store = keyval(sqlite_storage)
    events = []
    ticks = 0
    enough = threading.Event()

    def tick():
        nonlocal ticks
        while "scan" not in events:
            ticks += 1
            gevent.sleep(0)

    def busy(database, calls):
        """Keep SQLite busy until the others are done; the bound ends a test that fails."""
        for _ in range(200):
            database.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                "SELECT count(*) FROM n").fetchone()
            if enough.is_set():
                break
        return [None for _ in calls]

    def scan():
        sqlite_storage.engine.scan(busy)
        events.append("scan")

    def work():
        store.set("juliet", {"a": 1})
        assert store.get("romeo") is None
        while ticks <= 20 and "scan" not in events:
            gevent.sleep(0)
        events.append("work")
        enough.set()

    gevent.joinall([gevent.spawn(f) for f in (scan, tick, work)], raise_error=True)
    assert events == ["work", "scan"]
    assert ticks > 20


def test_a_greenlet_sees_its_own_writes_and_their_order(path, together):
    storage = SQLiteStorage(path, cache_bytes=0)
    plus = storage.open("localhost", "roster", "keyval+")

    def work(name):
        for n in range(30):
            plus.set(name, {"n": n, "old": n})
            plus.set_key(name, "n", -n)
            plus.set_key(name, "old", None)
            assert plus.get(name) == ({"n": -n})

    assert together(*[partial(work, f"user{n}") for n in range(10)]) == [None] * 10
    storage.close()


def test_concurrent_reads_never_see_an_older_state_than_was_seen_before(sqlite_storage, together):
    plus = sqlite_storage.open("localhost", "counter", "keyval+")
    acknowledged = {"a": 0, "b": 0}

    def write(user):
        for n in range(1, 60):
            if n % 3:
                plus.set(user, {"n": n, False: n})
            else:
                plus.set_keys(user, {"n": n, False: n})
            acknowledged[user] = n

    def read(user, get):
        last = 0
        while acknowledged[user] < 59:
            floor = acknowledged[user]
            n = get(user)
            assert n >= floor
            assert n >= last
            last = n
            gevent.sleep(0)

    plus.set("a", {"n": 0, False: 0})
    plus.set("b", {"n": 0, False: 0})
    readers = [partial(read, user, get) for user in "ab" for get in (
        lambda user: plus.get(user)["n"], lambda user: plus.get_key(user, "n"),
        lambda user: plus.get_key(user, False))]
    assert together(partial(write, "a"), partial(write, "b"), *readers) == [None] * 8


def test_one_bad_write_fails_alone(sqlite_storage, path, together):
    store = keyval(sqlite_storage)
    store.set("juliet", {"a": 1})
    with sqlite3.connect(path) as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON item WHEN new.user = 'bad' "
                      "BEGIN SELECT RAISE(ABORT, 'refused'); END")
    other.close()
    results = together(*[partial(store.set, "bad" if n == 7 else f"user{n}", {"n": n})
                         for n in range(20)])
    assert isinstance(results.pop(7), StorageError)
    assert results == [None] * 19
    assert sorted(store.users()) == sorted(
        ["juliet", *(f"user{n}" for n in range(20) if n != 7)])


def test_a_write_that_fails_half_way_leaves_no_half(sqlite_storage, together):
    store = keyval(sqlite_storage)

    def half(database, calls):
        database.execute("INSERT INTO item VALUES (?, 'half', 'a', '1')", (store._rows._store,))
        raise ValueError("half way")

    results = together(*[partial(store.set, f"user{n}", {"n": n}) for n in range(3)],
                       partial(sqlite_storage.engine.write, half),
                       *[partial(store.set, f"user{n}", {"n": n}) for n in range(3, 6)])
    assert isinstance(results.pop(3), StorageError)
    assert results == [None] * 6
    assert sorted(store.users()) == [f"user{n}" for n in range(6)]


def test_changes_of_one_user_by_many_greenlets_are_all_made(sqlite_storage, together):
    plus = sqlite_storage.open("localhost", "roster", "keyval+")
    together(*[partial(plus.set_key, "juliet", key, n) for n in range(40)
               for key in (f"key{n}", n)])
    expected = {n: n for n in range(40)} | {f"key{n}": n for n in range(40)}
    assert plus.get("juliet") == expected


def test_a_write_whose_caller_was_killed_leaves_the_cache_right(sqlite_storage, path):
    store = keyval(sqlite_storage)
    store.set("juliet", {"n": 1})
    writer = gevent.spawn(store.set, "juliet", {"n": 2})
    gevent.sleep(0)
    writer.kill()
    store.set("romeo", {})  # goes into a later transaction, so the killed one is over
    assert store.get("juliet") == {"n": 2}
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT value FROM item WHERE user = 'juliet'").fetchall() == [("2",)]
    other.close()


def test_close_finishes_what_was_begun(path):
    storage = SQLiteStorage(path)
    store = keyval(storage)
    writers = [gevent.spawn(store.set, f"user{n}", {"n": n}) for n in range(100)]
    gevent.sleep(0)
    storage.close()
    gevent.joinall(writers, raise_error=True)
    assert os.listdir(path.parent) == [path.name]
    again = SQLiteStorage(path)
    assert len(list(keyval(again).users())) == 100
    again.close()


def test_an_idle_storage_does_not_keep_the_loop_alive(sqlite_storage):
    keyval(sqlite_storage).set("juliet", {"a": 1})
    loop = gevent.get_hub().loop
    gevent.sleep(0.05)
    open_and_idle = loop.activecnt
    sqlite_storage.close()
    gevent.sleep(0.05)
    assert loop.activecnt == open_and_idle


def test_a_page_costs_the_same_anywhere_in_a_large_archive(sqlite_storage):
    archive = sqlite_storage.open("localhost", "archive", "archive")
    for user, items in (("few", 150), ("many", 20_000), ("same", 20_000)):
        sqlite_storage.engine.write(lambda database, calls, u=user, n=items: [
            None for call in calls for _ in adding.append_items(database, [
                (archive._store, u, f"{u}{i}", 5 if u == "same" else i, f"peer{i % 2}", "<a/>",
                 None) for i in range(n)])][:1])

    def steps(user, query, low, high):
        def operation(database, calls):
            taken = 0

            def progress():
                nonlocal taken
                taken += 1

            database.set_progress_handler(progress, 50)
            sql.read_next_pages(database, [(archive._store, user, query, low, high, 50)])
            database.set_progress_handler(None, 0)
            return [taken]
        return sqlite_storage.engine.lookup(operation)

    few = steps("few", Query(), FIRST, LAST)
    assert few > 5
    for user in ("many", "same"):
        middle, late = [archive._engine.lookup(
            lambda database, calls, k=key, u=user: [
                adding.position(database, archive._store, u, k)])
            for key in (f"{user}10000", f"{user}19000")]
        for query in (Query(), Query(with_="peer1"), Query(reverse=True), Query(start=1)):
            for low, high in ((FIRST, LAST), (FIRST, middle), (middle, LAST), (middle, late),
                              (FIRST, late)):
                assert steps(user, query, low, high) <= 1.5 * few


def test_a_user_with_much_data_costs_one_step_in_a_list_of_users(sqlite_storage):
    plus = sqlite_storage.open("localhost", "roster", "keyval+")
    for n in range(3):
        plus.set(f"user{n}", {str(i): i for i in range(3000)})

    def operation(database, calls):
        steps = []
        database.set_progress_handler(lambda: steps.append(1) and None, 50)
        page = read_pages(database, [("users", (plus._rows._store, "", 200))])[0]
        database.set_progress_handler(None, 0)
        return [(len(steps), page)]

    taken, page = sqlite_storage.engine.scan(operation)
    assert page.count(b"user") == 3
    assert taken <= 5


def test_not_all_stores_that_there_ever_were_are_held_in_memory(sqlite_storage, monkeypatch):
    monkeypatch.setattr("prosody_py.storage.sqlite.MAX_NUMBERS", 3)
    for name in ("a", "b", "c", "d", "e"):
        sqlite_storage.open("localhost", name).set("juliet", {"in": name})
    assert len(sqlite_storage._numbers) == 3
    assert [sqlite_storage.open("localhost", name).get("juliet")["in"] for name in "abcde"] == [
        "a", "b", "c", "d", "e"]
