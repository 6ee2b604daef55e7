"""The shell commands that come with the server, one file for each section."""

from prosody_py.app.shell.sections import (
    accounts,
    c2s,
    configuration,
    debug,
    events,
    hosts,
    modules,
    ports,
    server,
)

SECTIONS = (server.HELP, *(file.SECTION for file in (
    server, hosts, modules, accounts, c2s, configuration, ports, events, debug)))
