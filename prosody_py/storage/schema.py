"""The tables of the SQLite file, and the steps that bring an older file up to date.

`PRAGMA user_version` counts the steps a file has been through. A step never changes once it has
been released; a new layout is a new step at the end.
"""

from __future__ import annotations

import sqlite3

from prosody_py.storage.interface import StorageError

#: "pypr": marks the file as ours for file(1), and other SQLite files as not ours.
APPLICATION_ID = 0x70797072

# item: one row for each key of a keyval store (see values.py). Most rows are small, so the
#   table is its own index.
# archive: seq breaks ties of equal `when`. It repeats id because SQLite can seek to a pair of
#   columns in an index, but not to a column and the rowid.
# archive_size: how many items a user has, so that a quota and a plain total cost no counting.
_FIRST = """
CREATE TABLE store (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (host, name));
CREATE TABLE item (
    store INTEGER NOT NULL, user NOT NULL, key NOT NULL, value NOT NULL,
    PRIMARY KEY (store, user, key)) WITHOUT ROWID;
CREATE TABLE archive (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, store INTEGER NOT NULL, user NOT NULL,
    key TEXT NOT NULL, "when" INTEGER NOT NULL, "with" TEXT NOT NULL, value TEXT NOT NULL);
CREATE UNIQUE INDEX archive_key ON archive (store, user, key);
CREATE INDEX archive_when ON archive (store, user, "when", seq);
CREATE INDEX archive_with ON archive (store, user, "with", "when", seq);
CREATE TABLE archive_size (
    store INTEGER NOT NULL, user NOT NULL, items INTEGER NOT NULL,
    PRIMARY KEY (store, user)) WITHOUT ROWID;
CREATE TRIGGER archive_added AFTER INSERT ON archive BEGIN
    INSERT INTO archive_size VALUES (new.store, new.user, 1)
        ON CONFLICT DO UPDATE SET items = items + 1;
END;
CREATE TRIGGER archive_removed AFTER DELETE ON archive BEGIN
    UPDATE archive_size SET items = items - 1 WHERE store = old.store AND user = old.user;
    DELETE FROM archive_size WHERE store = old.store AND user = old.user AND items = 0;
END;
"""

# archive.said: see sqlite_said.py.
_SAID = """
ALTER TABLE archive ADD COLUMN said INTEGER;
DROP INDEX archive_with;
CREATE INDEX archive_with ON archive (store, user, "with", "when", seq, said);
"""

# counter: what stores are counted together (see sqlite_counted.py); counted: how many bytes each
#   user has in the stores of a counter. A row costs about ROW bytes beside its key and value.
# A store with a large number is one whose number follows from its name: it is listed while it has
#   items, so that names which users have made up leave nothing.
_ROW = 100
LARGE = 2 ** 32
_BYTES = f"({_ROW} + length(CAST({{0}}.key AS BLOB)) + length(CAST({{0}}.value AS BLOB)))"
_NEW, _OLD = _BYTES.format("new"), _BYTES.format("old")
_ADD = f"""INSERT INTO counted SELECT counter, new.user, {_NEW} FROM store WHERE id = new.store
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;"""
_CHANGE = f"""UPDATE counted SET bytes = bytes + {_NEW} - {_OLD} WHERE user = new.user
        AND counter = (SELECT counter FROM store WHERE id = new.store);"""
_REMOVE = f"""UPDATE counted SET bytes = bytes - {_OLD} WHERE user = old.user
        AND counter = (SELECT counter FROM store WHERE id = old.store);
    DELETE FROM counted WHERE user = old.user AND bytes <= 0
        AND counter = (SELECT counter FROM store WHERE id = old.store);"""
_IF_COUNTED = "WHEN (SELECT counter FROM store WHERE id = {}.store) NOT NULL"
_COUNT = "".join(f"""
CREATE TRIGGER {table}_counted AFTER INSERT ON {table} {_IF_COUNTED.format("new")} BEGIN
    {_ADD}
END;
CREATE TRIGGER {table}_recounted AFTER UPDATE OF value ON {table} {_IF_COUNTED.format("new")} BEGIN
    {_CHANGE}
END;""" for table in ("item", "archive"))
_COUNTED = f"""
CREATE TABLE counter (
    id INTEGER PRIMARY KEY, host TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (host, name));
CREATE TABLE counted (
    counter INTEGER NOT NULL, user NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (counter, user)) WITHOUT ROWID;
ALTER TABLE store ADD COLUMN counter INTEGER;
{_COUNT}
CREATE TRIGGER item_uncounted AFTER DELETE ON item {_IF_COUNTED.format("old")} BEGIN
    {_REMOVE}
END;
CREATE TRIGGER archive_uncounted AFTER DELETE ON archive {_IF_COUNTED.format("old")} BEGIN
    {_REMOVE}
    DELETE FROM store WHERE id = old.store AND id > {LARGE}
        AND NOT EXISTS (SELECT 1 FROM archive WHERE store = old.store)
        AND NOT EXISTS (SELECT 1 FROM item WHERE store = old.store);
END;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SAID, _COUNTED)


def migrate(database: sqlite3.Connection, path: str,
            migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the file to the newest layout, each step in a transaction of its own.

    Raises: StorageError: the file is newer than this program, or belongs to another one.
    """
    while True:
        database.execute("BEGIN IMMEDIATE")
        try:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            _check_owner(database, path, version)
            if version > len(migrations):
                raise StorageError("internal-server-error", (
                    f"{path} has layout {version}, but this version of the server knows only up "
                    f"to {len(migrations)}. Install the version that wrote the file, or a newer "
                    "one; the file was not changed."))
            if version == len(migrations):
                database.execute("ROLLBACK")
                return
            for statement in _statements(migrations[version]):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {version + 1}")
            database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise


def _check_owner(database: sqlite3.Connection, path: str, version: int) -> None:
    owner = database.execute("PRAGMA application_id").fetchone()[0]
    if owner == APPLICATION_ID:
        return
    tables = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if owner or version or tables:
        raise StorageError("internal-server-error", (
            f"{path} is an SQLite file of another program. Name another path, or import its "
            "data; the file was not changed."))


def _statements(script: str) -> list[str]:
    """Split a script; `executescript` would commit before it begins."""
    statements, part = [], ""
    for line in script.splitlines():
        part += line + "\n"
        if sqlite3.complete_statement(part):
            statements.append(part)
            part = ""
    return statements
