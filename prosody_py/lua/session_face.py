"""Sessions in Lua: their filters as functions (util.filters stands on them)."""

from __future__ import annotations

from typing import Any

from prosody_py.events import filters
from prosody_py.lua.proxies import Face
from prosody_py.lua.values import encode
from prosody_py.sessions.session import Session


class LuaFilter:
    """A Lua function as a filter; equal to any other filter of the same function."""

    __slots__ = ("_function", "_binary")

    def __init__(self, function: Any, binary: bool):
        self._function, self._binary = function, binary

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LuaFilter) and other._function == self._function

    __hash__ = None

    def __call__(self, data: Any, session: Any) -> Any:
        result = self._function(data, session)
        if type(result) is tuple:
            result = result[0]
        return encode(result) if self._binary and isinstance(result, str) else result


def _filter(border, raw: Any, kind: str) -> Any:
    function = border.to_python(raw)
    return LuaFilter(function, kind.startswith("bytes/"))


def _add_filter(border, session: Session, raw_kind: Any, raw: Any, priority: Any = None) -> None:
    kind = border.to_python(raw_kind)
    filters.add_filter(session, kind, _filter(border, raw, kind), priority or 0)


def _remove_filter(border, session: Session, raw_kind: Any, raw: Any) -> None:
    kind = border.to_python(raw_kind)
    filters.remove_filter(session, kind, _filter(border, raw, kind))


def _run_filters(border, session: Session, raw_kind: Any, raw: Any) -> Any:
    kind = border.to_python(raw_kind)
    data = raw if kind.startswith("bytes/") else border.to_python(raw)
    return filters.run(session, kind, data)


class SessionFace(Face):
    """A client's session."""

    functions = {"add_filter": _add_filter, "remove_filter": _remove_filter,
                 "filter": _run_filters}
