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
    """Publish an item (section 7.1), or several at once (section 12.9)."""
    items = list(request.action.childtags("item"))
    required = _publish_options(service, request)
    result = Stanza("publish", {"node": request.node})
    if not items:
        service.publish_nothing(request.node, request.actor, required)
        return result
    contents = [_content(item) for item in items]
    if len(contents) == 1:
        service.publish(request.node, request.actor, *contents[0], required)
    else:
        service.publish_all(request.node, request.actor, contents, required)
    result.children += [Stanza("item", {"id": id}) for id, _payload in contents]
    return result


def _content(item: Stanza) -> tuple[str, Stanza | None]:
    """Return (id, payload) of an <item/>; without an id it gets one."""
    payloads = item.tags
    if len(payloads) > 1:
        raise PubsubError("invalid-payload", "An item has one payload")
    return item.attr.get("id") or str(uuid.uuid4()), payloads[0] if payloads else None


def _publish_options(service: Service, request: Request) -> dict[str, Any] | None:
    """Return what the node has to be like (section 7.1.5), None when nothing is said."""
    form = form_in(request.pubsub.get_child("publish-options"))
    if form is None:
        return None
    required = node_config.read(service.setup, form, PUBLISH_OPTIONS)
    unknown = node_config.unknown_fields(service.setup, form)
    if unknown:
        raise PubsubError("precondition-not-met", f"Field is not known: {unknown[0]}")
    return required


def retract(service: Service, request: Request) -> None:
    """Delete an item (section 7.2), or several at once (section 12.9)."""
    name = request.node
    ids = [item.attr.get("id") for item in request.action.childtags("item")]
    if not ids or not all(ids):
        raise PubsubError("item-required")
    service.retract_all(name, request.actor, ids, request.action.attr.get("notify") in TRUE)
