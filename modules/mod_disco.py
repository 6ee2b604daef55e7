"""XEP-0030: Service Discovery of the host and of accounts; XEP-0128 forms; capabilities.

What the host can do is the sum of the items "identity", "feature" and "extension" of its modules.
It is put together when somebody asks, and anew after one of them has changed. Its hashes (XEP-0115
and 0390) go with the features of streams; `module.told` has the infos that were announced last by
the nodes of their hashes, so that who asks a moment later gets what was meant. Others take part by
way of events, those of Prosody's mod_disco:

    host-disco-items                              {origin, stanza, reply}
    account-disco-info, account-disco-items       {origin, stanza, reply}
    host-disco-info-node, host-disco-items-node,
    account-disco-info-node, account-disco-items-node
                                                  {origin, stanza, reply, node, exists}

A handler adds to `reply`, in which building stands inside <query/>; for a node it says that there
is such a node with `exists = True`. A result that is not None means that it has answered itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from prosody_py.api import (
    Event,
    Options,
    Stanza,
    StanzaError,
    array,
    boolean,
    hook,
    jid,
    stanza,
    string,
)
from prosody_py.config.option import Option
from prosody_py.config.values import Wrong
from prosody_py.hosts.rostermanager import is_contact_subscribed
from prosody_py.hosts.users import is_admin
from prosody_py.xmpp import caps

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
NODE = "urn:prosody-py"  # what this software is called in its capabilities
FEATURES = (INFO, ITEMS, caps.SECOND)
MAX_TOLD = 3  # infos that were announced and are still known (XEP-0390 section 6.1)


def item(value: Any) -> tuple[str, str | None]:
    """Read an entry of disco_items: "address", [address, name] or {jid:, name:}."""
    if isinstance(value, Mapping):
        value = [value.get("jid"), value.get("name")]
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 2 or not jid.prep(
            value[0] if isinstance(value[0], str) else None):
        raise Wrong
    name = value[1] if len(value) == 2 else None
    return jid.prep(value[0]), None if name is None else str(name)


class Config(Options):
    """What the host tells about itself."""

    name = string(None, doc="The name of the host, for people.")
    disco_items = array((), of=Option("item", "an address or [address, name]", item),
                        doc="Services to list beside the host's own subdomains.")
    disco_hidden = boolean(False, doc="Do not list this host as a service of the domain above.")
    disco_expose_admins = boolean(False, doc="Tell everybody who the administrators are.")


def load(module):
    """Note when what the host can do changes."""
    module.known_info, module.told = None, {}
    if module.get_host_type() == "local":
        module.add_identity("server", "im", module.options.name or "prosody-py")

    def forget(_event):
        module.known_info = None

    for key in ("identity", "feature", "extension"):
        module.hook("item-added/" + key, forget)
        module.hook("item-removed/" + key, forget)


def save(module):
    """Return what was announced."""
    return module.told


def restore(module, saved):
    """Go on knowing what was announced."""
    module.told.update(saved)


# -- the host ------------------------------------------------------------------------------


class Info(NamedTuple):
    """What the host can do: a disco#info <query/>, and its hashes by XEP-0115 and XEP-0390.

    There is no hash of the second kind for forms that do not say of which type they are.
    """

    query: Stanza
    first: str
    second: str | None


def host_info(module) -> Info:
    """Return what the host can do."""
    if module.known_info is None:
        query = stanza.stanza("query", xmlns=INFO)
        identities = {tuple(entry.get(name) for name in ("category", "type", "name")): None
                      for entry in module.get_host_items("identity")}
        for category, type, name in identities:
            query.tag("identity", category=category, type=type, name=name).up()
        for feature in dict.fromkeys(module.get_host_items("feature")):
            query.tag("feature", var=feature).up()
        for form in module.get_host_items("extension"):
            query.add_child(form)
        module.known_info = Info(query, caps.verification_string(query), caps.second_hash(query))
    return module.known_info


def announce(module) -> Info:
    """Return what the host can do, and know it for a while at the nodes of its hashes."""
    info = host_info(module)
    if info.first not in module.told:
        module.told[info.first] = info
        if len(module.told) > MAX_TOLD:
            del module.told[next(iter(module.told))]
    return info


def info_at(module, node: str) -> Info | None:
    """Return what was announced by a hash."""
    for info in (host_info(module), *module.told.values()):
        if node == f"{NODE}#{info.first}" or (
                info.second is not None and node == caps.second_node(info.second)):
            return info
    return None


@hook(f"iq-get/host/{INFO}:query")
def info_of_host(module, event):
    """Tell what the host can do."""
    node = node_of(event)
    info = info_at(module, node) if node else host_info(module)
    if info is None:
        return answer_node(module, event, "host-disco-info-node", INFO, node)
    query = info.query.clone()
    if node:
        query.attr["node"] = node
    event.origin.send(stanza.reply(event.stanza).add_child(query))
    return True


@hook(f"iq-get/host/{ITEMS}:query")
def items_of_host(module, event):
    """List the host's services."""
    node = node_of(event)
    if node:
        return answer_node(module, event, "host-disco-items-node", ITEMS, node)
    reply = stanza.reply(event.stanza).tag("query", xmlns=ITEMS)
    data = Event(origin=event.origin, stanza=event.stanza, reply=reply)
    result = module.fire_event("host-disco-items", data)
    if result is not None:
        return result
    listed = set()
    for address, name in services(module):
        if address not in listed:
            listed.add(address)
            data.reply.tag("item", jid=address, name=name).up()
    event.origin.send(data.reply)
    return True


