"""What owners ask for (XEP-0060 section 8)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from prosody_py.pubsub import node_config
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.requests.request import Request, form_in
from prosody_py.pubsub.service import Service
from prosody_py.xmpp import jid as addresses
from prosody_py.xmpp.stanza import Stanza

MAX_CHANGES = 200  # entries of a list that one request may change
MAX_URI = 2048  # characters of the place where a node has moved


def create(service: Service, request: Request) -> Stanza | None:
    """Make a node, perhaps with a configuration; without a name it gets one (section 8.1)."""
    chosen = request.pubsub.get_child("configure")
    if chosen is not None and "node" in chosen.attr:
        raise PubsubError("bad-request", "This <configure/> has no node")
    form = form_in(chosen)
    config = None
    if form is not None and form.attr.get("type") != "cancel":
        config = node_config.read(service.setup, form)
    name = request.action.attr.get("node")
    if name:
        service.create(name, request.actor, config)
        return None
    name = str(uuid.uuid4())
    service.create(name, request.actor, config)
    return Stanza("create", {"node": name})


def configuration(service: Service, request: Request) -> Stanza:
    """Show the configuration of a node as a form (section 8.2)."""
    settings = service.get_node_config(request.node, request.actor)
    element = Stanza("configure", {"node": request.node})
    element.children.append(node_config.form_for(service.setup, settings))
    return element


def configure(service: Service, request: Request) -> None:
    """Change the configuration of a node (section 8.2.4)."""
    form, node = form_in(request.action), service.node(request.node)
    service.require(node, request.actor, "configure")
    if form is None:
        raise PubsubError("bad-request", "A form is needed")
    if form.attr.get("type") != "cancel":
        service.set_node_config(request.node, request.actor,
                                node_config.read(service.setup, form))


def default(service: Service, request: Request) -> Stanza:
    """Show the configuration that a new node has (section 8.3)."""
    type = request.action.attr.get("type") or "leaf"
    if type != "leaf" and not (type == "collection" and service.setup.collections):
        raise PubsubError("unsupported", feature="collections")
    element = Stanza("default")
    settings = {**node_config.DEFAULTS, **service.setup.node_defaults, "node_type": type}
    element.children.append(node_config.form_for(service.setup, settings))
    return element


def delete(service: Service, request: Request) -> None:
    """Delete a node; it may have moved (section 8.4)."""
    redirect = request.action.get_child_attr("redirect", None, "uri")
    if redirect is not None and (":" not in redirect or len(redirect) > MAX_URI):
        raise PubsubError("bad-request", "This is no place where a node can move to")
    service.delete(request.node, request.actor, redirect)


def purge(service: Service, request: Request) -> None:
    """Delete all items of a node (section 8.5)."""
    service.purge(request.node, request.actor, True)


def collection(service: Service, request: Request) -> None:
    """Put nodes into a collection, or take them out (XEP-0248)."""
    if not service.setup.collections:
        raise PubsubError("unsupported", feature="collections")
    changes = {"associate": service.associate, "dissociate": service.dissociate,
               "disassociate": service.dissociate}
    if len(request.action.tags) != 1 or request.action.tags[0].name not in changes:
        raise PubsubError("bad-request", "One node at a time comes into a collection or goes")
    child = request.action.tags[0]
    changes[child.name](request.node, request.actor, child.attr.get("node") or "")


# -- lists -----------------------------------------------------------------------------------


def subscriptions(service: Service, request: Request) -> Stanza:
    """List the subscriptions to a node (section 8.8.1)."""
    node = service.node(request.node)
    service.require(node, request.actor, "manage")
    element = Stanza("subscriptions", {"node": node.name})
    for jid in node.subscribers:
        element.children += [
            Stanza("subscription", {"jid": jid, "subscription": "subscribed", "subid": subid})
            for subid in node.subscriptions(jid)]
    return element


def set_subscriptions(service: Service, request: Request) -> Stanza | None:
    """Change subscriptions of others (section 8.8.2)."""
    node = service.node(request.node)
    service.require(node, request.actor, "manage")

    def change(jid: str, state: str, entry: Stanza) -> None:
        if state not in ("subscribed", "none"):
            raise PubsubError("not-acceptable")
        before, subid = service.subscription(node, jid)[0], entry.attr.get("subid")
        if subid is not None and before == "subscribed":
            service.choose(node, jid, subid)
        if state == before:
            return
        if state == "none":
            service.end(node, jid, subid if before == "subscribed" else None)
        elif before == "pending":
            service.decide(node, jid, True)
        else:
            made = service.subscribe(node.name, request.actor, jid)
            service.tell_state(node, jid, state, made.subid)
            service.greet(node, jid)

    def now(jid: str) -> str:
        return service.subscription(node, jid)[0]

    return _change_each(request, "subscription", change, now)


def affiliations(service: Service, request: Request) -> Stanza:
    """List the affiliations with a node (section 8.9.1)."""
    found = service.get_affiliations(request.node, request.actor)
    element = Stanza("affiliations", {"node": request.node})
    for jid, affiliation in found.items():
        element.children.append(Stanza("affiliation", {"jid": jid, "affiliation": affiliation}))
    return element


def set_affiliations(service: Service, request: Request) -> Stanza | None:
    """Change affiliations (section 8.9.2)."""
    node = service.node(request.node)
    service.require(node, request.actor, "manage")
    jids = [child.attr.get("jid") for child in request.action.childtags("affiliation")]
    if len(set(jids)) != len(jids):
        raise PubsubError("bad-request", "Each address stands once in the list")

    def change(jid: str, affiliation: str, _entry: Stanza) -> None:
        if affiliation != node.affiliations.get(addresses.bare(jid), "none"):
            service.set_affiliation(node.name, request.actor, jid, affiliation)

    def now(jid: str) -> str:
        return node.affiliations.get(addresses.bare(jid), "none")

    return _change_each(request, "affiliation", change, now)


class ChangesFailed(PubsubError):
    """Some entries of a list could not be changed; `failed` has them as they are."""

    def __init__(self, failed: Stanza):
        super().__init__("not-acceptable")
        self.failed = failed


def _change_each(request: Request, name: str, change: Callable[[str, str, Stanza], None],
                 now: Callable[[str], str]) -> None:
    """Change one after the other; raises an error that shows those that could not be changed."""
    failed = Stanza(request.action.name, {"node": request.node})
    entries = list(request.action.childtags(name))
    if len(entries) > MAX_CHANGES:  # each is a write of the whole node
        raise PubsubError("not-acceptable", f"Change at most {MAX_CHANGES} entries at once")
    for child in entries:
        jid, wanted = addresses.prep(child.attr.get("jid") or ""), child.attr.get(name)
        if jid is None:
            failed.children.append(Stanza(name, {"jid": child.attr.get("jid") or ""}))
            continue
        if wanted is None:
            continue
        try:
            change(jid, wanted, child)
        except PubsubError:
            attr = {"jid": jid, name: now(jid), "subid": child.attr.get("subid")}
            failed.children.append(Stanza(name, {key: text for key, text in attr.items() if text}))
    if failed.children:
        raise ChangesFailed(failed)
