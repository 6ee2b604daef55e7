"""`host ...`: the domains that this server speaks for."""

from __future__ import annotations

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.app.reload import deactivate_host
from prosody_py.app.startup import activate_host

SECTION = Section("host", "Hosts and components")


@SECTION.command("list")
def list_hosts(call):
    """List the hosts of the configuration and what is running."""
    server = call.server
    rows = []
    for record in server.config.hosts:
        host = server.hosts.get(record.name)
        kind = f"component ({record.component_module})" if record.component_module else "local"
        rows.append((record.name, kind, "active" if host else "not active",
                     len(host.modules) if host else 0, len(host.sessions) if host else 0))
    return Table(("host", "type", "state", "modules", "users online"), rows)


@SECTION.command("activate", "host:host", everywhere=True)
def activate(call, host):
    """Put a host of the configuration in service."""
    record = call.server.config.host(host)
    if record is None:
        raise CommandError(f"{host} is not in the configuration; add it there and say "
                         "'config reload'")
    if host in call.server.hosts:
        raise CommandError(f"{host} is active already")
    failed = activate_host(call.server, host, record.component_module)
    for problem in failed:
        call.print(problem)
    return f"{host} is active" + (f", without {len(failed)} of its modules" if failed else "")


@SECTION.command("deactivate", "host:host", "reason:text?", everywhere=True)
def deactivate(call, host, reason):
    """Take a host out of service until the next start or 'host activate'."""
    if host not in call.server.hosts:
        raise CommandError(f"{host} is not active")
    deactivate_host(call.server, host, reason)
    return f"{host} is not active any more"
