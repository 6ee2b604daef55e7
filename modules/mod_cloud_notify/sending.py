"""Notifications on their way: one at a time for a registration, a bounded number in all.

While the push service has not answered, what else happens for the same registration becomes one
more notification, with the newest summary. So a flood of messages does not become a flood of
notifications, and a service that is slow gets fewer of them.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict

import gevent

from prosody_py.api import Event, StanzaError, jid, stanza
from prosody_py.xmpp.preserialize import deserialize

PUBSUB = "http://jabber.org/protocol/pubsub"
AT_ONCE = 200        # notifications that may be on their way at a time
MAX_WAITING = 20000  # further ones that may wait for that; the oldest are dropped
TIMEOUT = 60         # seconds for an answer
# What says that there will never be a notification here again.
GONE = frozenset(("item-not-found", "gone", "forbidden", "not-allowed", "not-authorized",
                  "jid-malformed", "feature-not-implemented"))


class Sender:
    """Sends the notifications of one host."""

    def __init__(self, module, registrations):
        self.module, self.registrations = module, registrations
        self.waiting: OrderedDict[tuple[str, str], tuple] = OrderedDict()
        self.active: set[tuple[str, str]] = set()

    def notify(self, username: str, identifier: str, info: dict, content: tuple) -> None:
        """Send a notification to one registration, now or soon; never waits.

        `content` is what `build` takes besides.
        """
        who = (username, identifier)
        self.waiting[who] = (info, content)
        self.waiting.move_to_end(who)
        if len(self.waiting) > MAX_WAITING:
            (dropped, _), _content = self.waiting.popitem(last=False)
            self.module.log("warn", "Too many notifications wait; one for %s is dropped", dropped)
        self.start(who)

    def start(self, who: tuple[str, str]) -> None:
        """Let a greenlet work for a registration unless one does."""
        if who not in self.active and len(self.active) < AT_ONCE and self.module.loaded:
            self.active.add(who)
            gevent.spawn(self.work, who)

    def work(self, who: tuple[str, str]) -> None:
        """Send what waits for a registration until nothing does."""
        try:
            while who in self.waiting and self.module.loaded:
                info, content = self.waiting.pop(who)
                self.send(*who, info, content)
        finally:
            self.active.discard(who)
            for other in self.waiting:
                if other not in self.active:
                    self.start(other)
                    break

    def send(self, username: str, identifier: str, info: dict, content: tuple) -> None:
        """Send one notification, and draw conclusions from the answer."""
        iq = self.build(username, info, *content)
        if iq is None:
            return
        try:
            self.module.send_iq(iq, timeout=TIMEOUT)
        except StanzaError as error:
            if not self.module.loaded:
                return
            self.registrations.failed(username, identifier, error,
                                      error.condition in GONE)
        else:
            self.registrations.succeeded(username, identifier)

    def build(self, username: str, info: dict, payload, element, summary, important: bool):
        """Return the iq of a notification, None if another module does not want it."""
        payload = payload.clone()
        iq = stanza.iq({"type": "set", "id": "push-" + secrets.token_urlsafe(9),
                        "from": self.module.host, "to": info["jid"]})
        iq.tag("pubsub", xmlns=PUBSUB).tag("publish", node=info.get("node") or None)
        iq.tag("item").add_child(payload).up().up()
        options = deserialize(info.get("options"))
        if options is not None:
            options.attr["type"] = "submit"
            iq.tag("publish-options").add_child(options).up()
        iq.reset()
        event = Event(notification_stanza=iq, notification_payload=payload,
                      original_stanza=element, username=username, push_info=info,
                      push_summary=summary, important=important)
        return None if self.module.fire_event("cloud_notify/push", event) else iq


def is_service(session_jid: str | None, service: str) -> bool:
    """Whether a stanza is from a push service."""
    return session_jid == service or jid.bare(session_jid) == service
