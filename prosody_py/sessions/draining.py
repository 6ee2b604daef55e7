"""Giving a client much at a time: no faster than it takes it.

What is queued for a connection is limited, and a peer over the limit counts as one that does not
read; so is what a client has not acknowledged (XEP-0198). Who sends much in one turn of the loop
gives no peer the time to read or to acknowledge; so it waits between the parts.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import gevent

PATIENCE = 10.0  # seconds in which a client has to take anything
_LOOK_EVERY = 0.01


def is_crowded(session: Any, acknowledged: bool = False) -> bool:
    """Whether half of what may wait for a session's client waits to be written.

    With `acknowledged` the same for what is written and not acknowledged.
    """
    conn = session.conn
    return (conn is not None and getattr(conn, "pending", 0) > conn.max_send_buffer // 2
            or acknowledged and _unacknowledged(session) > 0.5)


def let_drain(session: Any, acknowledged: bool = False) -> bool:
    """Wait until the client has taken what is queued for it, and acknowledged half of its limit.

    Returns whether it has; false for one that is gone, or takes nothing for a while. While a
    stanza of the client itself is handled no acknowledgement can come, so do not wait for it.
    """
    conn = session.conn
    if conn is None or not hasattr(conn, "pending"):  # of a module, or it may come back
        return not session.destroyed and session.keep is None
    conn.flush()
    left, since = _left(session, conn), monotonic()
    while session.conn is conn and not conn.closed:
        if not conn.pending and not (acknowledged and _unacknowledged(session) > 0.5):
            return True
        gevent.sleep(_LOOK_EVERY)
        now = _left(session, conn)
        if now < left:
            left, since = now, monotonic()
        elif monotonic() - since > PATIENCE:
            break
    return False


def is_out(session: Any) -> bool:
    """Whether all that was sent is with the system, or is kept until the client acknowledges it."""
    if session.keep is not None:
        return True
    conn = session.conn
    if conn is None or not hasattr(conn, "pending"):
        return not session.destroyed
    conn.flush()
    return not conn.closed


def _unacknowledged(session: Any) -> float:
    """Return how much is not acknowledged, as a part of what may be; 0 without XEP-0198."""
    queue = session.__dict__.get("outgoing_stanza_queue")
    if queue is None or not hasattr(queue, "octets"):
        return 0.0
    return max(len(queue.entries) / queue.size, queue.octets / queue.most_octets)


def _left(session: Any, conn: Any) -> float:
    return conn.pending / conn.max_send_buffer + _unacknowledged(session)
