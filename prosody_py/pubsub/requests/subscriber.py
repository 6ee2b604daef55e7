"""What subscribers ask for (XEP-0060 section 6)."""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub import subscribe_options
from prosody_py.pubsub.access import bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.items import Page
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import subscription_element
from prosody_py.pubsub.requests.request import Request, form_in
from prosody_py.pubsub.service import Service
from prosody_py.pubsub.subscriptions import Subscription
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
        options = subscribe_options.read(service.setup, form_in(chosen), True,
                                         _is_collection(service, request))
    made = service.subscribe(request.node, request.actor, jid, options)
    pubsub = Stanza("pubsub", {"xmlns": request.pubsub.attr["xmlns"]})
    pubsub.children.append(subscription_element(request.node, jid, made.state, made.subid, True))
    if chosen is not None:
        element = Stanza("options")
        element.children.append(subscribe_options.form(service.setup, made.options, "result",
                                                       made.node.is_collection))
        pubsub.children.append(element)
    if made.state == "subscribed":
        service.greet(made.node, jid)
    return pubsub


def _is_collection(service: Service, request: Request) -> bool:
    node = service.nodes.get(request.node)
    return node is not None and node.is_collection


def unsubscribe(service: Service, request: Request) -> Stanza:
    """End a subscription (section 6.2)."""
    found = _subscription(service, request, "cancel")
    service.remove_subscription(request.node, request.actor, found.jid,
                                found.subid if found.state == "subscribed" else None)
    return subscription_element(request.node, found.jid, "none", found.subid)


def options(service: Service, request: Request) -> Stanza:
    """Show the options of a subscription as a form (section 6.3)."""
    found = _subscription(service, request, "modify")
    attr = {"node": request.node, "jid": found.jid}
    if request.action.attr.get("subid") is not None:
        attr["subid"] = found.subid
    element = Stanza("options", attr)
    element.children.append(subscribe_options.form(
        service.setup, found.options, collection=found.node.is_collection))
    return element


def set_options(service: Service, request: Request) -> None:
    """Change the options of a subscription (section 6.3.5)."""
    found, form = _subscription(service, request, "modify"), form_in(request.action)
    if form is not None and form.attr.get("type") == "cancel":
        return
    service.set_subscription_options(
        request.node, found.jid, subscribe_options.read(
            service.setup, form, found.options, found.node.is_collection), found.subid)


def _subscription(service: Service, request: Request, type: str) -> Subscription:
    """Return the subscription that is meant; `type` is that of the error if there is none."""
    node, jid = service.node(request.node), request.jid()
    service.require_own(node, request.actor, jid, "forbidden")
    return service.choose(node, jid, request.action.attr.get("subid"), type)


def default(service: Service, request: Request) -> Stanza:
    """Show the options that a new subscription has (section 6.4)."""
    name = request.action.attr.get("node")
    collection = name is not None and service.node(name).is_collection
    element = Stanza("default", {} if name is None else {"node": name})
    element.children.append(subscribe_options.form(service.setup, True, "result", collection))
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
    node = service.node(request.node)
    _check_subid(service, node, request)
    element = Stanza("items", {"node": request.node})
    publisher = service.shown_publisher(node)
    for item in found.items:
        element.children.append(item.element(publisher=publisher))
    pubsub = Stanza("pubsub", {"xmlns": request.pubsub.attr["xmlns"]})
    pubsub.children.append(element)
    if page is not None and ids is None:
        pubsub.children.append(_page(found))
    return pubsub


def _check_subid(service: Service, node: Node, request: Request) -> None:
    """Raise PubsubError for a SubID that is missing or wrong (sections 6.5.9.1 and 6.5.9.2)."""
    actor, subid = request.actor, request.action.attr.get("subid")
    if service.affiliation(node, actor) == "owner":
        return  # who may always see the items
    have = node.subscriptions(actor) or node.subscriptions(bare(actor))
    if subid is None and len(have) > 1:
        raise PubsubError("subid-required")
    if subid is not None and have and subid not in have:
        raise PubsubError("invalid-subid")


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
