"""The options of the resolver."""

from __future__ import annotations

from typing import Any

from prosody_py.config.options import Option, Options, array, boolean, period
from prosody_py.config.values import Wrong
from prosody_py.net.tls.identity import is_ip_address


def server_address(text: str) -> tuple[str, int]:
    """Return address and port of a name server: "192.0.2.53", "[2001:db8::53]:5353" ...

    Raises ValueError.
    """
    host, port = text, "53"
    if text.startswith("["):
        host, end, rest = text[1:].partition("]")
        port = rest.removeprefix(":") if rest else port if end else ""
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not is_ip_address(host) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not the address of a name server")
    return host, int(port)


def _name_server(value: Any) -> str:
    try:
        server_address(value)
    except (ValueError, TypeError, AttributeError):
        raise Wrong from None
    return value


class DnsOptions(Options):
    """What the resolver reads from the global section."""

    dns_servers = array(
        (), of=Option("string", 'the address of a name server, such as 192.0.2.53 or '
                                '"[2001:db8::53]:5353"', _name_server), where="global",
        doc="Name servers to ask in place of those of /etc/resolv.conf.")
    dns_timeout = period(
        "10 seconds", min="0.1 seconds", max="5 minutes", where="global",
        doc="How long one lookup may take, all attempts together.")
    dns_trust_ad = boolean(
        False, where="global",
        doc="Believe the name servers when they say that a record is authentic (DNSSEC). Only for "
            "servers that validate and are reached by a way that nobody else can write to; "
            "`options trust-ad` in /etc/resolv.conf says the same.")
