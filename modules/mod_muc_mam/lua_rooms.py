"""Rooms of a mod_muc in Lua, such as Prosody's own, with the methods that ours have."""

from __future__ import annotations

from functools import partial
from typing import Any


class LuaRoom:
    """A room that is a Lua table; its functions get it first, as by a colon in Lua."""

    def __init__(self, table: Any):
        self.table = table

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.table, name)
        return partial(found, self.table) if callable(found) else found


def room_of(found: Any) -> Any:
    """Return a room as Python knows rooms; `found` is what an event or mod_muc gives."""
    return LuaRoom(found) if hasattr(found, "raw") else found


def add_field(form: Any, field: dict[str, Any]) -> None:
    """Add a field to the layout of a form, which may be a Lua table."""
    if hasattr(form, "raw"):
        form[len(form) + 1] = field
    else:
        form.append(field)