def services(module) -> Iterator[tuple[str, str | None]]:
    """Iterate over (address, name) of what belongs to the host."""
    get = module.server.config.get
    for name in list(module.server.hosts):
        if name.partition(".")[2] == module.host and not get(name, "disco_hidden"):
            yield name, get(name, "name")
    yield from module.options.disco_items
    if module.options.disco_expose_admins:
        for address in get(module.host, "admins") or ():
            yield address, None


# -- accounts ------------------------------------------------------------------------------


def account_of(module, event) -> tuple[str | None, bool]:
    """Return the account that is asked about, and whether the sender may see its presence."""
    if module.host_object.type != "local":
        return None, False
    to = event.stanza.attr.get("to")
    if to is None:
        return event.origin.username, True
    username, sender = jid.node(to), jid.bare(event.stanza.attr.get("from"))
    return username, sender is not None and is_contact_subscribed(
        module.server, username, module.host, sender)


def account_reply(module, event, username, xmlns, node=None):
    """Return the reply of an account, which says whose it is even if nobody asked."""
    reply = stanza.reply(event.stanza).tag("query", xmlns=xmlns, node=node)
    reply.attr["from"] = f"{username}@{module.host}"
    return reply


@hook(f"iq-get/bare/{INFO}:query")
def info_of_account(module, event):
    """Tell about an account to those who get its presence; nothing to others.

    Left unanswered, the request becomes service-unavailable, as for an account that does not
    exist (XEP-0030 section 8).
    """
    username, allowed = account_of(module, event)
    if username is None:
        return None
    admin = is_admin(module.server, f"{username}@{module.host}", module.host)
    if not allowed and not (admin and module.options.disco_expose_admins):
        return None
    node = node_of(event)
    if node:
        return answer_node(module, event, "account-disco-info-node", INFO, node, username)
    reply = account_reply(module, event, username, INFO)
    reply.tag("identity", category="account", type="admin" if admin else "registered").up()
    for feature in FEATURES:
        reply.tag("feature", var=feature).up()
    data = Event(origin=event.origin, stanza=event.stanza, reply=reply)
    module.fire_event("account-disco-info", data)
    event.origin.send(data.reply)
    return True


@hook(f"iq-get/bare/{ITEMS}:query")
def items_of_account(module, event):
    """List an account's items and available resources to those who get its presence.

    Others get an empty list, whether there is such an account or not (XEP-0030 section 8).
    """
    username, allowed = account_of(module, event)
    if username is None:
        return None
    node = node_of(event)
    if node and allowed:
        return answer_node(module, event, "account-disco-items-node", ITEMS, node, username)
    reply = account_reply(module, event, username, ITEMS, node)
    if allowed:
        user = module.host_object.sessions.get(username)
        for session in list(user.sessions.values()) if user is not None else ():
            if session.presence is not None:
                reply.tag("item", jid=session.full_jid).up()
        data = Event(origin=event.origin, stanza=event.stanza, reply=reply)
        module.fire_event("account-disco-items", data)
        reply = data.reply
    event.origin.send(reply)
    return True


# -- nodes and streams ---------------------------------------------------------------------


def node_of(event) -> str | None:
    """Return the node that is asked about, None for none."""
    return event.stanza.tags[0].attr.get("node") or None


def answer_node(module, event, name, xmlns, node, username=None):
    """Let the modules answer for a node; raises StanzaError when it is none's."""
    if username is not None:
        reply = account_reply(module, event, username, xmlns, node)
    else:
        reply = stanza.reply(event.stanza).tag("query", xmlns=xmlns, node=node)
    data = Event(origin=event.origin, stanza=event.stanza, reply=reply, node=node, exists=False)
    result = module.fire_event(name, data)
    if result is not None:
        return result
    if not data.exists:
        raise StanzaError("item-not-found", "There is no such node")
    event.origin.send(data.reply)
    return True


@hook("stream-features")
@hook("s2s-stream-features")
def features(module, event):
    """Tell authenticated peers what the host can do, before they ask (XEP-0115 section 6.3)."""
    if event.origin.type not in ("c2s_unbound", "s2sin"):
        return
    info = announce(module)
    event.features.add_child(stanza.stanza(
        "c", xmlns=caps.XMLNS, hash=caps.HASH, node=NODE, ver=info.first))
    if info.second is not None:
        event.features.add_child(caps.second_set(info.second))
