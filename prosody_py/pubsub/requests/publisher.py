"""What publishers ask for (XEP-0060 section 7)."""

from __future__ import annotations

import uuid
from typing import Any

from prosody_py.pubsub import node_config
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import PUBLISH_OPTIONS
from prosody_py.pubsub.requests.request import Request, form_in
from prosody_py.pubsub.service import Service
from prosody_py.xmpp.stanza import Stanza

TRUE = ("1", "true")


def publish(service: Service, request: Request) -> Stanza:
    """Publish an item (section 7.1); several at once are refused."""
    items = list(request.action.childtags("item"))
    if len(items) > 1:
        raise PubsubError("max-items-exceeded", "Publish one item at a time")
    required = _publish_options(service, request)
    result = Stanza("publish", {"node": request.node})
    if not items:
        service.publish_nothing(request.node, request.actor, required)
        return result
    payloads = items[0].tags
    if len(payloads) > 1:
        raise PubsubError("invalid-payload", "An item has one payload")
    id = items[0].attr.get("id") or str(uuid.uuid4())
    service.publish(request.node, request.actor, id, payloads[0] if payloads else None, required)
    result.children.append(Stanza("item", {"id": id}))
    return result


def _publish_options(service: Service, request: Request) -> dict[str, Any] | None:
    """Return what the node has to be like (section 7.1.5), None when nothing is said."""
    form = form_in(request.pubsub.get_child("publish-options"))
    if form is None:
        return None
    required = node_config.read(form, service.setup.max_items, PUBLISH_OPTIONS)
    unknown = node_config.unknown_fields(form)
    if unknown:
        raise PubsubError("precondition-not-met", f"Field is not known: {unknown[0]}")
    return required


def retract(service: Service, request: Request) -> None:
    """Delete an item (section 7.2)."""
    item = request.action.get_child("item")
    name = request.node
    if item is None or not item.attr.get("id"):
        raise PubsubError("item-required")
    service.retract(name, request.actor, item.attr["id"],
                    request.action.attr.get("notify") in TRUE)
