"""Messages by the ids that they were sent with: the column `said` of archives in SQLite.

It holds a checksum of the id in 3 bytes, where an archive wants that (index_ids), and is the last
column of the index of conversations. So a message costs 5 bytes and no place in a further index,
which would be written in as many places as there are messages (24 bytes, and a third more time in
SQLite). Who looks for an id reads the entries of one conversation in that index, the newest
100,000 of them at most, about a microsecond each, and no message but those with the same
checksum.
"""

from __future__ import annotations

import sqlite3
from zlib import crc32

from prosody_py.storage.sqlite_text import to_bytes
from prosody_py.xmpp.writer import escape_attr

_MOST = 100_000  # entries that are looked at
_SAID = f"""SELECT CAST('[' || group_concat('[' || json_quote(key) || ',' || "when" || ','
|| json_quote(value) || ']') || ']' AS BLOB)
FROM (SELECT key, "when", value FROM archive WHERE id IN (
    SELECT id FROM (SELECT id, said FROM archive INDEXED BY archive_with
        WHERE store = ? AND user = ? AND "with" = ? ORDER BY "when" DESC, seq DESC LIMIT {_MOST})
    WHERE said = ?)
AND instr(value, ?) > 0 ORDER BY "when" DESC, seq DESC LIMIT ?)"""


def said_number(id: str) -> int:
    """Return the number of an id: 23 bits, so that it takes 3 bytes."""
    return crc32(to_bytes(id)) >> 9


def said_text(id: str) -> str:
    """Return what is in the text of a message with an id."""
    return f" id='{escape_attr(id)}'"


def read_said(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return [[key, when, text]], the newest first, for each (store, user, with, said, text, most).

    `text` is what the item's text must contain.
    """
    return [database.execute(_SAID, call).fetchone()[0] for call in calls]
