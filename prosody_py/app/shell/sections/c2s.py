"""`c2s ...`: the clients that are connected."""

from __future__ import annotations

from collections import Counter

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.app.shell.sections.server import duration
from prosody_py.xmpp import jid as addresses

SECTION = Section("c2s", "Connections of clients")


@SECTION.command("count")
def count(call):
    """Count the connections by state and host."""
    counted = Counter((session.host or "", session.type) for session in _sessions(call.server))
    rows = [(host, _state(kind), number) for (host, kind), number in sorted(counted.items())]
    rows.append(("", "all", counted.total()))
    return Table(("host", "state", "connections"), rows)


@SECTION.command("show", "jid:jid?")
def show(call, jid):
    """List the connections, all or those of one account."""
    rows = [(session.id, session.full_jid or session.bare_jid or "", session.ip or "",
             _state(session.type), _tls(session), duration(session.idle_for()))
            for session in _sessions(call.server) if jid is None or _matches(session, jid)]
    return Table(("session", "address", "ip", "state", "tls", "silent for"),
                 sorted(rows, key=lambda row: (row[1], row[0])))


@SECTION.command("close", "jid:jid", "text:text?")
def close(call, jid, text):
    """End the connections of an account, or the one of a full address."""
    found = [session for session in _sessions(call.server) if _matches(session, jid)]
    if not found:
        raise CommandError(f"Nobody is connected as {jid}")
    for session in found:
        session.close("reset", text or "The administrator ended this connection")
    return f"Ended {len(found)} connection{'' if len(found) == 1 else 's'}"


@SECTION.command("closeall", "host:host?", "text:text?")
def close_all(call, host, text):
    """End the connections of all clients, of one host or of all."""
    found = [session for session in _sessions(call.server) if host in (None, session.host)]
    for session in found:
        session.close("reset", text or "The administrator ended this connection")
    return f"Ended {len(found)} connections"


def _sessions(server) -> list:
    """Return all sessions of clients: connected ones, and those that wait to be resumed."""
    c2s = server.modules.get_module("*", "c2s")
    sessions = list(c2s.listener.sessions.values()) if c2s is not None else []
    return list(dict.fromkeys([*sessions, *server.full_sessions.values()]))


def _matches(session, jid: str) -> bool:
    node, _host, resource = addresses.split(jid)
    if resource is not None:
        return session.full_jid == jid
    return session.bare_jid == jid if node is not None else session.host == jid


def _state(kind: str) -> str:
    return {"c2s": "logged in", "c2s_unbound": "no resource yet",
            "c2s_unauthed": "not logged in"}.get(kind, kind)


def _tls(session) -> str:
    tls = getattr(session.conn, "tls", None)
    return tls.get_protocol_version_name() if tls is not None else "no"
