"""Who may do what at the component: administrators, who makes nodes, contacts of owners."""

from __future__ import annotations

from prosody_py.api import jid
from prosody_py.hosts.roster import load_roster

from .presence import is_local


def affiliation_of(module, who: str, node: str | None, action: str) -> str | None:
    """Return what the service says of a bare JID."""
    if who == module.host or module.may(":service-admin", who, peek=True):
        return module.options.default_admin_affiliation
    if node is None and action == "create":
        allowed = module.options.pubsub_create_nodes
        if allowed == "anybody" or allowed == "accounts" and is_local(module, who) or (
                module.may(":create-node", who, peek=True)):
            return "owner"
    return None


def has_access(module, model: str, who: str, node) -> bool:
    """Whether a contact of one of the node's owners may see it, by that owner's roster."""
    for owner in node.owners():
        if not is_local(module, owner):
            continue
        roster = load_roster(module.server, jid.node(owner), jid.host(owner))
        if roster.is_contact_subscribed(who) and (
                model == "presence" or in_group(roster, who, node)):
            return True
    return False


def may_add(module, actor: str, who: str, node) -> bool:
    """Whether who owns a node may subscribe somebody else to it."""
    if module.may(":service-admin", actor, peek=True):
        return True
    allowed = module.options.pubsub_subscribe_others
    return allowed == "anybody" or allowed == "contacts" and has_access(
        module, "presence", jid.bare(who), node)


def in_group(roster, who: str, node) -> bool:
    """Whether a contact is in one of the roster groups that a node names."""
    item = roster.get(who)
    return item is not None and any(item.groups.get(group)
                                    for group in node["roster_groups_allowed"] or ())
