"""Rooms in Lua: what Prosody's modules know as `room` and `occupant`.

The objects are those of modules/mod_muc, by the names of their classes: each instance of the module
has its own. Iterators work by themselves, functions that refuse answer `nil, type, condition`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua.proxies import Face
from prosody_py.xmpp.errors import StanzaError


def _refusing(name: str) -> Callable[..., Any]:
    """Return a method of a room that gives `nil, type, condition, text` for a StanzaError."""
    def call(border, room: Any, *raw: Any) -> Any:
        try:
            return getattr(room, name)(*map(border.to_python, raw))
        except StanzaError as error:
            return None, error.type, error.condition, error.text

    call.__name__ = name
    return call


def _functions_that_refuse(*names: str) -> dict[str, Callable[..., Any]]:
    return {name: _refusing(name) for name in names}


class RoomFace(Face):
    """A room."""

    functions = _functions_that_refuse("set_affiliation", "set_role", "set_affiliation_data",
                                       "destroy")


class RoomDataFace(Face):
    """Settings and affiliations of a room: tables that are put in are copied."""

    copies = True


FACES: dict[type | str, Face] = {"Room": RoomFace(), "RoomData": RoomDataFace()}
