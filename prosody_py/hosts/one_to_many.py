"""One stanza for many receivers: written as text once, only the `to` differs."""

from __future__ import annotations

from prosody_py.xmpp.ns import CLIENT
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr, serialize


class OneToMany:
    """A stanza (its own `to` does not matter) that is given to many sessions.

    A session that something looks into, with a filter or a `send` of its own, gets an element; the
    others get the finished text.
    """

    __slots__ = ("stanza", "_head", "_rest")

    def __init__(self, stanza: Stanza):
        if "to" in stanza.attr:
            stanza = stanza.shallow()
            del stanza.attr["to"]
        self.stanza = stanza
        self._head = f"<{stanza.name}".encode()
        self._rest: bytes | None = None

    def element(self, to: str | None) -> Stanza:
        """Return the stanza with an address, as an element whose top may be changed."""
        stanza = self.stanza
        copy = Stanza(stanza.name, dict(stanza.attr) if to is None else {**stanza.attr, "to": to})
        copy.children = list(stanza.children)
        return copy

    def text(self) -> tuple[bytes, bytes]:
        """Return what stands before and after the place of the `to`."""
        rest = self._rest
        if rest is None:
            text = serialize(self.stanza, CLIENT).encode("utf-8", "replace")
            rest = self._rest = text[len(self._head):]
        return self._head, rest

    def send(self, session, to: str | None, to_attribute: bytes | None = None) -> bool:
        """Queue the stanza for one session.

        Args:
            to: the receiver's address, None for a stanza without.
            to_attribute: the same as `b" to='..'"`, if it is at hand.
        """
        filters = session.filters
        if filters is not None and "stanzas/out" in filters or "send" in session.extras:
            return session.send(self.element(to))
        head, rest = self.text()
        if to_attribute is None:
            to_attribute = b"" if to is None else f" to='{escape_attr(to)}'".encode()
        return session.send(head + to_attribute + rest)
