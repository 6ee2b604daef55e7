"""Who a request comes from, when there is a reverse proxy in front (RFC 7239, X-Forwarded-For).

What such a header says is believed only from an address in `trusted_proxies`. Each proxy adds the
one that has asked it at the end, so the client is the last one that is no trusted proxy.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_PAIR = re.compile(r'[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\s]+))'
                   r'[ \t]*([,;]|$)')


def networks(addresses: Iterable[str]) -> tuple[Network, ...]:
    """Return addresses and networks ("192.0.2.0/24"); raises ValueError."""
    return tuple(ipaddress.ip_network(address, strict=False) for address in addresses)


class Forwarding:
    """The proxies whose word is taken.

    With `legacy` X-Forwarded-For and X-Forwarded-Proto count where there is no Forwarded header.
    """

    def __init__(self, trusted: Iterable[str] = (), legacy: bool = True):
        self._trusted = networks(trusted)
        self._legacy = legacy

    def trusts(self, address: str) -> bool:
        """Whether `address` is a trusted proxy's."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        parsed = mapped or parsed
        return any(parsed.version == network.version and parsed in network
                   for network in self._trusted)

    def resolve(self, ip: str, secure: bool, headers: Mapping[str, str]) -> tuple[str, bool]:
        """Return the address of the client, and whether it has a secure connection."""
        if not self.trusts(ip):
            return ip, secure
        hops = _parse_forwarded(headers.get("forwarded"))
        if hops is None and self._legacy:
            hops = _legacy_hops(headers)
        for address, protocol in reversed(hops or ()):
            if address is None:
                return ip, secure
            ip = address
            secure = protocol == "https" if protocol is not None else secure
            if not self.trusts(ip):
                break
        return ip, secure


def _legacy_hops(headers: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    protocol = headers.get("x_forwarded_proto")
    protocol = protocol.strip().lower() if protocol else None
    addresses = headers.get("x_forwarded_for")
    return [(_address(part), protocol) for part in addresses.split(",")] if addresses else []


def _parse_forwarded(value: str | None) -> list[tuple[str | None, str | None]] | None:
    if value is None:
        return None
    hops, current, at = [], {}, 0
    while at < len(value):
        found = _PAIR.match(value, at)
        if found is None:
            return []  # what is malformed says nothing
        text = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
        current[found[1].lower()] = text
        at = found.end()
        if found[4] != ";":
            hops.append((_address(current.get("for", "")), current.get("proto", "").lower()
                         or None))
            current = {}
    return hops


def _address(text: str) -> str | None:
    """Return an IP address without port and brackets, None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
