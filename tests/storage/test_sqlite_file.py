"""The SQLite file: what is refused, what a full disk does, how the layout is brought up to date."""

import os
import sqlite3
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.storage.schema import MIGRATIONS, migrate
from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.xmpp.stanza import Stanza

HERE = Path(__file__).parent


@pytest.fixture
def path(tmp_path):
    return tmp_path / "stores.sqlite"


def keyval(storage):
    return storage.open("localhost", "roster", "keyval")


def pragma(statement):
    """Return an operation that changes a setting of the writing connection."""
    def operation(database, calls):
        return [database.execute(f"PRAGMA {statement}").fetchone() for _ in calls]
    return operation


def test_data_survives_and_the_file_is_private(path):
    storage = SQLiteStorage(path)
    keyval(storage).set("juliet", {"a": 1})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    storage.close()
    storage = SQLiteStorage(str(path))
    assert keyval(storage).get("juliet") == {"a": 1}
    storage.close()


def test_a_full_disk_is_explained_and_loses_nothing(sqlite_storage, path, together):
    store = keyval(sqlite_storage)
    store.set("juliet", {"a": 1})
    engine = sqlite_storage.engine
    pages = engine.write(pragma("page_count"))[0]
    engine.write(pragma(f"max_page_count = {pages + 2}"))
    results = together(*[partial(store.set, f"user{n}", {"a": "x" * 50_000}) for n in range(5)])
    for error in results:
        assert isinstance(error, StorageError)
        assert str(path) in str(error)
        assert "disk is full" in str(error)
    assert list(store.users()) == ["juliet"]
    engine.write(pragma("max_page_count = 1000000"))
    store.set("romeo", {"a": "x" * 50_000})
    assert sorted(store.users()) == ["juliet", "romeo"]


def test_a_file_that_cannot_grow_keeps_what_was_acknowledged(path, script_environment):
    run = subprocess.run([sys.executable, HERE / "full_disk_writer.py", path], text=True,
                         capture_output=True, check=True, env=script_environment)
    *users, last = run.stdout.splitlines()
    assert last.startswith("StorageError internal-server-error") and str(path) in last
    storage = SQLiteStorage(path)
    assert set(users) <= set(keyval(storage).users())
    assert len(users) > 3
    storage.close()


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one" * 50])
def test_a_file_of_another_kind_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(StorageError, match="not an SQLite file"):
        SQLiteStorage(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_unchanged(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE prosody (host TEXT)")
    other.close()
    content = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        SQLiteStorage(path)
    assert path.read_bytes() == content


def test_a_newer_file_is_refused_unchanged(path):
    SQLiteStorage(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    content = path.read_bytes()
    with pytest.raises(StorageError, match="layout 99"):
        SQLiteStorage(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["missing/stores.sqlite", ".", "stores.sqlite/x"])
def test_a_path_that_cannot_be_opened_is_named(tmp_path, name):
    (tmp_path / "stores.sqlite").touch()
    with pytest.raises(StorageError, match=str(tmp_path)):
        SQLiteStorage(tmp_path / name)


def test_odd_characters_in_a_path_are_no_options(tmp_path):
    storage = SQLiteStorage(tmp_path / "a?mode=ro#%41 é.sqlite")
    storage.close()
    assert os.listdir(tmp_path) == ["a?mode=ro#%41 é.sqlite"]


def test_migrations_run_once_each_and_a_failing_one_leaves_no_trace(path):
    database = sqlite3.connect(path, isolation_level=None)
    migrate(database, str(path))
    broken = (*MIGRATIONS, "CREATE TABLE extra (a);\nINSERT INTO missing VALUES (1);\n")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            migrate(database, str(path), broken)
        assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    good = (*MIGRATIONS, "CREATE TABLE extra (a);\nINSERT INTO extra VALUES (1);\n")
    for _ in range(2):
        migrate(database, str(path), good)
        assert database.execute("SELECT * FROM extra").fetchall() == [(1,)]
    with pytest.raises(StorageError):
        migrate(database, str(path))
    database.close()


def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(path):
    database = sqlite3.connect(path, isolation_level=None)
    migrate(database, str(path), MIGRATIONS[:1])
    database.execute("INSERT INTO store VALUES (1, 'localhost', 'archive')")
    database.execute("INSERT INTO archive VALUES (1, 1, 1, 'juliet', 'old', 5000000, 'romeo', "
                     "'<message id=\"x\"/>')")
    database.close()
    storage = SQLiteStorage(path)
    archive = storage.open("localhost", "archive", "archive")
    archive.index_ids()
    archive.append("juliet", "new", Stanza("message", {"id": "x"}), 6, "romeo")
    assert [item[0] for item in archive.find("juliet")[0]] == ["old", "new"]
    assert [item[0] for item in archive.said("juliet", "romeo", "x")] == ["new"]
    storage.close()
