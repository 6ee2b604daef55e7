"""XEP-0163: Personal Eventing. Each account is a publish-subscribe service of its own.

Data and owner: a service for each account, made when it is wanted (services, making); it
is prosody_py.pubsub's, with the stores of the account (stores). Who wants to be told is never kept
for contacts here, but seen in the sessions' capabilities and the rosters when something happens
(sending, interest); who else has sent presence to an account is remembered (elsewhere, contacts).
An account that has no nodes costs nobody more than a look into a dict.

For other modules it fires `pep-published/<node>` and `pep-retracted/<node>`; one that knows what a
node is for offers {node, config} as an item "pep-node", for when the node is made by publishing.

Exports, as Prosody's: get_pep_service(username), handle_pubsub_iq, is_item_stanza,
check_node_config. For who offers commands: list_nodes, read_node, create_node, delete_node,
configure_node. Each service in use is an item "pep-service" ({service, jid}).
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from weakref import WeakKeyDictionary

from prosody_py.api import Options, Stanza, boolean, bystander, hook, integer, jid, size
from prosody_py.api.pubsub_commands import offer
from prosody_py.hosts import users
from prosody_py.hosts.roster import load_roster
from prosody_py.pubsub import approval, commands, discovery, requests
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import OWNER, PUBSUB
from prosody_py.pubsub.service import Service
from prosody_py.xmpp.dataforms import XMLNS as DATA_FORMS

from .contacts import meet, regroup, visit
from .elsewhere import from_elsewhere
from .interest import NOTHING, Away, Interests
from .making import items_of_node, make_service
from .sending import welcome
from .services import Services

DEPENDS = ("cache_c2s_caps",)
ACCOUNT_FEATURES = (PUBSUB, *requests.FEATURES, *(PUBSUB + "#" + name for name in (
    "access-authorize", "access-open", "access-presence", "access-roster", "access-whitelist",
    "auto-create", "auto-subscribe", "filtered-notifications", "last-published",
    "presence-notifications", "presence-subscribe", "pubsub-on-a-jid")))
services: Any = None  # the Services of this instance


class Config(Options):
    """How much is kept for one account."""

    pep_max_items = integer(256, min=1, max=100_000, doc="Items that a node may keep.")
    pep_max_nodes = integer(500, min=1, max=100_000, doc="Nodes of one account.")
    pep_max_nodes_size = size("4 MB", min="10 KB", doc="Bytes of what nodes of one account are, "
                              "without their items: configuration, rights, and subscriptions (at "
                              "most half of it).")
    pep_max_subscriptions = integer(500, min=1, max=100_000, doc="Subscriptions of one address to "
                                    "nodes of one account.")
    pep_max_payload_size = size(None, min=100, doc="Bytes of one item, if less than a stanza may "
                                "have.")
    pep_service_cache_size = integer(1000, min=1, max=1_000_000, doc="Accounts whose nodes are "
                                     "kept in memory.")
    pep_max_remote_resources = integer(20_000, min=0, max=10_000_000, doc="Resources on other "
                                       "servers whose wishes are remembered.")
    pep_max_visitors = integer(20_000, min=0, max=10_000_000, doc="Clients here of which it is "
                               "remembered that they have sent presence to who is no contact.")
    expose_publisher = boolean(False, doc="Tell who has published an item.")


def load(module):
    """Open the stores and begin."""
    global services
    module.interests, module.away = Interests(), Away(module.options.pep_max_remote_resources)
    module.visitors = Away(module.options.pep_max_visitors)
    module.asked = Counter()  # requests that wait, by the domain that was asked
    module.welcomed = WeakKeyDictionary()  # session: the nodes whose last items it has got
    module.nodes, module.moved = [module.open_counted_store(
        name, "keyval+", "nodes", lambda: module.options.pep_max_nodes_size)
        for name in ("pep", "pep_moved")]
    module.caps = module.depends("cache_c2s_caps")
    services = module.services = Services(
        module, lambda username, stored: make_service(module, username, stored),
        module.nodes.get, module.options.pep_service_cache_size)
    offer(module, lambda address: service_at(module, address))


def save(module):
    """Return the resources elsewhere, which announce themselves only once."""
    return {"away": module.away.to_saved(), "visitors": module.visitors.to_saved()}


def restore(module, saved):
    """Take over the resources elsewhere."""
    for entry in saved.get("away", ()):
        module.away.put(*entry)
    for entry in saved.get("visitors", ()):
        module.visitors.put(*entry)


def unload(module):
    """Send what was to come with digests."""
    for service in module.services.at_hand():
        service.flush()


# -- requests ------------------------------------------------------------------------------


def account_of(event) -> str:
    """Return the user name of the account that a stanza is for."""
    to = event.stanza.attr.get("to")
    return event.origin.username if to is None else jid.node(to)


@hook(f"iq/bare/{PUBSUB}:pubsub")
@hook(f"iq/bare/{OWNER}:pubsub")
def request(module, event):
    """Do what an iq asks an account's service for."""
    if module.host_object.type != "local":
        return None
    username = account_of(event)
    return handle_pubsub_iq(event, module.services.get(username) if event.to_self
                            else module.services.look(username))


