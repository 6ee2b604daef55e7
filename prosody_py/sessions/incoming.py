"""Working off what a client has sent, one element after the other.

Data and owner: the session has the parser of its stream, `in_hand`, the greenlet that works an
element off, while one does, and, once the client wants it (XEP-0198), the number of stanzas that
are *done*. The stream may go on over another connection meanwhile (lifecycle.update). Then what the
old one has brought and nobody has begun with is dropped: the client sends it again.
"""

from __future__ import annotations

from typing import Any

import gevent
from greenlet import getcurrent

from prosody_py.concurrency.turns import in_turns
from prosody_py.events import filters
from prosody_py.sessions.session import Session
from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.parser import StreamOpen
from prosody_py.xmpp.stanza import Stanza

STANZAS = frozenset(("message", "presence", "iq"))
_MANY = 16  # stanzas read at once, after which the others may have to have their turn in between
MASK = 0xFFFFFFFF  # XEP-0198 section 4: counters begin anew after 2^32 - 1


class IncomingSession(Session):
    """A session that gets bytes; `opened`, `close` and `peer_closed` are its subclass's."""

    closing = False
    filters = None
    in_hand: Any = None
    counting = False  # the number of stanzas done is kept in handled_stanza_count
    moving = False    # is about to go on over another connection: nothing more is begun

    def received(self, data: bytes) -> None:
        """Work off bytes of the peer."""
        known = self.server.process_stanza
        process = known if self.lang is None else self._with_language
        stream, conn, me = self.stream, self.conn, getcurrent()
        while stream is not None:
            events = stream.feed(data)
            for event in events if len(events) < _MANY else in_turns(events):
                if isinstance(event, Stanza):
                    counts = event.name in STANZAS and "xmlns" not in event.attr
                    self.in_hand = me
                    if self.filters is not None:
                        event = filters.run(self, "stanzas/in", event)
                    if event is not None:
                        process(self, event)
                    self.in_hand = None
                    if counts and self.counting:
                        self.handled_stanza_count = (self.handled_stanza_count + 1) & MASK
                elif isinstance(event, StreamOpen):
                    self.opened(event)
                    process = known if self.lang is None else self._with_language
                elif isinstance(event, StreamError):
                    self.close(event)
                else:
                    self.peer_closed()
                if conn.session is not self and conn.session is not None:
                    conn.session.received(b"")  # it has taken over the stream
                    return
                if self.closing or self.destroyed or self.moving or self.stream is not stream:
                    return
            if not events or not stream.kept:
                return
            data = b""

    def _with_language(self, _session, element: Stanza) -> None:
        """Work off an element that is in the stream's language unless it says another one."""
        attr = element.attr
        if "xmlns" not in attr and "xml:lang" not in attr:  # RFC 6120 section 8.1.5
            attr["xml:lang"] = self.lang
        self.server.process_stanza(self, element)

    def finish_work(self, seconds: float) -> bool:
        """Wait until the element in hand is done, and begin with no other one.

        Returns whether it is done; if not, the session goes on as before. The caller sets `moving`
        to false when the session has another connection, or keeps this one.
        """
        self.moving = True
        with gevent.Timeout(seconds, False):
            while self.in_hand is not None:
                gevent.sleep(0.005)
            self.finish()
            return True
        self.moving = False
        return False


def count_stanza(element: Stanza, session) -> Stanza:
    """Count a stanza that comes in: a filter for sessions of other classes."""
    if element.name in STANZAS and "xmlns" not in element.attr:
        session.handled_stanza_count = ((session.handled_stanza_count or 0) + 1) & MASK
    return element
