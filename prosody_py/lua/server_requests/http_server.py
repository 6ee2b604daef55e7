"""Requests: the HTTP server (net.http.server, net.http.files)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua import http_faces
from prosody_py.lua.references import LuaData


def http_events(border, server) -> Any:
    """Return the events of requests."""
    return border.to_lua(server.http.events)


def http_add_host(border, server, raw: bytes) -> None:
    server.http.add_host(border.to_python(raw))


def http_remove_host(border, server, raw: bytes) -> None:
    server.http.remove_host(border.to_python(raw))


def http_set_default_host(border, server, raw: Any = None) -> None:
    server.http.default_host = border.to_python(raw)


def http_listener(border, server) -> Any:
    """Return the listener of the HTTP ports."""
    return border.to_lua(server.http)


def http_reason(border, server, code: Any) -> bytes:
    """Return the name of a status code."""
    try:
        return border.to_lua(server.http.reason(int(code)))
    except (TypeError, ValueError):
        return b"Unassigned"


def http_request_of(border, server, raw: Any) -> Any:
    """Return the request that is being answered on a connection."""
    session = server.http.session_of(border.to_python(raw))
    response = None if session is None else session.response
    return None if response is None else border.to_lua(response.request)


def http_files(border, server, raw: Any) -> Any:
    """Return a handler that serves a folder: a path, or a table of options.

    Without a path the handler fails when it is called, and not before. The table of types is asked
    for every file, since it may have an `__index`.
    """
    given = border.to_python(raw)
    options = given if isinstance(given, LuaData | dict) else {"path": given}
    folder = options.get("path")
    if not isinstance(folder, str):
        return border.to_lua(_no_folder)
    names = options.get("index_files")
    return border.to_lua(server.http.files(
        folder, options.get("mime_map"),
        ("index.html", "index.htm") if names is None else names.copy(),
        bool(options.get("directory_index"))))


def _no_folder(_event: Any, _path: Any = None) -> None:
    """Answer a request where no folder was named."""
    raise ValueError("net.http.files: 'path' is missing")


def _on_response(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a request that calls the response's own function, whatever a module has put there."""
    def call(border, server, response: Any, *raw: Any) -> Any:
        return function(border, border.to_python(response), *raw)
    return call


def http_forget(border, server, raw: Any) -> None:
    """Let go of a connection, which is to have another listener."""
    server.http.forget(border.to_python(raw))


PLAIN: dict[str, Callable[..., Any]] = {
    "http_events": http_events, "http_add_host": http_add_host,
    "http_remove_host": http_remove_host, "http_set_default_host": http_set_default_host,
    "http_listener": http_listener, "http_reason": http_reason,
    "http_request_of": http_request_of, "http_files": http_files, "http_forget": http_forget,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "http_send": _on_response(http_faces.send),
    "http_send_file": _on_response(http_faces.send_file),
    "http_write_headers": _on_response(http_faces.write_headers),
    "http_done": _on_response(http_faces.done),
}
