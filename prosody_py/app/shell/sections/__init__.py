"""The shell commands that come with the server, one file for each section or part of one."""

from prosody_py.app.shell.sections import (
    accounts,
    c2s,
    configuration,
    debug,
    events,
    hosts,
    modules,
    network,
    ports,
    roles,
    rosters,
    server,
    stats,
    users,
    watch,
)

SECTIONS = (server.HELP, *(file.SECTION for file in (
    server, hosts, modules, users, roles, rosters, c2s, configuration, ports, stats, events,
    network, watch, debug)))
__all__ = ["SECTIONS", "accounts"]
