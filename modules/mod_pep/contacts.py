"""Between two people here: they become contacts, change groups, send presence directly.

Who sends presence to an account that does not get it anyway is told of nodes that are open, as long
as the presence holds (XEP-0060 section 9.1.2). `module.visitors` (interest) remembers them; whether
it is still so is seen in the session when there is something to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.api import jid

from .interest import NOTHING
from .sending import send_last_items, welcome_to


def visit(module, account: str, session: Any, to: str) -> None:
    """Note that a session has sent presence to an account of this host, or a client of it.

    The address `to` stands in the place of the capabilities, which are those of the session.
    """
    is_new = module.visitors.node_of(account, session.full_jid) is None
    module.visitors.put(account, session.full_jid, to, NOTHING)
    wanted = module.interests.of_session(session)
    if is_new and wanted:
        module.add_timer(0, welcome_to, module, account, session, wanted)


def meet(_now, module, account: str, contact: str) -> None:
    """Send last items to each other when one has let the other see the presence."""
    for one, other in ((account, contact), (contact, account)):
        user = module.server.bare_sessions.get(one)
        host = module.server.hosts.get(jid.host(other))
        owner = host.modules.get("pep") if host is not None else None
        if user is None or getattr(owner, "services", None) is None:
            continue
        for session in list(user.sessions.values()):
            wanted = module.interests.of_session(session)
            if session.presence is not None and wanted:
                send_last_items(owner, jid.node(other), session.full_jid, one, wanted)


def regroup(_now, module, username: str, contact: str, before: Mapping[str, bool]) -> None:
    """Let a contact who is in other groups have the nodes that these may see, and no others.

    (XEP-0163 section 8.1.) `before` are the groups of before.
    """
    service = module.services.with_nodes(username)
    for node in list(service.nodes.values()) if service is not None else ():
        if node["access_model"] != "roster":
            continue
        service.settle(node, contact)
        if any(before.get(group) for group in node["roster_groups_allowed"] or ()):
            continue
        user = module.server.bare_sessions.get(contact)
        wanting = [(session.full_jid, module.interests.of_session(session))
                   for session in list(user.sessions.values())
                   if session.presence is not None] if user is not None else []
        for address, wanted in (*wanting, *module.away.of(service.setup.jid)):
            if jid.bare(address) == contact and node.name in wanted:
                send_last_items(module, username, address, contact, frozenset((node.name,)))
