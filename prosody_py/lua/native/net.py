"""IP addresses as text and as bytes."""

import socket
from collections.abc import Callable


def pton(text: bytes) -> bytes | tuple[None, bytes]:
    """Return the 4 or 16 bytes of an address; (None, reason) for anything else."""
    try:
        address = text.decode("ascii")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.inet_pton(family, address)
    except (OSError, ValueError):
        return None, b"not an IP address"


def ntop(packed: bytes) -> bytes | tuple[None, bytes]:
    """Return the address that 4 or 16 bytes stand for; (None, reason) for another length."""
    if len(packed) == 4:
        return socket.inet_ntop(socket.AF_INET, packed).encode()
    if len(packed) == 16:
        return socket.inet_ntop(socket.AF_INET6, packed).encode()
    return None, b"an IP address has 4 or 16 bytes"


def _source_address(family: int, remote: str) -> bytes | None:
    """Return the own address that the system would use towards `remote`; sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((remote, 9))
            return probe.getsockname()[0].encode()
    except OSError:
        return None


def local_addresses() -> bytes:
    """Return the own addresses for traffic to the Internet, separated by spaces."""
    found = (_source_address(socket.AF_INET, "192.0.2.1"),
             _source_address(socket.AF_INET6, "2001:db8::1"))
    return b" ".join([address for address in found if address])


def functions() -> dict[str, Callable]:
    """Return `pton`, `ntop` and `local_addresses`."""
    return {"pton": pton, "ntop": ntop, "local_addresses": local_addresses}
