"""One request of XEP-0060 and what its parts say."""

from __future__ import annotations

from dataclasses import dataclass

from prosody_py.pubsub.errors import PubsubError
from prosody_py.xmpp import jid as addresses
from prosody_py.xmpp.dataforms import XMLNS as DATA_FORMS
from prosody_py.xmpp.stanza import Stanza


@dataclass(frozen=True, slots=True)
class Request:
    """A request: who asks, the iq, its <pubsub/>, and the element that says what is wanted."""

    actor: str
    iq: Stanza
    pubsub: Stanza
    action: Stanza

    @property
    def node(self) -> str:
        """The node's name; raises PubsubError "nodeid-required"."""
        name = self.action.attr.get("node")
        if not name:
            raise PubsubError("nodeid-required")
        return name

    def jid(self) -> str:
        """Return the address in `jid`; raises PubsubError."""
        text = self.action.attr.get("jid")
        if not text:
            raise PubsubError("jid-required")
        address = addresses.prep(text)
        if address is None:
            raise PubsubError("invalid-jid", "This is no address")
        return address


def form_in(element: Stanza | None) -> Stanza | None:
    """Return the data form inside of an element, None when there is none."""
    return None if element is None else element.get_child("x", DATA_FORMS)
