"""XEP-0402: PEP Native Bookmarks, the same for clients of XEP-0048, in private XML and in PEP.

There is one truth, the items of the node "urn:xmpp:bookmarks:1". What old clients ask for is made
of them; what they send is compared with them, and only what differs is published or retracted.
Bookmarks that were stored in the old ways move when their user logs in. Addresses of web pages,
which XEP-0402 has not got, stay in private XML.

Fires `bookmarks/empty` (session) for who has no bookmarks at all.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import Event, Stanza, StanzaError, hook, jid, stanza
from prosody_py.pubsub.items import Item
from prosody_py.pubsub.namespaces import PUBSUB
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import Notice
from prosody_py.pubsub.service import Service
from prosody_py.xmpp.preserialize import deserialize, preserialize

from .conversion import BOOKMARKS, STORAGE, from_old, meaning, to_old

DEPENDS = ("pep", "private")
ACCOUNT_FEATURES = (BOOKMARKS + "#compat", BOOKMARKS + "#compat-pep",
                    "urn:xmpp:bookmarks-conversion:0")
PRIVATE = "jabber:iq:private"
KEY = f"storage:{STORAGE}"  # where mod_private keeps <storage/>
CONFIG = {"persist_items": True, "max_items": "max", "send_last_published_item": "never",
          "access_model": "whitelist"}
OPTIONS = {**CONFIG, "_defaults_only": True}
pep: Any = None  # what mod_pep exports


def load(module):
    """Open the store of mod_private, and look for PEP."""
    global pep
    pep = module.pep = module.depends("pep")
    module.private = module.open_counted_store("private", "map")
    module.waiting = set()  # accounts whose old clients are going to be told
    for node in (BOOKMARKS, STORAGE):
        module.add_item("pep-node", {"node": node, "config": CONFIG})


@hook("account-disco-info")
def info(module, event):
    """Say that old and new clients see the same bookmarks."""
    for feature in ACCOUNT_FEATURES:
        event.reply.tag("feature", var=feature).up()


# -- the bookmarks -------------------------------------------------------------------------


def rooms_of(service: Service) -> dict[str, Stanza]:
    """Return an account's bookmarks by room."""
    node = service.nodes.get(BOOKMARKS)
    if node is None or not node["persist_items"]:
        return {}
    return {item.id: item.payload for item in service.items(node).newest()
            if item.payload is not None and item.payload.name == "conference"}


def storage_of(module, username: str, service: Service) -> Stanza:
    """Return an account's bookmarks as XEP-0048 has them."""
    storage = stanza.stanza("storage", xmlns=STORAGE)
    for room, conference in rooms_of(service).items():
        storage.add_child(to_old(room, conference))
    for page in pages_of(module, username):
        storage.add_child(page)
    return storage


def pages_of(module, username: str) -> list[Stanza]:
    """Return an account's bookmarks of web pages."""
    kept = deserialize(module.private.get(username, KEY))
    return list(kept.childtags("url")) if kept is not None else []


def replace(module, username: str, service: Service, storage: Stanza) -> None:
    """Let an account have the bookmarks of a <storage/> and no others."""
    before, wanted = rooms_of(service), {}
    for old in storage.childtags("conference"):
        found = from_old(old, before.get(jid.prep(old.attr.get("jid") or "")))
        if found is not None:
            wanted[found[0]] = found[1]
    if len(wanted) > service.setup.max_items:
        raise StanzaError("not-acceptable",
                          f"There can be at most {service.setup.max_items} bookmarks")
    publish_all(service, before, wanted)
    for room in before.keys() - wanted.keys():
        service.retract(BOOKMARKS, service.setup.jid, room, True)
    keep_pages(module, username, storage)


def publish_all(service: Service, before: dict[str, Stanza], wanted: dict[str, Stanza]) -> None:
    """Publish bookmarks that are new or have changed (XEP-0402 section 5.2.2)."""
    for room, conference in wanted.items():
        if room not in before or meaning(before[room]) != meaning(conference):
            service.publish(BOOKMARKS, service.setup.jid, room, conference, OPTIONS)


def keep_pages(module, username: str, storage: Stanza) -> None:
    """Keep the bookmarks of web pages in private XML."""
    pages = list(storage.childtags("url"))
    if pages or module.private.get(username, KEY) is not None:
        kept = stanza.stanza("storage", xmlns=STORAGE)
        kept.children = list(pages)
        module.private.set(username, KEY, preserialize(kept) if pages else None)


def publish_to_pep(account: str, bookmarks: Stanza, synchronise: bool = False,
                   *_more: Any) -> bool:
    """Add the bookmarks of a <storage/> to those of an account; as Prosody's.

    With `synchronise` the others are retracted.
    """
    service = pep.get_pep_service(jid.node(account))
    before, wanted = rooms_of(service), {}
    for old in bookmarks.childtags("conference"):
        found = from_old(old, before.get(jid.prep(old.attr.get("jid") or "")))
        if found is not None:
            wanted[found[0]] = found[1]
    publish_all(service, before, wanted)
    for room in before.keys() - wanted.keys() if synchronise else ():
        service.retract(BOOKMARKS, service.setup.jid, room, True)
    return True


