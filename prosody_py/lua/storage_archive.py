"""Archives of a storage driver in Lua (interface.Archive)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from prosody_py.lua.storage_table import LuaTable
from prosody_py.storage.archive_query import body_text, day, microseconds
from prosody_py.storage.interface import ArchiveItem, StorageError
from prosody_py.storage.views import owner
from prosody_py.xmpp.stanza import Stanza

_BY_ID = ("ids", "before", "after", "limit")  # in a query for `delete`
_SUMMARY = ("counts", "earliest", "latest", "body")


class LuaArchive:
    """Kind "archive"."""

    def __init__(self, table: LuaTable):
        self.table = table

    @property
    def caps(self) -> dict[str, Any]:
        """What the driver says that it supports."""
        found = self.table.table.get("caps")
        caps = found.copy() if hasattr(found, "copy") else None
        return caps if isinstance(caps, dict) else {}

    def append(self, user: str | None, key: str | None, value: Stanza, when: float,
               with_: str) -> str:
        """Add an item, or replace the one with this key, and return its id."""
        owner(user)
        with self.table.lock(user):
            return self.table.write("append", user, key, value, when, with_)

    def find(self, user: str | None, query: Mapping[str, Any] | None = None,
             ) -> tuple[Iterator[ArchiveItem], int | None]:
        """Return the matching items, and their number if asked for."""
        owner(user)
        wanted = self._with_single_bounds(user, query) if query else None
        if wanted and wanted.get("ids") is not None:
            wanted["ids"] = list(wanted["ids"])
            if not self.caps.get("ids"):
                return self._find_ids(user, wanted)
        with self.table.lock(user):
            result = self.table.call("find", user, wanted)
        self.table.check("find", result)
        total = result[1] if len(result) > 1 and isinstance(result[1], int | float) else None
        return self.table.iterate((result[0],), self._item), total

    def _with_single_bounds(self, user: str | None, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return a query in which `after` and `before` are one id each, as drivers know them."""
        wanted = dict(query)
        for name, choose in (("after", max), ("before", min)):
            ids = wanted.get(name)
            if isinstance(ids, list | tuple):
                if len(ids) > 1:
                    ids = [choose(ids, key=lambda id: (self.get(user, id) or (None, 0))[1])]
                wanted[name] = ids[0] if ids else None
        return wanted

    def _find_ids(self, user: str | None, query: dict[str, Any],
                  ) -> tuple[Iterator[ArchiveItem], int | None]:
        """Pick items by id where the driver cannot."""
        ids, limit = set(query.pop("ids")), query.pop("limit", None)
        total = query.pop("total", False)
        found = [item for item in self.find(user, query)[0] if item[0] in ids]
        kept = found if limit is None else found[:int(limit)]
        return iter(kept), len(found) if total else None

    def _item(self, step: tuple[Any, ...]) -> ArchiveItem:
        to_python = self.table.border.to_python
        key, value, when, with_ = map(to_python, (*step, None, None, None)[:4])
        return key, value, when, with_

    def get(self, user: str | None, key: str) -> tuple[Stanza, float, str] | None:
        """Return (value, when, with) of one item, None when there is none."""
        if not self.table.has("get"):
            items, _total = self.find(user, {"key": key, "limit": 1})
            return next((item[1:] for item in items), None)
        owner(user)
        with self.table.lock(user):
            result = self.table.call("get", user, key)
        try:
            self.table.check("get", result, nil_is_an_answer=True)
        except StorageError as error:
            if error.condition == "item-not-found":
                return None
            raise
        value, when, with_ = map(self.table.border.to_python, (*result, None, None)[:3])
        return (value, when, with_) if isinstance(value, Stanza) else None

    def set(self, user: str | None, key: str, value: Stanza, when: float | None = None,
            with_: str | None = None) -> None:
        """Replace an item; raises StorageError "item-not-found"."""
        owner(user)
        with self.table.lock(user):
            result = self.table.call("set", user, key, value, when, with_)
        if result[0] is False and len(result) == 1:
            raise StorageError("item-not-found", f"{self.table.title} has no such item")
        self.table.check("set", result)

    def delete(self, user: str | Literal[True] | None,
               query: Mapping[str, Any] | None = None) -> int:
        """Delete what matches and return how many it was, 0 where the driver does not count."""
        if user is True and not self.caps.get("wildcard_delete"):
            return sum(self.delete(name, query) for name in list(self.users()))
        with self.table.lock(user):
            if query and not query.get("truncate") and any(
                    query.get(name) is not None for name in _BY_ID):
                return self._delete_found(user, query)
            return self._delete(user, None if query is None else dict(query))

    def _delete(self, user: str | Literal[True] | None, query: dict[str, Any] | None) -> int:
        count = self.table.write("delete", user, query)
        return 0 if count is True else int(count)

    def _delete_found(self, user: str | Literal[True] | None, query: Mapping[str, Any]) -> int:
        """Delete what only `find` can select: drivers overlook such fields in `delete`."""
        if user is True:
            return sum(self.delete(name, query) for name in list(self.users()))
        keys = [item[0] for item in self.find(user, query)[0]]
        if len(keys) > 1 and len(keys) == sum(1 for _ in self.find(user)[0]):
            self._delete(user, None)
        else:
            for key in keys:
                self._delete(user, {"key": key})
        return len(keys)

    def summary(self, user: str | None,
                query: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
        """Return {"counts", "earliest", "latest", "body"}, each a dict by `with`."""
        if self.table.has("summary"):
            owner(user)
            with self.table.lock(user):
                found = self.table.read("summary", user, None if query is None else dict(query))
            found = found if isinstance(found, dict) else {}
            return {name: found.get(name) or {} for name in _SUMMARY}
        result: dict[str, dict[str, Any]] = {name: {} for name in _SUMMARY}
        for _key, value, when, with_ in self.find(user, query)[0]:
            result["counts"][with_] = result["counts"].get(with_, 0) + 1
            result["earliest"].setdefault(with_, when)
            result["latest"][with_] = when
            body = body_text(value)
            if body is not None:
                result["body"][with_] = body
        return result

    def dates(self, user: str | None) -> list[str]:
        """Return the days (UTC, "YYYY-MM-DD") on which there are items."""
        if self.table.has("dates"):
            owner(user)
            with self.table.lock(user):
                found = self.table.read("dates", user)
            return found if isinstance(found, list) else []
        return sorted({day(microseconds(when)) for _key, _value, when, _with in self.find(user)[0]})

    def users(self) -> Iterator[str]:
        """Return the users who have items."""
        result = self.table.call("users")
        self.table.check("users", result)
        return self.table.names(result)
