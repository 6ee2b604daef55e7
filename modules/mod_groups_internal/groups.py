"""The groups of one host, in memory as they are in the stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gevent.lock import RLock

from prosody_py.storage.interface import REMOVE


class Groups:
    """Who is in which group, and what is known of the groups. A change is stored, then made."""

    def __init__(self, open_store):
        self._info_store = open_store("group_info")
        self._member_store, self._members_of = open_store("groups"), open_store("groups", "map")
        self.lock = RLock()  # held by who changes something
        self._info: dict[str, dict[str, Any]] = {}
        self._members: dict[str, dict[str, Any]] = {}
        self._groups: dict[str, dict[str, bool]] = {}  # username -> group ids
        for group_id in list(self._info_store.users()):
            self._info[group_id] = dict(self._info_store.get(group_id) or {})
            stored = self._member_store.get(group_id)
            self._members[group_id] = dict(stored) if isinstance(stored, Mapping) else {}
            for username in self._members[group_id]:
                self._groups.setdefault(username, {})[group_id] = True

    def __contains__(self, group_id: object) -> bool:
        return group_id in self._info

    def __len__(self) -> int:
        return len(self._info)

    def ids(self) -> list[str]:
        """Return the ids of all groups."""
        return list(self._info)

    def usernames(self) -> list[str]:
        """Return all who are in a group."""
        return list(self._groups)

    def of(self, username: str) -> list[str]:
        """Return the ids of the groups that an account is in."""
        return list(self._groups.get(username, ()))

    def info(self, group_id: str) -> dict[str, Any] | None:
        """Return what is known of a group: a copy, with `name`, `muc_jid`, `mucs`."""
        found = self._info.get(group_id)
        return None if found is None else dict(found)

    def name(self, group_id: str) -> str:
        """Return the name of a group."""
        return str(self._info[group_id].get("name") or group_id)

    def members(self, group_id: str) -> dict[str, Any]:
        """Return the members of a group by user name."""
        return dict(self._members.get(group_id, {}))

    def set_info(self, group_id: str, info: Mapping[str, Any]) -> None:
        """Store what is known of a group, which is made if it is new."""
        self._info_store.set(group_id, dict(info))
        self._info[group_id] = dict(info)
        self._members.setdefault(group_id, {})

    def add(self, group_id: str, username: str) -> None:
        """Store that an account is a member."""
        self._members_of.set_keys(group_id, {username: {"member": True}})
        self._members[group_id][username] = {"member": True}
        self._groups.setdefault(username, {})[group_id] = True

    def remove(self, group_id: str, username: str) -> None:
        """Store that an account is no member any more."""
        self._members_of.set_keys(group_id, {username: REMOVE})
        self._members[group_id].pop(username, None)
        groups = self._groups.get(username, {})
        groups.pop(group_id, None)
        if not groups:
            self._groups.pop(username, None)

    def delete(self, group_id: str) -> None:
        """Store that a group is gone."""
        self._member_store.set(group_id, None)
        self._info_store.set(group_id, None)
        for username in self._members.pop(group_id, {}):
            groups = self._groups.get(username, {})
            groups.pop(group_id, None)
            if not groups:
                self._groups.pop(username, None)
        self._info.pop(group_id, None)
