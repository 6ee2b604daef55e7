"""XEP-0292: vCard4 by the older requests of its own; the data is the PEP node "urn:xmpp:vcard4"."""

from __future__ import annotations

from prosody_py.api import StanzaError, hook, iq, jid
from prosody_py.pubsub.errors import PubsubError
from prosody_py.xmpp.vcard import VCARD4

DEPENDS = ("pep",)
NODE = "urn:xmpp:vcard4"
OPTIONS = {"access_model": "open", "_defaults_only": True}


def load(module):
    """Look for PEP."""
    module.pep = module.depends("pep")


def account_of(event) -> str:
    """Return the user name of the account that a request is for."""
    to = event.stanza.attr.get("to")
    return event.origin.username if to is None else jid.node(to)


@iq("get", VCARD4, "vcard", to="bare")
def get(module, event):
    """Return an account's vCard to those who may see the node."""
    item = module.pep.services.look(account_of(event)).get_last_item(
        NODE, event.stanza.attr["from"])
    if item is None or item.payload is None:
        raise PubsubError("item-not-found", "There is no vCard")
    return item.payload


@iq("set", VCARD4, "vcard", to="bare")
def set(module, event):
    """Publish the sender's own vCard."""
    if not event.to_self:
        raise StanzaError("forbidden")
    module.pep.get_pep_service(event.origin.username).publish(
        NODE, event.origin.full_jid, "current", event.stanza.tags[0], OPTIONS)


@hook("account-disco-info")
def info(module, event):
    """Say that accounts have vCards."""
    event.reply.tag("feature", var=VCARD4).up()
