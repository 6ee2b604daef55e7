"""Addresses that have nothing to do with a host or component, whoever its users are.

Administrators list accounts, resources or whole domains, with the commands `service_blocklist` or
with XEP-0133's "Edit Blacklist". On a component that keeps somebody out of all rooms or nodes, on a
host with accounts away from all users. What comes from a listed address is refused, as is what
users send to one. Who is in a room of the component when the address is listed leaves it.

Accounts of the host itself are not listed (disable them), nor who would list themselves.

Data and owner: the store "service_blocklist" of the host itself, {address: when it was listed};
`module.blocked` is all of it in memory.
"""

from __future__ import annotations

import time

from prosody_py.api import (
    CommandError,
    Options,
    StanzaError,
    Table,
    bystander,
    command,
    datetime,
    hook,
    integer,
    jid,
    stanza,
)

FIRST = 1000  # before everybody else
KINDS = ("bare", "full", "host")


class Config(Options):
    """How much is kept."""

    service_blocklist_max_items = integer(
        10_000, min=1, max=1_000_000, doc="Addresses that may be listed.")


def load(module):
    """Read the list."""
    module.store = module.open_store("service_blocklist", "map")
    stored = module.open_store("service_blocklist").get(None) or {}
    module.blocked = {name: when for name, when in stored.items() if isinstance(name, str)}


def covers(blocked, address: str | None) -> bool:
    """Whether an address is listed, or its account, or its domain."""
    if not blocked or address is None:
        return False
    host = jid.host(address)
    return (address in blocked or jid.bare(address) in blocked or host in blocked
            or f"{host}/{jid.resource(address)}" in blocked)


def concerns(module, account: str, peer: str) -> bool:
    """Whether what is between an account of the host and somebody is stopped here."""
    return covers(module.blocked, peer)


# -- what is stopped ---------------------------------------------------------------------------


@hook("iq/bare", priority=FIRST)
@hook("iq/full", priority=FIRST)
@hook("iq/host", priority=FIRST)
@hook("message/bare", priority=FIRST)
@hook("message/full", priority=FIRST)
@hook("message/host", priority=FIRST)
@hook("presence/bare", priority=FIRST)
@hook("presence/full", priority=FIRST)
@hook("presence/host", priority=FIRST)
@bystander("presence", "room", "headline", unless=concerns)
def comes_in(module, event):
    """Refuse what comes from a listed address; what wants no answer is dropped."""
    element = event.stanza
    if not module.blocked or not covers(module.blocked, element.attr.get("from")):
        return None
    type = element.attr.get("type")
    if element.name == "presence" and (type is not None or "to" not in element.attr):
        return True
    if type in ("error", "result", "headline"):
        return True
    raise StanzaError("forbidden", "This service has nothing to do with you")


@hook("pre-iq/bare", priority=FIRST)
@hook("pre-iq/full", priority=FIRST)
@hook("pre-iq/host", priority=FIRST)
@hook("pre-message/bare", priority=FIRST)
@hook("pre-message/full", priority=FIRST)
@hook("pre-message/host", priority=FIRST)
@hook("pre-presence/bare", priority=FIRST)
@hook("pre-presence/full", priority=FIRST)
@hook("pre-presence/host", priority=FIRST)
@bystander("presence", unless=concerns)
def goes_out(module, event):
    """Let users send nothing to a listed address; presence is dropped."""
    element = event.stanza
    if not module.blocked or not covers(module.blocked, element.attr.get("to")):
        return None
    if element.name == "presence" or element.attr.get("type") in ("error", "result"):
        return True
    raise StanzaError("not-acceptable", "This service has nothing to do with that address")


# -- the list ----------------------------------------------------------------------------------


def prepared(module, address: str, who: str | None) -> str:
    """Return an address as it is listed; raises CommandError for one that cannot be."""
    found = jid.prep(address)
    if found is None:
        raise CommandError(f"{address!r} is no address", "jid-malformed")
    if jid.host(found) == module.host:
        raise CommandError(f"{found} is of {module.host} itself: disable the account instead",
                           "not-allowed")
    if who is not None and covers({found: 0}, who):
        raise CommandError(f"{found} would keep you out as well", "not-allowed")
    return found


def leave(module, address: str) -> None:
    """Let clients of this server that are listed now leave what they are in here."""
    server, host = module.server, jid.host(address)
    users = server.hosts[host].sessions if host in server.hosts else {}
    wanted = [users.get(jid.node(address))] if jid.node(address) else list(users.values())
    for session in [session for user in wanted if user is not None
                    for session in list(user.sessions.values())]:
        if not covers({address: 0}, session.full_jid):
            continue
        for to in [to for to in session.directed or () if jid.host(to) == module.host]:
            session.directed.pop(to, None)
            server.post_stanza(session, stanza.presence(
                {"from": session.full_jid, "to": to, "type": "unavailable"}))


@command("service_blocklist", "add", "host:host", "address:string",
         help="Addresses that a host has nothing to do with")
def add(module, call, host, address):
    """Have nothing to do with an account, a resource or a domain."""
    found = prepared(module, address, call.jid)
    if found in module.blocked:
        raise CommandError(f"{found} is listed already", "conflict")
    most = module.options.service_blocklist_max_items
    if len(module.blocked) >= most:
        raise CommandError(f"There are {most} addresses already", "resource-constraint")
    now = int(time.time())
    module.store.set(None, found, now)
    leave(module, found)
    module.blocked = {**module.blocked, found: now}
    return f"{host} has nothing to do with {found} any more"


@command("service_blocklist", "remove", "host:host", "address:string")
def remove(module, call, host, address):
    """Take an address from the list."""
    found = jid.prep(address)
    if found not in module.blocked:
        raise CommandError(f"{address} is not listed", "item-not-found")
    module.store.set(None, found, None)
    module.blocked = {name: when for name, when in module.blocked.items() if name != found}
    return f"{found} is not listed any more"


@command("service_blocklist", "list", "host:host")
def show(module, call, host):
    """Show the addresses that are listed, and since when."""
    return Table(("address", "since"), [
        (name, datetime.format_datetime(when)) for name, when in sorted(module.blocked.items())])
