"""Records and answers, as those see them who look names up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import dns.rcode
import dns.rdata

NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 2, 3, 5


class Address(NamedTuple):
    """An A or AAAA record: the address as text."""

    address: str


class Srv(NamedTuple):
    """A service's host (RFC 2782); target "." says that there is no such service."""

    priority: int
    weight: int
    port: int
    target: str


class Tlsa(NamedTuple):
    """What a server's certificate has to be (RFC 6698)."""

    usage: int
    selector: int
    matching: int
    data: bytes


class Txt(NamedTuple):
    """Texts; `text` is all of them together."""

    strings: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The strings as one text."""
        return b"".join(self.strings).decode("utf-8", "replace")


class Mx(NamedTuple):
    """A mail server of a domain."""

    preference: int
    exchange: str


class Target(NamedTuple):
    """A CNAME, NS or PTR record: another name."""

    target: str


class Unparsed(NamedTuple):
    """A record of another type: its data in the form of zone files."""

    text: str


def host_name(name: Any) -> str:
    """Return a name of dnspython's as text without the last dot; "." for the root."""
    text = name.to_text(omit_final_dot=True).lower()
    return "." if text in ("@", "") else text


def typed(kind: str, data: dns.rdata.Rdata) -> Any:
    """Return the record for data of dnspython's; `kind` is the type's name."""
    if kind in ("A", "AAAA"):
        return Address(data.address)
    if kind == "SRV":
        return Srv(data.priority, data.weight, data.port, host_name(data.target))
    if kind == "TLSA":
        return Tlsa(data.usage, data.selector, data.mtype, bytes(data.cert))
    if kind == "TXT":
        return Txt(tuple(data.strings))
    if kind == "MX":
        return Mx(data.preference, host_name(data.exchange))
    if kind in ("CNAME", "NS", "PTR"):
        return Target(host_name(data.target))
    return Unparsed(data.to_text())


@dataclass(frozen=True)
class Answer:
    """What is known about a name and type; a sequence of records.

    `rcode` is 0, or 3 when there is no such name; `canonical` the name at the end of the aliases;
    `ttl` the seconds that it may be kept; `secure` whether a name server that is trusted in this
    says that DNSSEC has proved it; `wire` each record's data as in a message, without compression.
    """

    name: str
    type: str
    records: tuple[Any, ...] = ()
    wire: tuple[bytes, ...] = ()
    rcode: int = NO_ERROR
    canonical: str = ""
    ttl: int = 0
    secure: bool = False

    @property
    def status(self) -> str:
        """The name of the response code, such as "NXDOMAIN"."""
        return dns.rcode.to_text(dns.rcode.Rcode(self.rcode))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Any:
        return self.records[index]
