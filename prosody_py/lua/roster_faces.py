"""Rosters in Lua: tables of bare JID to item, and of `false` to version and waiting requests.

They are the objects that everybody else works with, so a change by a Lua module is seen at once;
tables that it puts into them are copied.
"""

from __future__ import annotations

from typing import Any

from prosody_py.hosts.roster_items import Roster, RosterItem
from prosody_py.lua.proxies import Face


class RosterMetadata:
    """What a roster has under the key false."""

    def __init__(self, roster: Roster):
        self._roster = roster

    @property
    def version(self) -> int | bool:
        """The number of the last change; True for a roster that has no versions."""
        return self._roster.version

    @version.setter
    def version(self, version: int | bool) -> None:
        self._roster.version = version

    @property
    def pending(self) -> dict[str, Any]:
        """Who waits for the user's approval: bare JID to the request or True."""
        return self._roster.pending

    @pending.setter
    def pending(self, pending: dict[str, Any]) -> None:
        self._roster.pending = dict(pending)


class RosterFace(Face):
    """A roster."""

    fields = {False: lambda border, roster: RosterMetadata(roster)}
    copies = True


class RosterItemFace(Face):
    """One contact."""

    names = ("subscription", "ask", "name", "groups", "approved")
    copies = True


class RosterMetadataFace(Face):
    """Version and waiting requests."""

    names = ("version", "pending")
    copies = True


FACES: dict[type, Face] = {Roster: RosterFace(), RosterItem: RosterItemFace(),
                           RosterMetadata: RosterMetadataFace()}
