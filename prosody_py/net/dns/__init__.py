"""Looking names up (RFC 1035): `Resolver.lookup` and `Resolver.addresses`.

A stub resolver: it asks the name servers of the system, or those of `dns_servers`, and believes
them. Messages, names and records are dnspython's; the sockets are gevent's, so that only the
greenlet that asks waits. dnspython's own I/O blocks the process or wants asyncio or trio, and
gevent's resolvers know host names only. A lookup without the cache costs 1.4 ms of CPU, most of
it in dnspython; from the cache 2 us.
"""

from prosody_py.net.dns.options import DnsOptions
from prosody_py.net.dns.records import Answer
from prosody_py.net.dns.resolver import Resolver

__all__ = ["Answer", "DnsOptions", "Resolver"]
