"""What is counted for each user, over several stores, and how much it may be."""

import sqlite3

import pytest

from prosody_py.storage import schema
from prosody_py.storage.interface import CountedTooMuch
from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"


@pytest.fixture
def opened(storage):
    """Return a function that opens a store with a limit of 2000 bytes."""
    return lambda name, kind="map": storage.open_counted(HOST, name, kind, "account", lambda: 2000)


def item(size):
    return Stanza("x").text("y" * size)


def test_stores_of_a_counter_are_counted_together_for_each_user(opened):
    private, archive = opened("private"), opened("pep_a", "archive")
    private.set("juliet", "a", "x" * 300)
    assert 300 < private.counted("juliet") < 500
    archive.append("juliet", "1", item(500), 1, "")
    assert 800 < private.counted("juliet") == archive.counted("juliet") < 1200
    assert private.counted("romeo") == private.counted(None) == 0


@pytest.mark.parametrize("kind", ["map", "keyval", "keyval+", "archive"])
def test_what_would_be_too_much_is_not_written(opened, kind):
    opened("private").set("juliet", "a", "x" * 1500)
    store = opened("other", kind)
    write = {"map": lambda: store.set("juliet", "b", "x" * 500),
             "keyval": lambda: store.set("juliet", {"b": "x" * 500}),
             "keyval+": lambda: store.set_key("juliet", "b", "x" * 500),
             "archive": lambda: store.append("juliet", "b", item(500), 1, "")}[kind]
    before = store.counted("juliet")
    for _ in range(2):
        with pytest.raises(CountedTooMuch):
            write()
    assert store.counted("juliet") == before
    if kind == "archive":
        assert store.get("juliet", "b") is None
    else:
        assert opened("other").get("juliet", "b") is None
    opened("private").set("juliet", "a", None)
    write()  # now there is room
    assert 500 < store.counted("juliet") < 800


def test_the_neighbours_of_a_refused_write_in_one_transaction_are_written(opened, together):
    store = opened("private")
    results = together(*[lambda user=user, size=size: store.set(user, "a", "x" * size)
                         for user, size in [("a", 10), ("b", 5000), ("c", 10), ("d", 5000)]])
    assert [type(result) for result in results] == [
        type(None), CountedTooMuch, type(None), CountedTooMuch]
    assert [bool(store.get(user, "a")) for user in "abcd"] == [True, False, True, False]


def test_replacing_deleting_and_setting_count_what_is_there_after(opened):
    private, archive = opened("private"), opened("pep_a", "archive")
    for size in (10, 600, 200):
        private.set("juliet", "a", "x" * size)
        archive.append("juliet", "1", item(size), 1, "")
    both = private.counted("juliet")
    assert 600 < both < 900
    archive.set("juliet", "1", item(300))
    assert private.counted("juliet") == both + 100
    with pytest.raises(CountedTooMuch):
        archive.set("juliet", "1", item(3000))
    archive.append("juliet", "2", item(10), 2, "")
    archive.delete("juliet", {"truncate": 1})
    archive.delete("juliet")
    private.set_keys("juliet", {"a": private.remove})
    assert private.counted("juliet") == 0


def test_several_items_are_written_at_once_or_not_at_all(opened):
    archive = opened("pep_a", "archive")
    archive.append_all("juliet", [(str(number), item(300), 1, "") for number in range(3)])
    before = archive.counted("juliet")
    assert 1000 < before < 1500
    with pytest.raises(CountedTooMuch):
        archive.append_all("juliet", [("3", item(100), 2, ""), ("4", item(900), 2, "")])
    assert archive.counted("juliet") == before and archive.get("juliet", "3") is None


def test_who_has_too_much_may_have_less(storage):
    limit = [5000]
    store = storage.open_counted(HOST, "private", "map", "account", lambda: limit[0])
    store.set("juliet", "a", "x" * 3000)
    limit[0] = 1000
    store.set("juliet", "a", "x" * 2000)
    with pytest.raises(CountedTooMuch):
        store.set("juliet", "b", "x")
    limit[0] = None
    store.set("juliet", "b", "x" * 9000)


def test_counters_and_hosts_are_counted_apart(storage):
    one, other, elsewhere = [storage.open_counted(host, name, "map", counter, lambda: 1000)
                             for host, name, counter in [
            (HOST, "a", "account"), (HOST, "b", "offline"), ("example.net", "a", "account")]]
    for store in (one, other, elsewhere):
        store.set("juliet", "a", "x" * 700)


