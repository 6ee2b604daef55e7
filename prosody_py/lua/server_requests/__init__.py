"""What Lua's core.* libraries and `prosody` ask of the server, by name.

Functions take the border, the server and raw Lua values. Those in `PLAIN` never block: they are
called below a Lua frame. Those in `REQUESTS` may block. In Lua both are in the table
`require "native.server"`. One file for each subject; names are of the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua.server_requests import (
    accounts,
    commands,
    configuration,
    databases,
    dns,
    drivers,
    files,
    hosts,
    http,
    http_server,
    ldap,
    metrics,
    modules,
    network,
    passwords,
    ports,
    roles,
    rosters,
    sessions,
    signals,
    sinks,
    stanzas,
    stores,
    tls,
)

_SUBJECTS = (stanzas, modules, configuration, hosts, accounts, roles, rosters, sessions, stores,
             ports, metrics, databases, ldap, drivers, files, network, tls, sinks, http,
             http_server, dns, signals, passwords, commands)

PLAIN: dict[str, Callable[..., Any]] = {}
REQUESTS: dict[str, Callable[..., Any]] = {}
for _subject in _SUBJECTS:
    PLAIN.update(getattr(_subject, "PLAIN", {}))
    REQUESTS.update(getattr(_subject, "REQUESTS", {}))
