"""`port ...`: where the server listens."""

from __future__ import annotations

from prosody_py.api.commands import Section, Table

SECTION = Section("port", "Listening ports")


@SECTION.command("list")
def list_ports(call):
    """List the ports that are open, and those that should be and are not."""
    ports = call.server.ports
    rows = [(port.service, port.interface, port.port, "open") for port in ports.open.values()]
    rows += [(service, interface, number, "could not be opened")
             for (interface, number), service in ports.wanted().items()
             if (interface, number) not in ports.open]
    return Table(("service", "address", "port", "state"), sorted(rows))