def handle_pubsub_iq(event, service: Service | None = None) -> bool:
    """Answer an iq with a <pubsub/> for a service, by default that of the account asked."""
    service = service or services.get(account_of(event))
    event.origin.send(requests.answer(service, event.stanza))
    return True


@hook("message/bare", priority=1)
@bystander("headline")
def message(module, event):
    """Take the account's answer to a request for a subscription; hear of subscribers gone."""
    element = event.stanza
    if element.attr.get("type") == "error":
        service = module.services.with_nodes(account_of(event))
        if service is not None and jid.bare(element.attr.get("from")) in service.by_account:
            service.bounced(element)
        return None
    if not event.to_self:
        return None
    x = element.get_child("x", DATA_FORMS)
    if not approval.is_answer(x):
        return None
    module.services.get(event.origin.username).answer(event.origin.bare_jid, x)
    return True


# -- who comes, and what they want -----------------------------------------------------------


@hook("presence/initial")
def initial(module, event):
    """Send last items to a resource that has come online, if it is known what it wants."""
    session = event.origin
    wanted = module.interests.of_session(session)
    module.welcomed[session] = wanted
    if wanted:
        module.add_timer(0, welcome, module, session, wanted)


@hook("c2s-capabilities-changed")
def capabilities(module, event):
    """Send the last items of nodes that a resource wants only since now."""
    session = event.origin
    if session.presence is None:
        return  # it comes online with this very presence
    wanted = module.interests.of_session(session)
    new = wanted - module.welcomed.get(session, NOTHING)
    module.welcomed[session] = wanted
    if new:
        module.add_timer(0, welcome, module, session, new)


@hook("presence/bare", priority=1)
@hook("presence/full", priority=1)
@bystander("presence", "room")
def presence(module, event):
    """Note what resources elsewhere want; act when a subscription has been granted."""
    element, to = event.stanza, event.stanza.attr.get("to")
    if to is None:
        return
    type, sender = element.attr.get("type"), element.attr.get("from")
    if type == "subscribed":
        module.add_timer(0, meet, module, jid.bare(to), jid.bare(sender))
    elif jid.resource(sender) and type in (None, "unavailable"):
        account, is_here = jid.bare(to), getattr(event.origin, "type", None) == "c2s"
        if type == "unavailable":
            (module.visitors if is_here else module.away).remove(account, sender)
        elif not is_here:
            from_elsewhere(module, account, sender, element)
        elif to in (event.origin.directed or ()):  # no contact, who would get it anyway
            visit(module, account, event.origin, to)


@hook("roster-item-updated")
def contact_changed(module, event):
    """Act when a contact is in other groups."""
    if event.before is None or event.before.groups == event.item.groups:
        return
    module.add_timer(0, regroup, module, event.username, event.jid, event.before.groups)


