"""Giving a client much at a time: no faster than it takes it.

What is queued for a connection is limited, and a peer over the limit counts as one that does not
read. Who writes much in one turn of the loop gives no peer the time to read; so it waits between
the parts.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import gevent

PATIENCE = 10.0  # seconds in which a client has to take anything
_LOOK_EVERY = 0.01


def is_crowded(session: Any) -> bool:
    """Whether half of what may be queued for a session's connection is."""
    conn = session.conn
    return conn is not None and getattr(conn, "pending", 0) > conn.max_send_buffer // 2


def let_drain(session: Any, most: int | None = None) -> bool:
    """Wait until at most `most` bytes are queued for a session, by default half of the limit.

    Returns whether that came true, or what was sent is kept for the client in another way
    (XEP-0198); false for a connection that has ended, or takes nothing for a while.
    """
    conn = session.conn
    if conn is None or not hasattr(conn, "pending"):  # of a module, or resumable
        return not session.destroyed
    most = conn.max_send_buffer // 2 if most is None else most
    conn.flush()
    pending, since = conn.pending, monotonic()
    while not conn.closed and conn.pending > most:
        gevent.sleep(_LOOK_EVERY)
        if conn.pending < pending:
            pending, since = conn.pending, monotonic()
        elif monotonic() - since > PATIENCE:
            return session.keep is not None
    return not conn.closed or session.keep is not None
