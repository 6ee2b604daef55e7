"""What counts as one peer, where the connections of each are limited."""

from __future__ import annotations

from ipaddress import IPv6Address

_OWN = 64  # bits that a peer chooses itself: who has one IPv6 address has all of its network


def network_of(address: str) -> str:
    """Return an IPv4 address as it is, and the /64 network of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Address(int(IPv6Address(address.partition("%")[0])) >> _OWN << _OWN))
    except ValueError:
        return address
