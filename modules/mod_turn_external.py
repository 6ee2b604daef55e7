"""A STUN and TURN server beside this one, with time-limited credentials (XEP-0215).

The server and this one share a secret: `static-auth-secret` of coturn and eturnal's `secret`.
"""

from __future__ import annotations

from prosody_py.api import Options, boolean, integer, period, string
from prosody_py.api.errors import LoadError

DEPENDS = ("external_services",)


class Config(Options):
    """Where the server is, and its secret."""

    turn_external_secret = string(None, secret=True, doc="What the TURN server knows too.")
    turn_external_host = string(None, doc="Where the TURN server is; by default the host itself.")
    turn_external_port = integer(3478, min=1, max=65535, doc="Its port for UDP, and for TCP.")
    turn_external_ttl = period(
        "1 day", min="1 minute", max="1 year", doc="How long credentials are good for.")
    turn_external_tcp = boolean(False, doc="Whether it can be reached by TCP.")
    turn_external_tls_port = integer(None, min=1, max=65535, doc="Its port for TLS, if any.")


def load(module):
    """Offer what the server can do."""
    options = module.options
    if not options.turn_external_secret:
        raise LoadError("mod_turn_external needs the option turn_external_secret, which is the "
                        "secret that the TURN server is given")
    host, port = options.turn_external_host or module.host, options.turn_external_port
    turn = {"secret": options.turn_external_secret, "ttl": options.turn_external_ttl}
    services = [{"type": "stun", "transport": "udp", "port": port},
                {"type": "turn", "transport": "udp", "port": port, **turn}]
    if options.turn_external_tcp:
        services += [{"type": "stun", "transport": "tcp", "port": port},
                     {"type": "turn", "transport": "tcp", "port": port, **turn}]
    if options.turn_external_tls_port:
        services.append({"type": "turns", "transport": "tcp",
                         "port": options.turn_external_tls_port, **turn})
    for service in services:
        module.add_item("external_service", {"host": host, **service})
