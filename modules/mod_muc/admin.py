"""Lists of affiliations and roles, read and changed (XEP-0045 sections 8, 9 and 10)."""

from __future__ import annotations

from prosody_py.api import Stanza, StanzaError, jid, stanza

from .affiliations import RANK
from .occupant import MUC

ADMIN = MUC + "#admin"
MAX_ITEMS = 1000
MAX_REASON = 1000  # characters that are kept of why somebody is banned
_AFFILIATIONS = ("owner", "admin", "member", "outcast", "none")
_ROLES = ("moderator", "participant", "visitor", "none")


def get(module, room, event) -> Stanza:
    """Return the <query/> with who has an affiliation or a role."""
    element = event.stanza
    item = element.tags[0].get_child("item", ADMIN)
    affiliation = item.attr.get("affiliation") if item is not None else None
    role = item.attr.get("role") if item is not None else None
    if (affiliation is None) == (role is None):
        raise StanzaError("bad-request", "Ask for an affiliation or for a role")
    query = stanza.stanza("query", xmlns=ADMIN)
    if affiliation is not None:
        if affiliation not in _AFFILIATIONS:
            raise StanzaError("bad-request", "There is no such affiliation")
        may_read_affiliations(room, jid.bare(element.attr["from"]), affiliation)
        for address, _one, data in room.each_affiliation(affiliation):
            query.tag("item", affiliation=affiliation, jid=address,
                      nick=(data or {}).get("reserved_nickname"))
            if (data or {}).get("reason"):
                query.text_tag("reason", str(data["reason"]))
            query.up()
        return query
    if role not in _ROLES:
        raise StanzaError("bad-request", "There is no such role")
    asking = room.get_occupant_by_real_jid(element.attr["from"])
    if (asking is None or asking.role != "moderator") and RANK[
            room.get_affiliation(jid.bare(element.attr["from"])) or "none"] < RANK["admin"]:
        raise StanzaError("forbidden")
    for occupant in room._occupants.values():
        if occupant.role == role:
            query.tag("item", affiliation=room.get_affiliation(occupant.bare_jid) or "none",
                      role=role, nick=occupant.nickname, jid=occupant.jid).up()
    return query


def may_read_affiliations(room, asking: str, affiliation: str) -> None:
    """Raise StanzaError unless `asking` may see who has an affiliation.

    Admins see all. Where everybody sees addresses, members (in a room for members) or all who
    are in the room may know who else belongs to it (section 9.5), if their role is among those
    that the owner has chosen; members who are not there count as participants.
    """
    own = room.get_affiliation(asking)
    rank = RANK[own or "none"]
    if rank >= RANK["admin"]:
        return
    if affiliation != "outcast" and room.get_whois() == "anyone" and rank >= RANK["none"]:
        role = next((one.role for one in room._occupants.values() if one.bare_jid == asking),
                    "participant" if rank >= RANK["member"] else None)
        if role is not None and room.get_member_list_roles()[role]:
            return
    raise StanzaError("forbidden")


def set(module, room, event) -> bool | None:
    """Change affiliations and roles: all of what is asked for, or nothing.

    Returns True when an error has been sent, with the item that is not allowed (section 8.4).
    """
    element = event.stanza
    actor = element.attr["from"]
    items = list(element.tags[0].childtags("item", ADMIN))
    if not items:
        raise StanzaError("bad-request", "There is nothing to change")
    if len(items) > MAX_ITEMS:
        raise StanzaError("resource-constraint", f"At most {MAX_ITEMS} changes at once")
    changes = []
    hands_on = any(item.attr.get("affiliation") == "owner" and jid.bare(jid.prep(
        item.attr.get("jid") or "")) not in (None, jid.bare(actor)) for item in items)
    for item in items:
        try:
            changes.append(change_of(room, actor, item, hands_on))
        except StanzaError as error:
            answer = stanza.error_reply(element, error).reset()
            offending = stanza.stanza("query", xmlns=ADMIN).add_child(item.clone())
            answer.children.insert(0, offending)
            event.origin.send(answer)
            return True
    check_owners(room, changes)
    check_space(room, changes)
    with room.one_save():
        make(room, actor, changes)
    return None


