"""The resolver: cache, hosts file, name servers in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import gevent
from gevent.event import AsyncResult

from prosody_py.api.outgoing import DnsError
from prosody_py.net.dns import exchange, records, system
from prosody_py.net.dns.cache import Cache, Key
from prosody_py.net.dns.options import DnsOptions, server_address
from prosody_py.net.dns.records import Address, Answer
from prosody_py.net.tls.identity import ascii_host, is_ip_address

log = logging.getLogger("dns")
_ATTEMPT = 2.0  # seconds that one server gets, if there is time for a second attempt
_MAX_TTL, _MAX_NEGATIVE_TTL, _FAILURE_TTL = 86400, 900, 5
_MAX_UNDER_WAY = 1000
_LOOPBACK = {"A": Address("127.0.0.1"), "AAAA": Address("::1")}
_FINAL = frozenset((dns.rcode.NOERROR, dns.rcode.NXDOMAIN))


class Resolver:
    """Looks names up for the whole server.

    `resolv_conf` and `hosts_file` are paths; `use_ipv6` whether `addresses` asks for IPv6 ones.
    """

    def __init__(self, options: DnsOptions | None = None, use_ipv6: bool = True, *,
                 resolv_conf: str = "/etc/resolv.conf", hosts_file: str = "/etc/hosts",
                 cache_size: int = 1000):
        self._resolv_conf = system.WatchedFile(resolv_conf, system.parse_resolv_conf)
        self._hosts = system.WatchedFile(hosts_file, system.parse_hosts)
        self._cache = Cache(cache_size)
        self._under_way: dict[Key, AsyncResult] = {}
        self.configure(options or DnsOptions(), use_ipv6)

    def configure(self, options: DnsOptions, use_ipv6: bool = True) -> None:
        """Take options, also other ones later."""
        self._servers = list(map(server_address, options.dns_servers))
        self.options, self.use_ipv6 = options, use_ipv6
        self.purge()

    def purge(self) -> None:
        """Forget all that was looked up."""
        self._cache.clear()

    # -- questions -------------------------------------------------------------------------

    def lookup(self, name: str, type: str = "A") -> Answer:
        """Return the records of a name; an answer without records when there are none.

        `type` is a name such as A, AAAA, SRV, TLSA, TXT, MX, CNAME or PTR. The name may have
        letters beyond ASCII. Waits for at most `dns_timeout`. Raises DnsError.
        """
        key = (_name(name), _type(type))
        found = self._local(key)
        if found is None:
            found = self._cache.get(key)
        if found is None:
            found = self._ask_once(key)
        if isinstance(found, DnsError):
            raise DnsError(found.code, found.text)
        return found

    def addresses(self, host: str) -> list[str]:
        """Return the IPv6 and IPv4 addresses of a host, by turns, the order to try them in.

        An address is its own answer. A short name is searched in the domains of resolv.conf.
        Raises DnsError when nobody can be asked; with the code "NXDomain" when there are none.
        """
        literal = host.removeprefix("[").removesuffix("]")
        if is_ip_address(literal):
            return [literal]
        for name in self._candidates(host):
            found = self._both(name)
            if found:
                return found
        raise DnsError("NXDomain", f"{host} has no address")

    def _candidates(self, host: str) -> Iterator[str]:
        conf = self._resolv_conf.content()
        name = _name(host)
        searched = [f"{name}.{domain}" for domain in conf.search]
        if host.endswith(".") or name == "localhost":
            yield name
        elif name.count(".") >= conf.ndots:
            yield name
            yield from searched
        else:
            yield from searched
            yield name

    def _both(self, name: str) -> list[str]:
        """Ask for both kinds at once; what one of them finds is enough."""
        kinds = ("AAAA", "A") if self.use_ipv6 else ("A",)
        jobs = [gevent.spawn(self._try, name, kind) for kind in kinds]
        try:
            results = [job.get() for job in jobs]
        finally:
            gevent.killall(jobs, block=False)
        lists = [[record.address for record in result] for result in results
                 if not isinstance(result, DnsError)]
        if not lists or (not any(lists) and len(lists) < len(results)):
            raise next(result for result in results if isinstance(result, DnsError))
        longest = max(map(len, lists))
        return [found[i] for i in range(longest) for found in lists if i < len(found)]

    def _try(self, name: str, kind: str) -> Answer | DnsError:
        try:
            return self.lookup(name, kind)
        except DnsError as error:
            return error

    # -- where answers come from -----------------------------------------------------------

    def _local(self, key: Key) -> Answer | None:
        """Return what needs no name server: the hosts file, and localhost (RFC 6761)."""
        name, kind = key
        if kind not in _LOOPBACK:
            return None
        listed = self._hosts.content().addresses.get(name)
        if listed is not None:
            own = [text for text in listed if (":" in text) == (kind == "AAAA")]
            return _of_addresses(name, kind, own)
        if name == "localhost" or name.endswith(".localhost"):
            return _of_addresses(name, kind, [_LOOPBACK[kind].address])
        return None

    def _ask_once(self, key: Key) -> Answer | DnsError:
        """Ask, or wait for who is asking the same already."""
        result = self._under_way.get(key)
        if result is None:
            if len(self._under_way) >= _MAX_UNDER_WAY:
                return DnsError("refused", "too many lookups are under way")
            result = self._under_way[key] = AsyncResult()
            gevent.spawn(self._fetch, key, result)
        return result.get()

    def _fetch(self, key: Key, result: AsyncResult) -> None:
        found: Answer | DnsError = DnsError("ServFail", "the lookup was given up")
        try:
            found = self._ask_servers(key)
            if isinstance(found, DnsError):
                self._cache.put(key, found, _FAILURE_TTL)  # RFC 9520
            else:
                self._cache.put(key, found, found.ttl)
        finally:
            del self._under_way[key]
            result.set(found)

    def _ask_servers(self, key: Key) -> Answer | DnsError:
        """Ask one server after the other, again and again, until one knows or time is up."""
        conf = self._resolv_conf.content()
        servers = self._servers or [(text, 53) for text in conf.servers]
        deadline = time.monotonic() + self.options.dns_timeout
        failure = DnsError("timeout", "no name server has answered")
        refusals = 0
        while refusals < 2 * len(servers):
            for server in servers:
                left = deadline - time.monotonic()
                if left <= 0:
                    return failure
                try:
                    message = exchange.ask(server, *key, min(left, _ATTEMPT))
                    if message.rcode() in _FINAL:
                        trust = self.options.dns_trust_ad or (not self._servers and conf.trust_ad)
                        return _answer(key, message, trust)
                    refusals += 1
                    failure = DnsError(_status(message.rcode()), f"says {server[0]}")
                except exchange.NoAnswer as error:
                    log.debug("No answer from %s about %s %s: %s", server[0], *key, error)
                    # Who refuses at once is not asked all the time.
                    gevent.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
                except (dns.exception.DNSException, ValueError) as error:
                    refusals += 1
                    failure = DnsError("ServFail", str(error) or type(error).__name__)
        return failure


@lru_cache(1000)
def _name(text: str) -> str:
    """Return a name as it is asked for: ASCII, lower case, no dot at the end."""
    name = text.removesuffix(".").lower()
    if not name.isascii():
        name = ascii_host(name) or ""
    try:
        if not name or any(ord(char) < 33 for char in name):
            raise ValueError
        dns.name.from_text(name)
    except (dns.exception.DNSException, ValueError):
        raise DnsError("bad-name", f"{text[:300]!r} is not a name") from None
    return name


@lru_cache(100)
def _type(text: str) -> str:
    try:
        kind = dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError):
        kind = None
    if kind is None or dns.rdatatype.is_metatype(kind):
        raise DnsError("bad-type", f"{text[:40]!r} is not a type of records")
    return dns.rdatatype.to_text(kind)


def _status(rcode: int) -> str:
    """Return the name of a response code as RFC 1035's successors write it, such as "ServFail"."""
    text = dns.rcode.to_text(dns.rcode.Rcode(rcode))
    return {"SERVFAIL": "ServFail", "FORMERR": "FormErr", "NOTIMP": "NotImp",
            "REFUSED": "Refused"}.get(text, text)


def _of_addresses(name: str, kind: str, addresses: list[str]) -> Answer:
    family = gevent.socket.AF_INET6 if kind == "AAAA" else gevent.socket.AF_INET
    plain = [text.partition("%")[0] for text in addresses]
    return Answer(name, kind, tuple(map(Address, addresses)),
                  tuple(gevent.socket.inet_pton(family, text) for text in plain), canonical=name)


def _answer(key: Key, message: Any, trust_ad: bool) -> Answer:
    """Return what a message says about its question; aliases are followed inside of it."""
    chain = message.resolve_chaining()
    data = list(chain.answer) if chain.answer is not None else []
    limit = _MAX_TTL if data else _MAX_NEGATIVE_TTL
    return Answer(
        key[0], key[1], tuple(records.typed(key[1], one) for one in data),
        tuple(one.to_wire() for one in data), int(message.rcode()),
        records.host_name(chain.canonical_name), max(0, min(limit, chain.minimum_ttl)),
        trust_ad and bool(message.flags & dns.flags.AD))
