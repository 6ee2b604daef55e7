"""Messages by the ids that they were sent with: the column `said` of archives in SQLite.

It holds a number made of store, user, `with` and id, where an archive wants that (index_ids); the
index has only those. A number of 47 bits takes 6 bytes in the row and about 12 in the index,
whatever the ids look like; the few items that share one are told apart by their text.
"""

from __future__ import annotations

import sqlite3
from hashlib import blake2b

from prosody_py.storage.sqlite_text import to_bytes

_SAID = """SELECT CAST('[' || group_concat('[' || json_quote(key) || ',' || "when" || ','
|| json_quote(value) || ']') || ']' AS BLOB)
FROM (SELECT key, "when", value FROM archive INDEXED BY archive_said
WHERE said = ? AND store = ? AND user = ? AND "with" = ? ORDER BY id DESC LIMIT ?)"""


def said_number(store: int, user: str | bytes, with_: str, id: str) -> int:
    """Return the number by which a message is found that was sent with an id.

    Those of one conversation are near each other, so that few pages of the index are touched.
    """
    name = user if isinstance(user, bytes) else user.encode()
    conversation = blake2b(b"%d\0%b\0%b" % (store, name, to_bytes(with_)), digest_size=8).digest()
    said = blake2b(to_bytes(id), digest_size=8, key=conversation).digest()
    return int.from_bytes(conversation[:4]) >> 12 << 27 | int.from_bytes(said[:4]) >> 5


def read_said(database: sqlite3.Connection, calls: list[tuple]) -> list[bytes | None]:
    """Return [[key, when, text]], the newest first, for each (said, store, user, with, most)."""
    return [database.execute(_SAID, call).fetchone()[0] for call in calls]
