"""XEP-0490: Message Displayed Synchronization. What one device has shown is shown on all.

The data is the PEP node "urn:xmpp:mds:displayed:0", for the account alone. A client may leave the
publishing to the server: it puts what it would publish into the message that tells the sender
(section 4.5).
"""

from __future__ import annotations

from prosody_py.api import StanzaError, hook
from prosody_py.pubsub.errors import PubsubError
from prosody_py.storage.interface import StorageError

DEPENDS = ("pep",)
XMLNS = "urn:xmpp:mds:displayed:0"
ASSIST = "urn:xmpp:mds:server-assist:0"
STANZA_ID = "urn:xmpp:sid:0"
CONFIG = {"persist_items": True, "max_items": "max", "send_last_published_item": "never",
          "access_model": "whitelist"}


def load(module):
    """Say what the node is like when it is made."""
    module.pep = module.depends("pep")
    module.add_item("pep-node", {"node": XMLNS, "config": CONFIG})


@hook("account-disco-info")
def info(module, event):
    """Say that the server helps."""
    event.reply.tag("feature", var=ASSIST).up()


@hook("pre-message/bare", priority=100)
@hook("pre-message/full", priority=100)
@hook("pre-message/host", priority=100)
def displayed(module, event):
    """Take what a device has shown out of a message, before anybody keeps it, and publish it."""
    message = event.stanza
    shown = message.get_child("displayed", XMLNS)
    if shown is None:
        return None
    message.remove_children("displayed", XMLNS)
    to, username = message.attr.get("to"), getattr(event.origin, "username", None)
    if to is None or username is None or shown.get_child("stanza-id", STANZA_ID) is None:
        raise StanzaError("bad-request", "What was displayed is a stanza-id of somebody's message")
    if not message.tags:  # whoever it is for would get nothing at all
        raise StanzaError("bad-request", "Without anything else, publish what was displayed")
    try:
        module.pep.get_pep_service(username).publish(
            XMLNS, event.origin.full_jid, to, shown, {**CONFIG, "_defaults_only": True})
    except (PubsubError, StorageError) as error:  # the message is worth more
        module.log("warn", "What %s has displayed was not published: %s", username, error)
    return None
