"""What may stand for an argument: suggestions for who types a command."""

from __future__ import annotations

from prosody_py.api.role_definitions import definitions
from prosody_py.loader.find import available

MOST = 500


def suggest(server, kind: str) -> list[str]:
    """Return values for an argument of a type: hosts, modules, addresses of who is online."""
    if kind == "host":
        return [host.name for host in server.config.hosts]
    if kind == "module":
        return sorted(available(server.modules.folders))
    if kind == "role":
        return list(dict.fromkeys(name for host in server.hosts
                                  for name in definitions(server, host)))
    if kind == "bare_jid":
        return sorted(server.bare_sessions)[:MOST]
    if kind == "jid":
        return sorted([*server.bare_sessions, *server.full_sessions])[:MOST]
    return []
