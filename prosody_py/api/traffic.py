"""The part of the module API that sends stanzas."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from prosody_py.api.registrations import Undo
from prosody_py.events.bus import Event
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.jid import prepped_split

_IQ_TIMEOUT = 120
_IQS_IN_FLIGHT = 256


class Traffic:
    """`module.send`, `send_iq`, `broadcast`; mixed into Module."""

    def send(self, stanza, origin: Any = None) -> None:
        """Deliver a stanza as one that this server has made; no pre- events are fired.

        `origin` gets the errors: by default the module's host, for a global module the host that
        the stanza is from. Raises ValueError when there is none.
        """
        hosts = self.server.hosts
        if origin is None:
            origin = hosts.get(self.host) or hosts.get(
                prepped_split(stanza.attr.get("from") or "")[1])
            if origin is None:
                raise ValueError("A global module sends from an address of one of our hosts, or "
                                 "with an origin")
        self.server.post_stanza(origin, stanza)

    def broadcast(self, jids: Iterable[str], stanza) -> None:
        """Deliver one stanza to many addresses."""
        for jid in jids:
            copy = stanza.shallow()
            copy.attr["to"] = jid
            self.send(copy)

    def send_iq(self, stanza, origin: Any = None, timeout: float | None = None) -> Event:
        """Send an iq and wait for its answer; returns the event with `origin` and `stanza`.

        Raises StanzaError when the answer is an error, or does not come in `timeout` seconds or
        before the module is unloaded.
        """
        attr = stanza.attr
        waiting = self.pending_iqs
        if len(waiting) >= _IQS_IN_FLIGHT:
            raise StanzaError("resource-constraint", "Too many requests wait for an answer")
        attr.setdefault("id", secrets.token_urlsafe(9))
        if not attr.get("from"):
            attr["from"] = self.host
        node, _host, resource = prepped_split(attr["from"])
        kind = "host" if not node else "full" if resource else "bare"
        key = (kind, attr["id"])
        if key in waiting:
            raise StanzaError("conflict", "An iq with this id waits for its answer already")
        result = waiting[key] = AsyncResult()

        asked, sender, id = attr.get("to"), attr["from"], attr["id"]

        def answered(event):
            answer = event.stanza.attr
            if answer.get("from") != asked or kind == "full" and (
                    answer["to"] != sender or answer.get("id") != id
                    or answer.get("type") not in ("result", "error")):
                return None
            result.set(event)
            return True

        # mod_iq makes no events of what comes for a resource, so that is caught before it.
        names = ["iq/full"] if kind == "full" else [
            f"iq-{outcome}/{kind}/{id}" for outcome in ("result", "error")]
        for name in names:
            self.hook(name, answered, 1000)
        gone = self.registrations.add(Undo(lambda: None, lambda: result.set_exception(
            StanzaError("remote-server-timeout", "The module was unloaded before the answer"))))
        try:
            if not result.ready():  # the module is gone already
                self.send(stanza, origin)
            try:
                event = result.get(timeout=timeout or _IQ_TIMEOUT)
            except Timeout:
                raise StanzaError("remote-server-timeout", "No answer to the iq") from None
        finally:
            self.registrations.forget(gone)
            del waiting[key]
            for name in names:
                self.unhook(name, answered)
        if event.stanza.attr.get("type") == "error":
            type, condition, text, extra = event.stanza.get_error()
            raise StanzaError(condition, text, type=type, extra=extra)
        return event

    def answer_iq(self, answer) -> None:
        """Take an answer for `send_iq` that was sent to the origin and not through the router."""
        for kind in ("host", "bare", "full"):
            result = self.pending_iqs.get((kind, answer.attr.get("id")))
            if result is not None and not result.ready():
                result.set(Event(origin=None, stanza=answer))
