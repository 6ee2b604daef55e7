"""HTTP in Lua: the functions of an answer. Requests have none, so they are seen as they are.

What a module writes into an answer stands above these: several replace `response.send`.
"""

from __future__ import annotations

from typing import Any

from prosody_py.lua.proxies import Face


def body_of(border, raw: Any) -> Any:
    """Return a body that Lua gives: text as bytes, nil as None."""
    return raw if raw is None or type(raw) is bytes else border.to_python(raw)


def _own(response: Any, name: str) -> Any:
    # That of the class: a module that replaces `response.send` keeps the one it has read.
    return getattr(type(response), name).__get__(response)


def send(border, response: Any, raw: Any = None, *_more: Any) -> Any:
    """Send an answer with this body."""
    return _own(response, "send")(body_of(border, raw))


def send_file(border, response: Any, raw: Any) -> Any:
    """Send what a file, or an object with `read`, gives; waits until it is under way."""
    if not border.is_lua_value(raw):
        return _own(response, "send_file")(border.to_python(raw))
    return _own(response, "send_file")(border.server.http.lua_file(border.at_home(raw)))


def write_headers(border, response: Any, *_more: Any) -> None:
    """Send the head; the module writes the body to the connection itself."""
    _own(response, "write_headers")()


def write_body(border, response: Any, raw: Any = None) -> Any:
    """Send a part of the body."""
    return _own(response, "write_body")(body_of(border, raw))


def done(border, response: Any) -> Any:
    """End an answer."""
    return _own(response, "done")()


def finish_cb(border, response: Any) -> None:
    """Say that an answer was written past this object, and is finished."""
    _own(response, "finish_cb")()


class ResponseFace(Face):
    """An answer that is being made."""

    sealed = True
    functions = {"send": send, "send_file": send_file, "write_headers": write_headers,
                 "write_body": write_body, "done": done, "finish_cb": finish_cb}
    fields = {"keep_alive": lambda border, response: response.persistent}


# Answers are of a room below this one, so they are known by name.
FACES: dict[type | str, Face] = {"OutgoingResponse": ResponseFace()}
