"""Requests: the life of clients' sessions (core.sessionmanager)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api.role_definitions import definitions
from prosody_py.events import filters
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import lifecycle
from prosody_py.sessions.session import Session
from prosody_py.xmpp import prep
from prosody_py.xmpp.errors import StanzaError


def new_session(border, server, conn: Any = None) -> Any:
    """Return a session for a connection, or for none; filter hooks have seen it."""
    session = Session(border.to_python(conn), server)
    filters.initialize(session)
    return border.to_lua(session)


def retire_session(border, server, session: Any) -> Any:
    """Take what a session could do; it stays as something that can be logged and sent to."""
    session = border.to_python(session)
    lifecycle.retire(session)
    return border.to_lua(session)


def update_session(border, server, to: Any, from_: Any) -> None:
    """Let a session go on over the connection of another."""
    lifecycle.update(border.to_python(to), border.to_python(from_))


def make_authenticated(border, server, session: Any, raw_username: Any, role: Any = None) -> Any:
    """Make a session that of a user, in the account's own role or the one that is named."""
    session = border.to_python(session)
    try:
        username = prep.nodeprep(border.to_python(raw_username) or "")
    except prep.PrepError:
        username = ""
    if not username:
        return None, b"Invalid username"
    role = border.to_python(role)
    if role is not None and not isinstance(role, str):
        role = role.name
    if role is not None and role not in definitions(server, session.host):
        return None, b"role-not-found"
    lifecycle.make_authenticated(session, username, role)
    return True


def bind_resource(border, server, session: Any, resource: Any = None) -> Any:
    """Return true, or nil with type, condition and text of the error."""
    try:
        lifecycle.bind_resource(border.to_python(session), border.to_python(resource),
                                lambda username, host: load_roster(server, username, host.host))
    except StanzaError as error:
        return (None, *map(border.to_lua, (error.type, error.condition, error.text)))
    return True


def destroy_session(border, server, session: Any, reason: Any = None) -> None:
    reason = border.to_python(reason)
    lifecycle.destroy(border.to_python(session), reason if isinstance(reason, str) else None)


def _send_to(border, server, raw_username: Any, raw_host: Any, raw_stanza: Any,
             wanted: Callable[[Any], Any]) -> int:
    account = f"{border.to_python(raw_username)}@{border.to_python(raw_host)}"
    user = server.bare_sessions.get(account)
    stanza = border.to_python(raw_stanza)
    to, to_many = stanza.attr.get("to"), OneToMany(stanza)
    sessions = [session for session in (user.sessions.values() if user is not None else ())
                if wanted(session)]
    for session in sessions:
        to_many.send(session, to)
    return len(sessions)


def send_to_available(border, server, username: Any, host: Any, stanza: Any) -> int:
    """Send to the available resources of a user; return how many there are."""
    return _send_to(border, server, username, host, stanza,
                    lambda session: session.presence is not None)


def send_to_interested(border, server, username: Any, host: Any, stanza: Any) -> int:
    """Send to the resources of a user that have asked for the roster; return how many."""
    return _send_to(border, server, username, host, stanza, lambda session: session.interested)


def on_new_session(border, server, raw: Any) -> None:
    """Call a Lua function with every new session, before anything goes through it."""
    function = border.to_python(raw)

    def hook(session: Any) -> None:
        if session.server is server:
            function(session)

    filters.add_filter_hook(hook)
    server.events.add_handler("server-cleanup", lambda _event: filters.remove_filter_hook(hook))


PLAIN: dict[str, Callable[..., Any]] = {"on_new_session": on_new_session}
REQUESTS: dict[str, Callable[..., Any]] = {
    "new_session": new_session, "retire_session": retire_session,
    "update_session": update_session, "make_authenticated": make_authenticated,
    "bind_resource": bind_resource,
    "destroy_session": destroy_session, "send_to_available": send_to_available,
    "send_to_interested": send_to_interested,
}