# -- private XML (XEP-0048 1.0) --------------------------------------------------------------


@hook(f"iq/bare/{PRIVATE}:query", priority=1)
def in_private_xml(module, event):
    """Answer for bookmarks in private XML; other elements are left to mod_private."""
    if not event.to_self:
        return None
    query, username = event.stanza.tags[0], event.origin.username
    storage = query.get_child("storage", STORAGE)
    if storage is None:
        return None
    service = module.pep.get_pep_service(username)
    reply = stanza.reply(event.stanza)
    if event.stanza.attr["type"] == "get":
        if len(query.tags) != 1:
            return None  # which mod_private refuses
        reply.tag("query", xmlns=PRIVATE).add_child(storage_of(module, username, service))
    else:
        replace(module, username, service, storage)
        query.children.remove(storage)
        if query.tags:
            return None  # mod_private has the rest
    event.origin.send(reply)
    return True


# -- one item with all (XEP-0048 1.2) --------------------------------------------------------


@hook(f"iq/bare/{PUBSUB}:pubsub", priority=1)
def in_one_item(module, event):
    """Answer for the node with all bookmarks, which is made of those with one each."""
    if not event.to_self:
        return None
    actions = event.stanza.tags[0].tags
    if not actions or actions[0].attr.get("node") != STORAGE:
        return None
    action, username = actions[0], event.origin.username
    service = module.pep.get_pep_service(username)
    reply = stanza.reply(event.stanza).tag("pubsub", xmlns=PUBSUB)
    if (event.stanza.attr["type"], action.name) == ("get", "items"):
        storage = storage_of(module, username, service)
        reply.tag("items", node=STORAGE)
        if storage.children:
            reply.tag("item", id="current").add_child(storage)
    elif (event.stanza.attr["type"], action.name) == ("set", "publish"):
        item = action.get_child("item")
        storage = item.get_child("storage", STORAGE) if item is not None else None
        if storage is None:
            raise StanzaError("bad-request", "The node is for bookmarks")
        replace(module, username, service, storage)
        reply.tag("publish", node=STORAGE).tag("item", id=item.attr.get("id") or "current")
    else:
        return None
    event.origin.send(reply.reset())
    return True


@hook(f"pep-published/{BOOKMARKS}")
@hook(f"pep-retracted/{BOOKMARKS}")
def changed(module, event):
    """Tell old clients, once for all changes that are made together."""
    if event.username not in module.waiting:
        module.waiting.add(event.username)
        module.add_timer(0, tell_old_clients, module, event.username)


def tell_old_clients(_now, module, username: str) -> None:
    """Send the whole list to sessions that want it."""
    module.waiting.discard(username)
    service = module.pep.get_pep_service(username)
    user = module.host_object.sessions.get(username)
    wanted = module.dependencies["pep"].interests
    if user is None or not any(STORAGE in wanted.of_session(session)
                               for session in user.sessions.values()):
        return
    node = Node(STORAGE, service.setup.node_defaults, dict(CONFIG))
    item = Item("current", storage_of(module, username, service), 0, service.setup.jid)
    service.setup.deliver(Notice("items", node, item), {})


# -- those of before -------------------------------------------------------------------------


@hook("resource-bind")
def migrate(module, event):
    """Move bookmarks that were stored in the old ways."""
    username = event.session.username
    if not username or module.host_object.type != "local":
        return
    private = deserialize(module.private.get(username, KEY))
    if private is not None and private.get_child("conference") is not None:
        add_missing(module, username, private)
        keep_pages(module, username, private)
    service = module.pep.services.with_nodes(username)
    node = service.nodes.get(STORAGE) if service is not None else None
    if node is not None and node["persist_items"]:
        item = service.items(node).last()
        if item is not None:
            if item.payload is not None and item.payload.name == "storage":
                add_missing(module, username, item.payload)
            service.purge(STORAGE, True)
    if "bookmarks/empty" in module.events.index and (service is None or not rooms_of(service)):
        module.fire_event("bookmarks/empty", Event(session=event.session))


def add_missing(module, username: str, storage: Stanza) -> None:
    """Publish bookmarks of rooms that the account has none of."""
    service = module.pep.get_pep_service(username)
    before, wanted = rooms_of(service), {}
    for old in storage.childtags("conference"):
        found = from_old(old)
        if found is not None and found[0] not in before:
            wanted[found[0]] = found[1]
    publish_all(service, before, wanted)
    module.log("info", "Moved %d bookmarks of %s to PEP", len(wanted), username)
