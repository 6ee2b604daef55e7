"""The life of a client's session: authenticated, bound to a resource, destroyed.

States and events are those of Prosody's sessionmanager: `authentication-success` is fired by who
authenticates; here `pre-resource-bind`, `resource-bind`, `pre-resource-unbind`,
`resource-unbind`.
"""

from __future__ import annotations

import secrets

from prosody_py.api.roles import Role, user_role
from prosody_py.events.bus import Event
from prosody_py.hosts.host import UserSessions
from prosody_py.xmpp import prep
from prosody_py.xmpp.errors import StanzaError

MAX_RESOURCES = 64


def make_authenticated(session, username: str, role: str | None = None) -> None:
    """Make `session` that of `username` (already prepared) on its host.

    The session acts in `role`, which is the account's own unless one is named. May wait for a
    store.
    """
    # Said first, so that who changes the account meanwhile finds the session.
    session.username, session.bare_jid = username, f"{username}@{session.host}"
    try:
        role = role or user_role(session.server, username, session.host)
    except BaseException:
        session.username = session.bare_jid = None
        raise
    session.role = Role(session.server, session.host, role)
    if session.destroyed:
        return
    session.type = "c2s_unbound"
    session.authenticated()


def bind_resource(session, resource: str | None, load_roster) -> None:
    """Bind an authenticated session to a resource (RFC 6120 section 7).

    Without a wish the server chooses. On a conflict the option `conflict_resolve` of the host
    decides: "kick_old" (default), "kick_new" or "random". `load_roster(username, host)` is
    called for the user's first resource. Raises StanzaError.
    """
    if session.resource:
        raise StanzaError("not-allowed", "This session is bound to a resource already",
                          type="cancel")
    host = session.host_object
    event = Event(session=session, resource=resource)
    if host.events.fire_event("pre-resource-bind", event) is False:
        raise _refusal(event)
    wanted = _prepare(event.resource)
    # All of this may block, and everything may have changed after it: others have bound
    # sessions or ended them. So the place is taken only when it is free in the same moment.
    user = _user_of(session, load_roster)
    while wanted in user.sessions:
        wanted = _resolve_conflict(session, user.sessions[wanted], wanted)
        user = _user_of(session, load_roster)
    if len(user.sessions) >= MAX_RESOURCES:
        raise StanzaError("resource-constraint", "Too many resources are connected")
    host.sessions[session.username] = session.server.bare_sessions[session.bare_jid] = user
    session.resource = wanted
    session.full_jid = f"{session.bare_jid}/{wanted}"
    session.type = "c2s"
    session.roster = user.roster
    user.sessions[wanted] = session
    session.server.full_sessions[session.full_jid] = session
    host.events.fire_event("resource-bind", Event(session=session))


def _prepare(resource: str | None) -> str:
    if not resource:
        return secrets.token_urlsafe(9)
    try:
        prepared = prep.resourceprep(resource)
    except prep.PrepError:
        raise StanzaError("bad-request", "This is not a valid resource") from None
    return prepared or secrets.token_urlsafe(9)


def _refusal(event) -> StanzaError:
    """Return the error that a handler of pre-resource-bind has chosen (util.error's fields)."""
    error = getattr(event, "error", None)
    if isinstance(error, StanzaError):
        return error
    return StanzaError(getattr(error, "condition", None) or "not-allowed",
                       getattr(error, "text", None), type=getattr(error, "type", None) or "cancel")


def _user_of(session, load_roster) -> UserSessions:
    """Return the entry of the session's user, made (but not entered) when there is none.

    After this has returned, nothing has blocked since the entry was looked for.
    """
    sessions = session.host_object.sessions
    user = sessions.get(session.username)
    if user is None:
        roster = load_roster(session.username, session.host_object)
        user = sessions.get(session.username)
        if user is None:
            user = UserSessions(session.username)
            user.roster = roster
    if session.destroyed or session.server.hosts.get(session.host) is not session.host_object:
        raise StanzaError("recipient-unavailable", "The session has ended meanwhile")
    return user


def _resolve_conflict(session, old, wanted: str) -> str:
    """Return the resource to try for next: `wanted`, which is free now, or another one."""
    policy = session.server.config.get(session.host, "conflict_resolve") or "kick_old"
    if policy == "kick_new":
        raise StanzaError("conflict", "Resource is in use by another session")
    if policy == "random":
        return secrets.token_urlsafe(9)
    old.close("conflict", "Replaced by a new connection")
    destroy(old, "replaced by a new connection")
    _unindex(old)  # where it is being destroyed, and waits for a handler
    return wanted


def destroy(session, reason: str | None = None) -> None:
    """End a session: unavailable to all, out of all indexes. Does not close its connection.

    A handler of `pre-resource-unbind` that returns true keeps the session, for a client that may
    come back (XEP-0198); it is for that handler to end it at last.
    """
    if session.destroyed:
        return
    session.destroyed = True
    if session.full_jid:
        host = session.host_object
        event = Event(session=session, error=reason)
        if host.events.fire_event("pre-resource-unbind", event):
            session.destroyed = None
            return
        _unindex(session)
        host.events.fire_event("resource-unbind", event)
    session.type = session.type.partition("_")[0] + "_destroyed"
    session.presence = session.roster = session.stream = session.sasl_handler = None


def retire(session) -> None:
    """Take from a session what it could do: it has been ended, or another has taken its place."""
    for name in list(session.__dict__):
        if name not in ("conn", "server", "host", "host_object", "ip"):
            del session.__dict__[name]
    session.destroyed, session.notopen = True, True
    session.type = "c2s_destroyed"
    session.send = _discard
    session.close = lambda reason=None, text=None: None


def _discard(_stanza) -> bool:
    return False


_discard.never_blocks = True  # as Session.send


def update(session, successor) -> None:
    """Let a session go on over the connection of `successor`, a session that is given up.

    The connection that `session` had, if any, is closed. Fires `c2s-session-updated` on the host.
    """
    old = session.conn
    for name in ("conn", "ip", "secure", "stream", "streamid", "version", "lang", "listener",
                 "notopen", "filters", "compressed"):
        if name in successor.__dict__:
            session.__dict__[name] = successor.__dict__[name]
        else:
            session.__dict__.pop(name, None)
    session.log.debug("Goes on over the connection of %s", successor.id)
    session.conn.session = session
    retire(successor)
    successor.conn = None
    if old is not None:
        old.session = None
        old.close("replaced by a new connection")
    session.host_object.events.fire_event("c2s-session-updated", Event(
        session=session, from_session=successor, replaced_conn=old))


def _unindex(session) -> None:
    server = session.server
    if server.full_sessions.get(session.full_jid) is session:
        del server.full_sessions[session.full_jid]
    user = server.bare_sessions.get(session.bare_jid)
    if user is not None and user.sessions.get(session.resource) is session:
        del user.sessions[session.resource]
        if not user.sessions:
            del server.bare_sessions[session.bare_jid]
            session.host_object.sessions.pop(session.username, None)


def top_resources(user: UserSessions) -> list:
    """Return the available sessions of the highest non-negative priority (RFC 6121, 8.5.2.1)."""
    top, best = [], 0
    for session in user.sessions.values():
        priority = session.priority if session.presence is not None else None
        if priority is None or priority < best:
            continue
        if priority > best:
            top, best = [], priority
        top.append(session)
    return top
