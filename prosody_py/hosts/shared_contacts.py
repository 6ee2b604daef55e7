"""Contacts that nobody has asked for: put into rosters by modules, and never stored.

A shared contact is an item that is marked with whose it is (`more["shared"]`: owner -> groups), and
that it is not to be stored (`persist`). Contacts that a user has anyhow only get the groups, and
see each other, for as long as the roster is in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prosody_py.hosts.roster import Roster, RosterItem

SHARED = "shared"


class Wanted(NamedTuple):
    """How a contact is to be in a roster: its name, if that is known, and its groups."""

    name: str | None
    groups: tuple[str, ...]


def share(roster: Roster, owner: str, wanted: Mapping[str, Wanted]) -> list[str]:
    """Make the shared contacts of one owner (a module) those that are wanted.

    Return the bare JIDs of all that have changed; pushing them is the caller's work.
    """
    changed = [contact for contact in list(roster) if contact not in wanted
               and _take_back(roster, contact, owner)]
    for contact, (name, groups) in wanted.items():
        if contact != roster.jid and _give(roster, contact, owner, name, groups):
            changed.append(contact)
    if any(_owners(item) for item in roster.values()):
        roster.version = True  # it changes without the counter
    elif changed:
        roster.version = roster.counter
    return changed


def _owners(item: RosterItem | None) -> dict[str, tuple[str, ...]]:
    return (item.more or {}).get(SHARED) or {} if item is not None else {}


def _take_back(roster: Roster, contact: str, owner: str) -> bool:
    item = roster[contact]
    owners = dict(_owners(item))
    if owners.pop(owner, None) is None:
        return False
    if owners:
        roster[contact] = _shared(item.name, owners)
    else:
        del roster[contact]
    return True


def _give(roster: Roster, contact: str, owner: str, name: str | None,
          groups: tuple[str, ...]) -> bool:
    item = roster.get(contact)
    owners = _owners(item)
    if item is None or owners:
        if owners.get(owner) == groups:
            return False
        roster[contact] = _shared(item.name if item else name, {**owners, owner: groups})
        return True
    if item.subscription == "both" and all(item.groups.get(group) for group in groups):
        return False
    item.subscription, item.ask = "both", None
    item.groups.update(dict.fromkeys(groups, True))
    item.name = item.name or name
    return True


def _shared(name: str | None, owners: dict[str, tuple[str, ...]]) -> RosterItem:
    groups = [group for names in owners.values() for group in names]
    return RosterItem("both", None, name, groups, more={"persist": False, SHARED: owners})
