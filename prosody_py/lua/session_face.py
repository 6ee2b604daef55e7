"""Sessions in Lua: their filters as functions (util.filters stands on them)."""

from __future__ import annotations

from typing import Any

from prosody_py.events import filters
from prosody_py.lua.proxies import Face
from prosody_py.lua.values import encode
from prosody_py.sessions.session import Session
from prosody_py.xmpp.parser import StreamParser


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


def _data(border, session: Session, raw: bytes) -> None:
    """Work off bytes as if the peer had sent them; called with a dot, as in Prosody."""
    receive = getattr(type(session), "data", None)
    if receive is None:
        raise TypeError("this session has no stream that could take bytes")
    receive(session, raw)


def _set_session(border, stream: StreamParser, raw: Any) -> None:
    """Give the connection under a stream to the session that has taken the stream over."""
    session = border.to_python(raw)
    conn = session.conn
    if conn is None or session.stream is not stream or conn.session in (None, session):
        return
    conn.session.stop_timer()
    conn.session = session
    session.bound()


class StreamFace(Face):
    """The parser of a session's stream."""

    functions = {"set_session": _set_session}


class SessionFace(Face):
    """A client's session."""

    methods = frozenset(("close",))
    functions = {"add_filter": _add_filter, "remove_filter": _remove_filter,
                 "filter": _run_filters, "data": _data}
