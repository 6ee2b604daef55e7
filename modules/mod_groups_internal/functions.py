"""What other modules do with groups, by the names of the community's module.

Who asks for something that cannot be gets None and a text that says why.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prosody_py.api import Event, jid
from prosody_py.hosts import users

from . import rooms

NAMES = ("create", "delete", "exists", "get_info", "set_info", "get_members", "add_member",
         "remove_member", "get_user_groups", "groups", "sync", "emit_member_events",
         "get_group_chats", "add_group_chat", "remove_group_chat")
MISSING = (None, "group-not-found")


def plain(table: Any) -> dict[str, Any]:
    """Return a mapping as a dict; it may be a table of Lua."""
    return dict(table) if isinstance(table, Mapping) else dict(table.copy() or {})


class Each:
    """What is iterated over in Python, and called again and again by the `for` of Lua."""

    def __init__(self, entries: Iterable[tuple]):
        self._entries = iter(list(entries))

    def __iter__(self) -> Iterator[tuple]:
        return self._entries

    def __call__(self, *_state: Any) -> tuple | None:
        return next(self._entries, None)


class Functions:
    """The functions of one host; `refresh(usernames)` brings rosters up to date."""

    def __init__(self, module, refresh: Callable[[Iterable[str]], None]):
        self._module, self._groups, self._refresh = module, module.groups, refresh

    def _tell(self, name: str, **fields: Any) -> None:
        self._module.fire_event(name, Event(**fields))

    # -- groups ------------------------------------------------------------------------------

    def create(self, info: Any, create_default_muc: bool = False,
               group_id: str | None = None) -> Any:
        """Make a group of `info` (with a `name`), perhaps with a room; return its id."""
        info = plain(info)
        if not info.get("name"):
            return None, "group-name-required"
        with self._groups.lock:
            group_id = group_id or secrets.token_hex(8)
            if group_id in self._groups:
                return None, "conflict"
            if len(self._groups) >= self._module.options.groups_max:
                return None, "resource-constraint"
            info = {"name": str(info["name"]), "mucs": {}}
            if create_default_muc:
                room = rooms.make(self._module, info["name"])
                if room is None:
                    return None, "service-unavailable"
                info["muc_jid"] = room
            self._groups.set_info(group_id, info)
        return group_id

    def delete(self, group_id: str) -> Any:
        """Remove a group; its members lose each other as contacts, its rooms are closed."""
        with self._groups.lock:
            info, members = self._groups.info(group_id), self._groups.members(group_id)
            if info is None:
                return MISSING
            self._groups.delete(group_id)
        for room in filter(None, [info.get("muc_jid"), *(info.get("mucs") or {})]):
            rooms.close(self._module, room)
        self._refresh(members)
        for username in members:
            self._tell("group-user-removed", id=group_id, user=username, host=self._module.host,
                       group_info=info)
        return True

    def exists(self, group_id: str) -> bool:
        """Whether there is such a group."""
        return group_id in self._groups

    def get_info(self, group_id: str) -> dict[str, Any] | None:
        """Return what is known of a group: `name`, and `muc_jid` of its first room."""
        return self._groups.info(group_id)

    def set_info(self, group_id: str, info: Any) -> Any:
        """Change the name of a group."""
        with self._groups.lock:
            old = self._groups.info(group_id)
            if old is None:
                return MISSING
            new = plain(info)
            if not new.get("name"):
                return None, "group-name-required"
            self._groups.set_info(group_id, {**old, "name": str(new["name"])})
        self._refresh(self._groups.members(group_id))
        return True

    def groups(self) -> Each:
        """Iterate over (id, info) of all groups."""
        return Each((group_id, self._groups.info(group_id)) for group_id in self._groups.ids())

    # -- members -----------------------------------------------------------------------------

    def get_members(self, group_id: str) -> Any:
        """Return the members of a group by user name."""
        return self._groups.members(group_id) if group_id in self._groups else MISSING

    def get_user_groups(self, username: str) -> dict[str, Any]:
        """Return the groups that an account is in: id -> info."""
        return {group_id: self._groups.info(group_id) for group_id in self._groups.of(username)}

    def add_member(self, group_id: str, username: str, delay_update: bool = False) -> Any:
        """Put an account into a group; with `delay_update` `sync` has to follow."""
        module = self._module
        with self._groups.lock:
            if group_id not in self._groups:
                return MISSING
            if not users.user_exists(module.server, username, module.host):
                return None, "user-not-found"
            members = self._groups.members(group_id)
            if username in members:
                return True
            if len(members) >= module.options.groups_max_members:
                return None, "resource-constraint"
            self._groups.add(group_id, username)
        for room in self._rooms(group_id):
            rooms.set_affiliation(module, room, f"{username}@{module.host}", "member")
        if not delay_update:
            self.sync(group_id)
        self._tell("group-user-added", id=group_id, user=username, host=module.host,
                   group_info=self._groups.info(group_id))
        return True

    def remove_member(self, group_id: str, username: str) -> Any:
        """Take an account out of a group."""
        module = self._module
        with self._groups.lock:
            if group_id not in self._groups:
                return MISSING
            if username not in self._groups.members(group_id):
                return True
            self._groups.remove(group_id, username)
        for room in self._rooms(group_id):
            rooms.set_affiliation(module, room, f"{username}@{module.host}", None)
        self._refresh([username, *self._groups.members(group_id)])
        self._tell("group-user-removed", id=group_id, user=username, host=module.host,
                   group_info=self._groups.info(group_id))
        return True

    def sync(self, group_id: str) -> bool:
        """Bring the rosters of all members up to date."""
        self._refresh(self._groups.members(group_id))
        return True

    def emit_member_events(self, group_id: str) -> Any:
        """Fire `group-user-added` for each member once more, for modules that come late."""
        info = self._groups.info(group_id)
        if info is None:
            return MISSING
        for username in self._groups.members(group_id):
            self._tell("group-user-added", id=group_id, user=username, host=self._module.host,
                       group_info=info)
        return True

    # -- rooms -------------------------------------------------------------------------------

    def _rooms(self, group_id: str) -> list[str]:
        info = self._groups.info(group_id) or {}
        return [room for room in (info.get("muc_jid"), *(info.get("mucs") or {})) if room]

    def get_group_chats(self, group_id: str) -> Any:
        """Return the rooms of a group: a list of {id, jid, name, deleted}."""
        if group_id not in self._groups:
            return MISSING
        return [{"id": jid.node(room), "jid": room, **rooms.describe(self._module, room)}
                for room in self._rooms(group_id)]

    def add_group_chat(self, group_id: str, name: str, id: str | None = None) -> Any:
        """Make one more room for a group; return {id, jid, name}."""
        with self._groups.lock:
            info = self._groups.info(group_id)
            if info is None:
                return MISSING
            room = rooms.make(self._module, name, id)
            if room is None:
                return None, "service-unavailable"
            self._groups.set_info(group_id, {**info, "mucs": {**(info.get("mucs") or {}),
                                                              room: name}})
        for username in self._groups.members(group_id):
            rooms.set_affiliation(self._module, room, f"{username}@{self._module.host}", "member")
        muc = {"id": jid.node(room), "jid": room, "name": name}
        self._tell("group-chat-added", group_id=group_id,
                   group_info=self._groups.info(group_id), muc=muc)
        return muc

    def remove_group_chat(self, group_id: str, muc_id: str) -> Any:
        """Close a room of a group; `muc_id` is its local part."""
        with self._groups.lock:
            info = self._groups.info(group_id)
            if info is None:
                return MISSING
            found = next((room for room in self._rooms(group_id) if jid.node(room) == muc_id), None)
            if found is None:
                return None, "not-found"
            mucs = {room: name for room, name in (info.get("mucs") or {}).items() if room != found}
            kept = {key: value for key, value in info.items()
                    if key != "muc_jid" or value != found}
            self._groups.set_info(group_id, {**kept, "mucs": mucs})
        muc = {"id": muc_id, "jid": found, **rooms.describe(self._module, found)}
        rooms.close(self._module, found)
        self._tell("group-chat-removed", group_id=group_id,
                   group_info=self._groups.info(group_id), muc=muc)
        return True
