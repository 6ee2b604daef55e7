"""Who is told what: notifications of an account's nodes, and last items for who comes online.

Whose resources want a notification is worked out when there is one: from the account's own
sessions, the sessions of contacts whose presence it gets (by roster), the resources elsewhere that
have announced themselves, and sessions here that have sent it presence directly. So coming online
costs nothing for accounts without nodes, and what a roster says counts as of now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prosody_py.api import Stanza, jid
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.hosts.roster import load_roster
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import PLAIN, Notice, Wish, by_wish
from prosody_py.pubsub.service import Service
from prosody_py.router.to_many import send_headline

from .interest import NOTHING


def roster_of(module, username: str):
    """Return an account's roster; that of who is connected is at hand."""
    user = module.host_object.sessions.get(username)
    if user is not None and user.roster is not None:
        return user.roster
    return load_roster(module.server, username, module.host)


def is_blocked(module, username: str, address: str) -> bool:
    """Whether an account has blocked an address (XEP-0163 section 4.3.3)."""
    blocklist = module.host_object.modules.get("blocklist")
    check = getattr(blocklist.exports, "is_blocked", None) if blocklist is not None else None
    return bool(check(username, address)) if callable(check) else False


def deliver(module, service: Service, notice: Notice, receivers: Mapping[str, Wish]) -> None:
    """Tell everybody who is to be told about an account's node."""
    addresses = list(dict.fromkeys(addresses_of(module, service, notice.node, receivers)))
    if not addresses:
        return
    replyto = publishing_resource(service, notice)
    roster = roster_of(module, service.setup.user) if replyto is not None else None
    for wish, told in by_wish({to: receivers.get(to, PLAIN) for to in addresses}).items():
        # Only those who get the account's presence may know its resources (XEP-0163, 4.3.1).
        groups: dict[str | None, list[str]] = {}
        for to in told:
            knows = roster is not None and roster.is_contact_subscribed(jid.bare(to))
            groups.setdefault(replyto if knows else None, []).append(to)
        for shown, group in groups.items():
            message = notice.message(service.setup.jid, subids=wish.subids, replyto=shown)
            send_headline(module.server, module.host_object, OneToMany(message), group)


def publishing_resource(service: Service, notice: Notice) -> str | None:
    """Return the account's client that has published what a notice is about, None if none has."""
    actor = notice.actor
    if isinstance(actor, str) and jid.resource(actor) and jid.bare(actor) == service.setup.jid:
        return actor
    return None


def tell(module, username: str, to: str, message: Stanza) -> None:
    """Send a message of an account's service to one address, unless the account has blocked it."""
    if not is_blocked(module, username, to):
        send_headline(module.server, module.host_object, OneToMany(message), [to])


def addresses_of(module, service: Service, node: Node,
                 receivers: Mapping[str, Wish]) -> Iterator[str]:
    """Iterate over who is to be told about a node: full JIDs by presence, then subscribers."""
    username = service.setup.user
    told = set()
    interests = module.interests
    for account in _accounts(module, service, username):
        user = module.server.bare_sessions.get(account)
        sessions = [session for session in list(user.sessions.values())
                    if session.presence is not None
                    and node.name in interests.of_session(session)] if user is not None else ()
        if sessions and may_be_told(module, service, node, account):
            told.add(account)
            yield from [session.full_jid for session in sessions]
    for address, wanted in module.away.of(service.setup.jid):
        account = jid.bare(address)
        if node.name in wanted and may_be_told(module, service, node, account):
            told.add(account)
            yield address
    for address, _wanted in module.visitors.of(service.setup.jid):
        session, account = module.server.full_sessions.get(address), jid.bare(address)
        sent_to = module.visitors.node_of(service.setup.jid, address)
        if session is None or sent_to not in (session.directed or ()):
            module.visitors.remove(service.setup.jid, address)
        elif node.name in interests.of_session(session) and may_be_told(
                module, service, node, account):
            told.add(account)
            yield address
    for address in receivers:
        if address not in told and not is_blocked(module, username, address):
            yield address


def _accounts(module, service: Service, username: str) -> Iterator[str]:
    """Iterate over the account itself and the contacts whose presence it gets."""
    yield service.setup.jid
    for contact in roster_of(module, username).subscribed_to:
        yield contact.jid


def may_be_told(module, service: Service, node: Node, account: str) -> bool:
    """Whether an account may be told about a node without having subscribed."""
    if account == service.setup.jid:
        return True
    return (node["access_model"] in ("open", "presence", "roster") or account in node.affiliations
            ) and service.may_read(node, account) and not is_blocked(
                module, service.setup.user, account)


# -- last items ------------------------------------------------------------------------------


def welcome(_now, module, session, wanted: frozenset[str]) -> None:
    """Send a session the last items of its own account and of all contacts here."""
    if session.presence is None or session.destroyed:
        return
    send_last_items(module, session.username, session.full_jid, session.bare_jid, wanted)
    for contact in session.roster.subscribers if session.roster is not None else ():
        host = module.server.hosts.get(contact.host)
        other = host.modules.get("pep") if host is not None and host.type == "local" else None
        if other is None or getattr(other, "services", None) is None:
            continue  # not ours, or not this module
        username = contact.jid.partition("@")[0]
        send_last_items(other, username, session.full_jid, session.bare_jid, wanted)
        if session.destroyed:
            return
    for account in dict.fromkeys(map(jid.bare, session.directed or ())):
        welcome_to(_now, module, account, session, wanted)


def welcome_to(_now, module, account: str, session, wanted: frozenset[str]) -> None:
    """Send a session the last items of an account here to which it has sent presence."""
    host = module.server.hosts.get(jid.host(account))
    owner = host.modules.get("pep") if host is not None and host.type == "local" else None
    visitors = getattr(owner, "visitors", None)
    if visitors is not None and visitors.node_of(account, session.full_jid) is not None:
        send_last_items(owner, jid.node(account), session.full_jid, session.bare_jid, wanted)


def send_last_items(module, username: str, address: str, account: str,
                    wanted: frozenset[str]) -> None:
    """Send a full JID the last items of the nodes of an account here that it asks for."""
    service = module.services.with_nodes(username)
    if service is None or wanted is NOTHING:
        return
    if (account != service.setup.jid
            and not roster_of(module, username).is_user_subscribed(account)
            and module.visitors.node_of(service.setup.jid, address) is None
            and module.away.node_of(service.setup.jid, address) is None):
        return  # this account does not get the presence that would have told it
    names = wanted if len(wanted) < len(service.nodes) else list(service.nodes)
    for name in names:
        node = service.nodes.get(name)
        if (node is not None and name in wanted and node["notify_items"] and node["persist_items"]
                and node["send_last_published_item"] == "on_sub_and_presence"
                and may_be_told(module, service, node, account)):
            _send_last_item(module, service, node, address)


def _send_last_item(module, service: Service, node: Node, address: str) -> None:
    item = service.items(node).last()
    if item is None:
        return
    to_many = node.notice
    if to_many is None:
        notice = Notice("items", node, item, late=True, publisher=service.shown_publisher(node))
        to_many = OneToMany(notice.message(service.setup.jid))
        if node.last is item:
            node.notice = to_many
    send_headline(module.server, module.host_object, to_many, [address])