def test_data_of_before_is_counted_when_a_store_is_first_counted(storage):
    plain = storage.open(HOST, "private", "map")
    plain.set("juliet", "a", "x" * 700)
    archive = storage.open(HOST, "pep_a", "archive")
    archive.append("juliet", "1", item(300), 1, "")
    for _ in range(2):  # but once
        store = storage.open_counted(HOST, "private", "map", "account", lambda: 3000)
        storage.open_counted(HOST, "pep_a", "archive", "account", lambda: 3000)
        assert 1000 < store.counted("juliet") < 1400
    plain.set("juliet", "a", None)  # also by who does not count
    assert 300 < store.counted("juliet") < 600
    storage.purge(HOST, "juliet")
    assert store.counted("juliet") == 0


# -- the list of stores in SQLite --------------------------------------------------------------


def listed(path):
    with sqlite3.connect(path) as database:
        return [name for (name,) in database.execute("SELECT name FROM store ORDER BY name")]


def counted(storage, name, limit=10_000):
    return storage.open_counted(HOST, name, "archive", "account", lambda: limit, True)


def test_names_that_users_make_up_leave_nothing(tmp_path):
    path = tmp_path / "stores.sqlite"
    storage = SQLiteStorage(path)
    for number in range(20):
        store = counted(storage, f"pep_{number}")
        assert store.get("juliet", "1") is None
        store.append("juliet", "1", item(10), 1, "")
        assert storage.stores(HOST) == [f"pep_{number}"]
        store.delete("juliet")
        store.delete("juliet")
        with pytest.raises(CountedTooMuch):
            store.append("juliet", "1", item(20_000), 1, "")
        assert listed(path) == []
    storage.close()


def test_an_archive_is_there_again_for_all_who_have_it_open(tmp_path):
    path = tmp_path / "stores.sqlite"
    storage = SQLiteStorage(path)
    one, other = counted(storage, "pep_a"), counted(storage, "pep_a")
    one.append("juliet", "1", item(10), 1, "")
    plain = storage.open(HOST, "pep_a", "archive")
    one.append("romeo", "1", item(10), 1, "")
    storage.purge(HOST, "juliet")
    assert listed(path) == ["pep_a"]
    one.delete("romeo")
    assert listed(path) == []
    other.append("juliet", "2", item(10), 1, "")
    assert one.get("juliet", "2") and plain.get("juliet", "2")
    other.delete("juliet")
    plain.append("juliet", "3", item(10), 1, "")
    storage.close()
    storage = SQLiteStorage(path)
    assert storage.stores(HOST, "juliet") == ["pep_a"]
    assert counted(storage, "pep_a").get("juliet", "3")
    assert storage.open(HOST, "pep_a", "archive").get("juliet", "3")
    storage.close()


def test_a_file_of_the_first_layout_is_read_and_counted(tmp_path, monkeypatch):
    path = tmp_path / "stores.sqlite"
    with sqlite3.connect(path, isolation_level=None) as database:
        schema.migrate(database, str(path), schema.MIGRATIONS[:1])
        database.execute("INSERT INTO store VALUES (7, ?, 'pep_a')", (HOST,))
        database.execute("INSERT INTO archive VALUES (1, 1, 7, 'juliet', 'i', 5, '', ?)",
                         (str(item(100)),))
        database.execute("INSERT INTO store VALUES (8, ?, 'private')", (HOST,))
        database.execute("INSERT INTO item VALUES (8, 'juliet', 'a', '\"value\"')")
    database.close()
    storage = SQLiteStorage(path)
    archive = counted(storage, "pep_a")
    assert archive.get("juliet", "i")[0].get_text() == "y" * 100
    private = storage.open_counted(HOST, "private", "map", "account", lambda: 1000)
    assert private.get("juliet", "a") == "value"
    assert 300 < private.counted("juliet") < 400
    archive.append("juliet", "i", item(200), 6, "")
    assert archive.find("juliet", {"total": True})[1] == 1
    assert 400 < private.counted("juliet") < 500
    archive.delete("juliet")
    private.set("juliet", "a", None)
    assert private.counted("juliet") == 0
    storage.close()
