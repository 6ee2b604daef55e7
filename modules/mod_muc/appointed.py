"""The owners and admins in the form of a room's configuration (XEP-0045 section 10.2).

The two fields hold the whole lists, unlike the requests for lists (admin.py). What is left out of
a submitted form stays as it is. Everything is checked before anything is changed.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import StanzaError, jid

FIELDS = {"owner": "muc#roomconfig_roomowners", "admin": "muc#roomconfig_roomadmins"}


def add_fields(module, event):
    """Add both lists to the form."""
    event.form.append({"type": "fixed", "value": "Who runs the room"})
    for affiliation, label in (("owner", "Owners"), ("admin", "Admins")):
        event.form.append({"name": FIELDS[affiliation], "type": "jid-multi", "label": label,
                           "value": listed(event.room, affiliation)})


def listed(room: Any, affiliation: str) -> list[str]:
    """Return the addresses of an affiliation, in order."""
    return sorted(address for address, one in room._affiliations.items() if one == affiliation)


def changes_of(room: Any, fields: dict[str, Any], actor: Any) -> list[tuple[str, str]]:
    """Return (address, affiliation) of what a filled in form changes; takes the lists out of it.

    New owners come first and the actor's own change last, so that nobody is in the way of the
    others. Raises StanzaError for a room without an owner and for what is no account.
    """
    wanted: dict[str, str] = {}
    named: dict[str, str] = {}
    for affiliation, field in FIELDS.items():
        value = fields.pop(field, None)
        if value is None:
            continue
        people = {jid.bare(one) or "" for one in value}
        if not all(map(jid.node, people)):
            raise StanzaError("not-acceptable", "Only accounts can be owners and admins")
        if affiliation == "owner" and not people:
            raise StanzaError("conflict", "A room needs an owner")
        if people & named.keys():
            raise StanzaError("not-acceptable", "Nobody is an owner and an admin as well")
        named.update((one, affiliation) for one in people)
        for one in (*people, *listed(room, affiliation)):
            if one in people:
                wanted[one] = affiliation
            else:
                wanted.setdefault(one, "none")
    own = jid.bare(actor) if isinstance(actor, str) else None
    found = [(one, affiliation) for one, affiliation in wanted.items()
             if (room._affiliations.get(one) or "none") != affiliation]
    keeps = any(affiliation == "owner" for affiliation in wanted.values()) or any(
        affiliation == "owner" and one not in wanted
        for one, affiliation in room._affiliations.items())
    if found and not keeps:
        raise StanzaError("conflict", "A room needs an owner")
    new = {one for one, affiliation in found if affiliation != "none"}
    if new:
        room.check_space(new, sum(map(len, new)))
    return sorted(found, key=lambda one: (one[0] == own, one[1] != "owner", one[0]))


def appoint(room: Any, changes: list[tuple[str, str]], actor: Any) -> None:
    """Make the changes in the name of the actor, or of the server if it is no owner's address."""
    if not changes:
        return
    with room.one_save():
        for address, affiliation in changes:
            data = room._affiliation_data.get(address)
            room.set_affiliation(actor, address, affiliation, None, data)


def load(module):
    """Hook the form."""
    module.hook_own("muc-config-form", add_fields, 90)
