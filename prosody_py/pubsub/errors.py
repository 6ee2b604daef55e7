"""The errors of XEP-0060: a stanza error, and beside it a condition of its own."""

from __future__ import annotations

from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.stanza import Stanza

XMLNS = "http://jabber.org/protocol/pubsub#errors"

# name: (type, condition, condition of XEP-0060)
_KNOWN: dict[str, tuple[str, str, str | None]] = {
    "forbidden": ("auth", "forbidden", None),
    "item-not-found": ("cancel", "item-not-found", None),
    "conflict": ("cancel", "conflict", None),
    "gone": ("modify", "gone", None),
    "not-acceptable": ("modify", "not-acceptable", None),
    "bad-request": ("modify", "bad-request", None),
    "nodeid-required": ("modify", "bad-request", "nodeid-required"),
    "invalid-jid": ("modify", "bad-request", "invalid-jid"),
    "jid-required": ("modify", "bad-request", "jid-required"),
    "invalid-options": ("modify", "bad-request", "invalid-options"),
    "subid-required": ("modify", "bad-request", "subid-required"),
    "invalid-subid": ("modify", "not-acceptable", "invalid-subid"),
    "no-such-tree": ("cancel", "not-allowed", "invalid-options"),
    "no-place": ("cancel", "forbidden", None),
    "too-many-children": ("cancel", "not-allowed", "max-nodes-exceeded"),
    "item-required": ("modify", "bad-request", "item-required"),
    "payload-required": ("modify", "bad-request", "payload-required"),
    "item-forbidden": ("modify", "bad-request", "item-forbidden"),
    "invalid-payload": ("modify", "bad-request", "invalid-payload"),
    "payload-too-big": ("modify", "not-acceptable", "payload-too-big"),
    "unsupported-access-model": ("modify", "not-acceptable", "unsupported-access-model"),
    "node-full": ("cancel", "conflict", "node-full"),
    "precondition-not-met": ("cancel", "conflict", "precondition-not-met"),
    "no-such-subscriber": ("cancel", "unexpected-request", "not-subscribed"),
    "not-subscribed": ("auth", "not-authorized", "not-subscribed"),
    "presence-subscription-required": ("auth", "not-authorized", "presence-subscription-required"),
    "not-in-roster-group": ("auth", "not-authorized", "not-in-roster-group"),
    "pending-subscription": ("auth", "not-authorized", "pending-subscription"),
    "closed-node": ("cancel", "not-allowed", "closed-node"),
    "too-many-subscriptions": ("wait", "policy-violation", "too-many-subscriptions"),
    "max-nodes-exceeded": ("wait", "policy-violation", "max-nodes-exceeded"),
    "max-items-exceeded": ("cancel", "not-allowed", "max-items-exceeded"),
    "unsupported": ("cancel", "feature-not-implemented", "unsupported"),
}


class PubsubError(StanzaError):
    """An error by its name: that of the condition of XEP-0060, or else of the stanza error.

    Args:
        name: see the table above; "no-such-subscriber" is <not-subscribed/> for who wants to
            change a subscription that there is not.
        text: a sentence for people.
        feature: what is "unsupported".
        uri: where a node is that is "gone".
    """

    def __init__(self, name: str, text: str | None = None, *, feature: str | None = None,
                 uri: str | None = None):
        type, condition, own = _KNOWN[name]
        extra = None
        if own is not None:
            extra = Stanza(own, {"xmlns": XMLNS})
            if feature is not None:
                extra.attr["feature"] = feature
        super().__init__(condition, text, type=type, extra=extra)
        self.name = name
        self.feature = feature
        self.uri = uri