# -- service discovery ---------------------------------------------------------------------


@hook("account-disco-info")
def info(module, event):
    """Say that an account is a service, and what it can do."""
    reply = event.reply
    reply.tag("identity", category="pubsub", type="pep").up()
    for feature in ACCOUNT_FEATURES:
        reply.tag("feature", var=feature).up()


@hook("account-disco-items")
def items(module, event):
    """List the nodes that who asks may see."""
    service = module.services.with_nodes(account_of(event))
    if service is not None:
        discovery.list_in(event.reply, service, event.stanza.attr["from"])


@hook("account-disco-info-node")
def node_info(module, event):
    """Tell what a node is."""
    service = module.services.look(account_of(event))
    event.exists = discovery.info_of_node(event.reply, service, event.node,
                                          event.stanza.attr["from"]) or event.exists


@hook("account-disco-items-node")
def node_items(module, event):
    """List the items of a node."""
    service = module.services.look(account_of(event))
    event.exists = discovery.items_of_node(event.reply, service, event.node,
                                           event.stanza.attr["from"]) or event.exists


# -- the rest --------------------------------------------------------------------------------


@hook("user-deleted")
def forget(module, event):
    """Delete everything of an account that is gone; nobody is told."""
    username = event.username
    service = module.services.with_nodes(username)
    for node in list(service.nodes.values()) if service is not None else ():
        service.forget_digests(node)
    for node in module.nodes.get(username) or {}:
        items_of_node(module, node).delete(username)
    module.nodes.set(username, None)
    module.moved.set(username, None)
    module.services.forget(username)


@hook("user-deleted", on="global", priority=1)
def forget_stranger(module, event):
    """Take from an account that is gone what it was to nodes of its contacts and of those in use.

    What others have given it stays: to find that the nodes of all accounts would have to be read.
    """
    if module.host_object.type != "local":
        return
    gone = f"{event.username}@{event.host}"
    contacts = [jid.node(contact) for contact in load_roster(
        module.server, event.username, event.host) if jid.host(contact) == module.host]
    found = [module.services.with_nodes(username) for username in contacts if username]
    for service in {*found, *module.services.at_hand()} - {None}:
        if service.setup.jid != gone:
            service.forget(gone)


def service_at(module, address: str) -> Service | None:
    """Return the service at the address of an account of this host."""
    username = jid.node(address)
    if username is None or not users.user_exists(module.server, username, module.host):
        return None
    return module.services.get(username)


def get_pep_service(username: str, *_more: Any) -> Service:
    """Return the service of an account; as Prosody's."""
    return services.get(username)


def is_item_stanza(item: Any) -> bool:
    """Whether something is an <item/> with one payload; as Prosody's."""
    return (isinstance(item, Stanza) and item.name == "item" and item.attr.get("xmlns") == PUBSUB
            and len(item.tags) == 1)


def check_node_config(_node: str, actor: Any, config: Any) -> bool:
    """Whether a node can be configured like that; as Prosody's."""
    service = services.get(jid.node(actor)) if isinstance(actor, str) else None
    try:
        if service is not None:
            service.checked(config)
    except PubsubError:
        return False
    return True


def list_nodes(username: str) -> list[dict[str, Any]]:
    """Return what is worth knowing of an account's nodes; see prosody_py.pubsub.commands."""
    return commands.list_nodes(services.get(username))


def read_node(username: str, name: str, limit: int = 20) -> dict[str, Any]:
    """Return everything about a node, and its newest items."""
    return commands.read_node(services.get(username), name, limit)


def create_node(username: str, name: str, config: Any = None) -> None:
    """Make a node of an account."""
    commands.create_node(services.get(username), name, None, config)


def delete_node(username: str, name: str) -> None:
    """Delete a node of an account."""
    commands.delete_node(services.get(username), name)


def configure_node(username: str, name: str, config: dict[str, Any]) -> None:
    """Change options of a node of an account."""
    commands.configure_node(services.get(username), name, config)
