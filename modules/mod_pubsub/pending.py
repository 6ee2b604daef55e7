"""The command that asks owners again about subscriptions that wait (XEP-0060 section 8.7)."""

from __future__ import annotations

import secrets

from prosody_py.api import StanzaError, dataforms, stanza
from prosody_py.pubsub.access import bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import GET_PENDING, SUBSCRIBE_AUTHORIZATION
from prosody_py.xmpp.dataforms import Form

COMMANDS = "http://jabber.org/protocol/commands"


def answer_command(module, event) -> bool | None:
    """Answer the command, None for another one."""
    command = event.stanza.tags[0]
    if command.attr.get("node") != GET_PENDING:
        return None
    service, asking = module.service, event.stanza.attr["from"]
    session = command.attr.get("sessionid") or "pubsub-get-pending:" + secrets.token_urlsafe(9)
    result = stanza.stanza("command", xmlns=COMMANDS, node=GET_PENDING, sessionid=session)
    x = dataforms.submitted(command)
    if command.attr.get("action") == "cancel":
        result.attr["status"] = "canceled"
    elif x is None:
        nodes = [node for node in service.nodes.values() if service.may(node, asking, "manage")]
        if not nodes:
            raise StanzaError("forbidden", type="cancel")
        result.attr["status"] = "executing"
        result.add_child(Form([
            {"name": "FORM_TYPE", "type": "hidden", "value": SUBSCRIBE_AUTHORIZATION},
            {"name": "pubsub#node", "type": "list-single", "label": "Node ID",
             "options": [node.name for node in nodes if node.pending]},
        ]).element())
    else:
        field = x.get_child_with_attr("field", None, "var", "pubsub#node")
        name = field.get_child_text("value") if field is not None else None
        if not name:
            raise PubsubError("nodeid-required")
        node = service.node(name)
        service.require(node, asking, "manage")
        result.attr["status"] = "completed"
        for waiting in list(node.pending):
            service.ask(bare(asking), node, waiting)
    event.origin.send(stanza.reply(event.stanza).add_child(result))
    return True