def check_owners(room, changes: list[tuple]) -> None:
    """Raise StanzaError for changes that leave a room without an owner (section 10.5)."""
    last_owner = sum(kind == "affiliation" and new != "owner"
                     and room._affiliations.get(target) == "owner"
                     for kind, target, new, _reason, _nick in changes)
    if last_owner and last_owner >= room._owners() and not any(
            kind == "affiliation" and new == "owner" for kind, _target, new, *_rest in changes):
        raise StanzaError("conflict", "A room needs an owner")


def check_space(room, changes: list[tuple]) -> None:
    """Raise StanzaError if the room cannot know as much."""
    given = [change for change in changes if change[0] == "affiliation" and change[2] != "none"]
    if given:
        room.check_space({target for _kind, target, *_rest in given}, sum(
            len(target) + len((reason or "")[:MAX_REASON]) + len(nick or "")
            for _kind, target, _new, reason, nick in given if target not in room._affiliations))


def make(room, actor: str, changes: list[tuple]) -> None:
    """Make changes that were checked."""
    own = jid.bare(actor)
    # One's own comes last: without being an owner one could not do the others.
    for kind, target, new, reason, nick in sorted(changes, key=lambda one: one[1] == own):
        if kind == "affiliation":
            data = dict(room._affiliation_data.get(target) or {})
            if nick and new in ("member", "admin", "owner"):
                data["reserved_nickname"] = nick
            if new == "outcast" or nick == "":
                data.pop("reserved_nickname", None)
            if new == "outcast":
                if reason:
                    data["reason"] = reason[:MAX_REASON]
            room.set_affiliation(actor, target, new, reason, data)
        elif target in room._occupants:
            room.set_role(actor, target, new, reason)


def change_of(room, actor: str, item: Stanza,
              hands_on: bool = False) -> tuple[str, str, str, str | None, str | None]:
    """Return (kind, whose, what, reason, nickname) of one change, after it was checked."""
    affiliation, role = item.attr.get("affiliation"), item.attr.get("role")
    nick, address = item.attr.get("nick"), item.attr.get("jid")
    reason = item.get_child_text("reason", ADMIN)
    if (affiliation is None) == (role is None):
        raise StanzaError("bad-request", "Change an affiliation or a role, one at a time")
    if affiliation is not None:
        if address is None:
            occupant = room._occupants.get(f"{room.jid}/{nick}") if nick else None
            if occupant is None:
                raise StanzaError("item-not-found" if nick else "bad-request",
                                  "Say whose affiliation it is")
            target, nick = occupant.bare_jid, None
        else:
            target = jid.bare(jid.prep(address))
            if target is None:
                raise StanzaError("jid-malformed", "This is no address", type="modify")
        room.check_affiliation(actor, target, affiliation, hands_on)
        return "affiliation", target, affiliation, reason, reserved(room, target, nick)
    occupant = room._occupants.get(f"{room.jid}/{nick}") if nick else (
        room.get_occupant_by_real_jid(jid.prep(address) or "") if address else None)
    if occupant is None:
        raise StanzaError("item-not-found" if nick or address else "bad-request",
                          "There is no such occupant")
    room.check_role(actor, occupant, role)
    return "role", occupant.nick, role, reason, None


def reserved(room, target: str, nick: str | None) -> str | None:
    """Return a nickname as it is reserved, "" for one to be given back (section 9.5).

    Raises StanzaError for one that is taken.
    """
    if not nick:
        return nick
    nick = jid.resource(jid.prep(f"{room.jid}/{nick}"))
    if nick is None:
        raise StanzaError("jid-malformed", "This is no nickname", type="modify")
    holder = room.get_registered_jid(nick)
    if holder is not None and holder != target:
        raise StanzaError("conflict", "The nickname is reserved for somebody else")
    return nick
