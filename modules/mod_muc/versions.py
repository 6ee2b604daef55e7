"""XEP-0463: versions of the list of affiliations, so that a client gets only what has changed.

A room counts versions from when somebody asks for them first, and keeps them with its
configuration: after a restart those who come back get what has changed. A version that a room does
not know (it is too old, or was told just before a crash) is answered with the whole list. It is a
random text, so nobody asks for what has changed since one that it was not told. Who may not read
the lists (section 9.5 of XEP-0045) gets an error and no version; bans are shown to admins alone.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from prosody_py.api import Stanza, StanzaError, jid, stanza

from .admin import may_read_affiliations
from .occupant import MUC, USER

MAV = "urn:xmpp:muc:affiliations:0"
KEPT, IN_ONE_MESSAGE = 1000, 300  # versions, items


class Versions:
    """The versions of one room: after each the address that was changed next."""

    def __init__(self, kept: tuple | None = None) -> None:
        """Begin, or go on with what `keep` has returned."""
        changed, current, before = kept or ((), None, None)
        self.changed: OrderedDict[str, str] = OrderedDict(changed)
        self.current: str | None = current  # None until somebody asks
        self.before: str | None = before
        self.unsaved = False  # it has begun, and the room was not saved since

    def keep(self) -> tuple:
        """Return all of it as plain data."""
        return tuple(self.changed.items()), self.current, self.before

    def freeze(self) -> dict[str, Any] | None:
        """Return all of it as it is stored, None if nobody has asked yet."""
        if self.current is None:
            return None
        return {"changed": [list(one) for one in self.changed.items()], "current": self.current,
                "before": self.before or ""}

    @classmethod
    def thaw(cls, stored: Any) -> Versions:
        """Go on with what `freeze` has returned."""
        if not isinstance(stored, Mapping) or not stored.get("current"):
            return cls()
        return cls(([tuple(one) for one in stored.get("changed") or ()], stored["current"],
                    stored.get("before") or None))

    def start(self) -> str:
        """Return the version of now, the first one if nobody has asked yet."""
        if self.current is None:
            self.current, self.unsaved = new_version(), True
        return self.current

    def note(self, address: str) -> None:
        """Begin a new version with a change, if anybody wants to know."""
        if self.current is not None:
            self.changed[self.current] = address
            if len(self.changed) > KEPT:
                self.changed.popitem(last=False)
            self.before, self.current = self.current, new_version()

    def since(self, version: str | None) -> list[str] | None:
        """Return who was changed since a version, None when it is not known."""
        if version is not None and version == self.current:
            return []
        if version not in self.changed:
            return None
        known = list(self.changed)
        return list(dict.fromkeys(self.changed[one] for one in known[known.index(version):]))

    def last_change(self) -> Stanza | None:
        """Return the <mav/> for what tells of the last change, None if nobody wants to know."""
        return None if self.before is None else mav(self.before, self.current)


def new_version() -> str:
    """Return a version that nobody can guess."""
    return secrets.token_urlsafe(9)


def mav(since: str | None, until: str | None) -> Stanza:
    """Return a <mav/>."""
    return stanza.stanza("mav", {"xmlns": MAV, "since": since, "until": until})


def answer(room: Any, element: Stanza) -> Stanza | None:
    """Send what was asked for in a presence that enters; return the <mav/> for the own one."""
    x = element.get_child("x", MUC)
    asked = x.get_child("mav", MAV) if x is not None and x.tags else None
    if asked is None:
        return None
    real_jid = element.attr["from"]
    try:
        may_read_affiliations(room, jid.bare(real_jid), "member")
    except StanzaError as error:
        refusal = stanza.message({"from": room.jid, "to": real_jid, "type": "error",
                                  "id": element.attr.get("id")})
        refusal.tag("error", type=error.type, by=room.jid)
        room.route_stanza(refusal.tag(error.condition, xmlns=(
            "urn:ietf:params:xml:ns:xmpp-stanzas")).reset())
        return None
    bans = room.get_affiliation(jid.bare(real_jid)) in ("admin", "owner")
    until, since = room.versions.start(), asked.attr.get("since")
    changed = room.versions.since(since)
    if changed is None:
        since, people = None, list(room._affiliations)
    else:
        people = changed
    items = [(one, _shown(room._affiliations.get(one), bans)) for one in people]
    if changed is None:
        items = [one for one in items if one[1] != "none"]
    if changed is None or items:
        send(room, real_jid, items, since, until)
    return mav(None, until)


def _shown(affiliation: str | None, bans: bool) -> str:
    return affiliation if affiliation and (bans or affiliation != "outcast") else "none"


def send(room: Any, to: str, items: list, since: str | None, until: str) -> None:
    """Send items, in several messages with versions in between if there are many."""
    parts = [items[start:start + IN_ONE_MESSAGE]
             for start in range(0, len(items), IN_ONE_MESSAGE)] or [[]]
    for number, part in enumerate(parts, 1):
        upto = until if number == len(parts) else new_version()
        x = stanza.stanza("x", xmlns=USER).add_child(mav(since, upto))
        for address, affiliation in part:
            x.tag("item", jid=address, affiliation=affiliation).up()
        room.route_stanza(stanza.message({"from": room.jid, "to": to}).add_child(x))
        since = upto


def save(module, event) -> None:
    """Store that a room counts versions, after all has been sent to who has asked for one."""
    if event.room.versions.unsaved:
        event.room.versions.unsaved = False
        event.room.save()


def load(module):
    """Hook the event."""
    module.hook_own("muc-occupant-session-new", save, -100)
