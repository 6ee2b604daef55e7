"""`dns ...`: what the server knows of names."""

from __future__ import annotations

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.api.outgoing import DnsError

SECTION = Section("dns", "Names and addresses")


@SECTION.command("lookup", "name:string", "type:string?", everywhere=True)
def lookup(call, name, type):
    """Look up a name as the server does; types are A (as by default), AAAA, SRV, TXT, TLSA ..."""
    try:
        answer = call.server.dns.lookup(name, type or "A")
    except DnsError as error:
        raise CommandError(f"{name}: {error}") from None
    rows = [("name", answer.canonical or answer.name), ("status", answer.status),
            ("kept for", f"{answer.ttl} s"), ("proved by DNSSEC", "yes" if answer.secure else "no")]
    rows += [("record", " ".join(_shown(value) for value in record)) for record in answer]
    return Table(("what", "value"), rows)


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return "".join(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part)
                       for part in value)
    return str(value)


@SECTION.command("purge", everywhere=True)
def purge(call):
    """Forget what was looked up; names are looked up anew when they are next needed."""
    call.server.dns.purge()
    return "Nothing is known of names any more"
