"""What subscribers ask for (XEP-0060 section 6)."""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub import subscribe_options
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.items import Page
from prosody_py.pubsub.notices import subscription_element
from prosody_py.pubsub.requests.request import Request, form_in
from prosody_py.pubsub.service import Service
from prosody_py.xmpp import rsm
from prosody_py.xmpp.stanza import Stanza

_MAX_DIGITS = 9


def subscribe(service: Service, request: Request) -> Stanza:
    """Subscribe an address, perhaps with options (sections 6.1 and 6.3.7)."""
    jid, chosen = request.jid(), request.pubsub.get_child("options")
    options: Any = True
    if chosen is not None:
        if "node" in chosen.attr or "jid" in chosen.attr:
            raise PubsubError("bad-request", "These options have neither node nor jid")
        options = subscribe_options.read(form_in(chosen))
    state = service.add_subscription(request.node, request.actor, jid, options)
    pubsub = Stanza("pubsub", {"xmlns": request.pubsub.attr["xmlns"]})
    pubsub.children.append(subscription_element(request.node, jid, state, options=True))
    if chosen is not None:
        element = Stanza("options")
        element.children.append(subscribe_options.form(options, "result"))
        pubsub.children.append(element)
    if state == "subscribed":
        service.greet(service.node(request.node), jid)
    return pubsub


def unsubscribe(service: Service, request: Request) -> Stanza:
    """End a subscription (section 6.2); a SubID is passed over (6.2.3.5)."""
    jid = request.jid()
    service.remove_subscription(request.node, request.actor, jid)
    return subscription_element(request.node, jid, "none")


def options(service: Service, request: Request) -> Stanza:
    """Show the options of a subscription as a form (section 6.3)."""
    jid, found = _subscription(service, request)
    element = Stanza("options", {"node": request.node, "jid": jid})
    element.children.append(subscribe_options.form(found))
    return element


def set_options(service: Service, request: Request) -> None:
    """Change the options of a subscription (section 6.3.5)."""
    jid, found = _subscription(service, request)
    form = form_in(request.action)
    if form is not None and form.attr.get("type") == "cancel":
        return
    service.set_subscription_options(request.node, jid, subscribe_options.read(form, found))


def _subscription(service: Service, request: Request) -> tuple[str, Any]:
    node, jid = service.node(request.node), request.jid()
    service.require_own(node, request.actor, jid, "forbidden")
    state, found = service.subscription(node, jid)
    if state == "none":
        error = PubsubError("no-such-subscriber")
        error.type = "modify"
        raise error
    return jid, found


def default(service: Service, request: Request) -> Stanza:
    """Show the options that a new subscription has (section 6.4)."""
    name = request.action.attr.get("node")
    if name is not None:
        service.node(name)
    element = Stanza("default", {} if name is None else {"node": name})
    element.children.append(subscribe_options.form(True, "result"))
    return element


def items(service: Service, request: Request) -> Stanza:
    """Return items: all, some by id, the newest, or a page (section 6.5)."""
    action = request.action
    page = rsm.page_request(request.pubsub)
    ids = None
    if (wanted := list(action.childtags("item"))):
        ids = [child.attr.get("id") for child in wanted]
        if not all(ids):
            raise PubsubError("bad-request", "An item that is asked for has an id")
    found = service.get_items(request.node, request.actor, ids, page, _max_items(action))
    element = Stanza("items", {"node": request.node})
    publisher = service.setup.expose_publisher
    for item in found.items:
        element.children.append(item.element(publisher=publisher))
    pubsub = Stanza("pubsub", {"xmlns": request.pubsub.attr["xmlns"]})
    pubsub.children.append(element)
    if page is not None and ids is None:
        pubsub.children.append(_page(found))
    return pubsub


def _max_items(action: Stanza) -> int | None:
    text = action.attr.get("max_items")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or int(text) < 1:
        raise PubsubError("bad-request", "'max_items' is a number from 1 up")
    return int(text)


def _page(found: Page) -> Stanza:
    ids = [item.id for item in found.items]
    return rsm.page(ids[0] if ids else None, ids[-1] if ids else None, found.count, found.index)
