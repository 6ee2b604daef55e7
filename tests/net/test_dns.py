"""The resolver against scripted name servers on loopback, by UDP and TCP."""

from __future__ import annotations

import os
import struct
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import gevent
import gevent.server
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.api.outgoing import DnsError
from prosody_py.net.dns import DnsOptions, Resolver, exchange
from prosody_py.net.dns.records import Address, Mx, Srv, Target, Tlsa, Txt


class NameServer:
    """Answers with what `script(query, by)` returns: messages or bytes, any number of them.

    `by` is "udp" or "tcp". `asked` has (name, type, by) of every question.
    """

    def __init__(self, script):
        self.script, self.asked, self.ids, self.ports = script, [], [], []
        self._listen()
        self.address = f"127.0.0.1:{self.port}"

    def _listen(self):
        for _ in range(50):  # the port that one has got may be taken for the other
            self.tcp = gevent.server.StreamServer(("127.0.0.1", 0), self._stream)
            self.tcp.start()
            self.port = self.tcp.server_port
            self.udp = gevent.server.DatagramServer(("127.0.0.1", self.port), self._datagram)
            try:
                return self.udp.start()
            except OSError:
                self.tcp.stop(timeout=0)
        raise OSError("there is no port that is free for both")

    def _answers(self, wire, by):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.asked.append((question.name.to_text(True), dns.rdatatype.to_text(question.rdtype), by))
        self.ids.append(query.id)
        found = self.script(query, by)
        found = found if isinstance(found, list) else [] if found is None else [found]
        return [each if isinstance(each, bytes) else each.to_wire(max_size=65535)
                for each in found]

    def _datagram(self, wire, address):
        self.ports.append(address[1])
        for answer in self._answers(wire, "udp"):
            self.udp.sendto(answer, address)

    def _stream(self, sock, _address):
        try:
            (length,) = struct.unpack("!H", sock.recv(2))
            for answer in self._answers(sock.recv(length), "tcp"):
                sock.sendall(struct.pack("!H", len(answer)))
                sock.sendall(answer)
        except OSError:
            return
        finally:
            sock.close()

    def stop(self):
        self.udp.stop(timeout=0)
        self.tcp.stop(timeout=0)


def reply(query, *records, rcode=dns.rcode.NOERROR, authority=(), flags=0):
    """Return an answer; each record is "name ttl type data" in the form of zone files."""
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.RA | flags
    answer.set_rcode(rcode)
    for section, lines in ((answer.answer, records), (answer.authority, authority)):
        for line in lines:
            name, ttl, kind, data = line.split(None, 3)
            section.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
    return answer


@pytest.fixture
def serve():
    servers = []

    def start(script):
        servers.append(NameServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def resolver_for(*servers, timeout="2 seconds", **options):
    return Resolver(DnsOptions(dns_servers=[server.address for server in servers],
                               dns_timeout=timeout), hosts_file=os.devnull,
                    resolv_conf=os.devnull, **options)


def failure(resolver, *args):
    with pytest.raises(DnsError) as found:
        resolver.lookup(*args)
    return found.value.code


# -- records -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "data", "record"), [
    ("A", "192.0.2.1", Address("192.0.2.1")),
    ("AAAA", "2001:db8::1", Address("2001:db8::1")),
    ("SRV", "10 20 5269 XMPP.example.", Srv(10, 20, 5269, "xmpp.example")),
    ("SRV", "0 0 0 .", Srv(0, 0, 0, ".")),
    ("TLSA", "3 1 0 aabbcc", Tlsa(3, 1, 0, b"\xaa\xbb\xcc")),
    ("TXT", '"abc" "def"', Txt((b"abc", b"def"))),
    ("MX", "10 mail.example.", Mx(10, "mail.example")),
    ("CNAME", "other.example.", Target("other.example")),
    ("PTR", "host.example.", Target("host.example")),
])
def test_records_are_typed(serve, kind, data, record):
    server = serve(lambda query, _by: reply(query, f"x.example. 60 {kind} {data}"))
    answer = resolver_for(server).lookup("x.example", kind)
    assert list(answer) == [record] and answer.rcode == 0 and len(answer.wire) == 1


def test_aliases_are_followed_inside_of_an_answer(serve):
    server = serve(lambda query, _by: reply(
        query, "www.example. 60 CNAME a.example.", "a.example. 30 CNAME b.example.",
        "b.example. 90 A 192.0.2.1", "evil.example. 90 A 192.0.2.66"))
    answer = resolver_for(server).lookup("www.example")
    assert (list(answer), answer.canonical, answer.ttl) == ([Address("192.0.2.1")], "b.example", 30)


def test_names_are_prepared(serve):
    server = serve(lambda query, _by: reply(query))
    resolver = resolver_for(server)
    resolver.lookup("Bücher.Example.")
    assert server.asked[0][0] == "xn--bcher-kva.example"
    for name in ("", ".", "a..b", "x" * 64 + ".example", "a b", "a\nb", "a." * 130):
        assert failure(resolver, name) == "bad-name"
    for kind in ("NONSENSE", "ANY", "AXFR", ""):
        assert failure(resolver, "example", kind) == "bad-type"
    assert len(server.asked) == 1


# -- liars and the silent ------------------------------------------------------------------


def test_what_answers_something_else_is_passed_over(serve):
    def script(query, _by):
        other_id = reply(query, "x.example. 60 A 192.0.2.66")
        other_id.id = (query.id + 1) % 65536
        other_name = reply(dns.message.make_query("y.example", "A", id=query.id),
                           "y.example. 60 A 192.0.2.67")
        other_type = reply(dns.message.make_query("x.example", "AAAA", id=query.id))
        not_an_answer = query
        return [b"", b"\0" * 7, os.urandom(60), other_id, other_name, other_type, not_an_answer,
                reply(query, "x.example. 60 A 192.0.2.1").to_wire()[:-1],
                reply(query, "x.example. 60 A 192.0.2.1")]

    assert list(resolver_for(serve(script)).lookup("x.example")) == [Address("192.0.2.1")]


def test_packets_of_others_do_not_reach_the_question(serve):
    def script(query, _by):
        forged = reply(query, "x.example. 60 A 192.0.2.66").to_wire()
        with gevent.socket.socket(gevent.socket.AF_INET, gevent.socket.SOCK_DGRAM) as liar:
            liar.bind(("127.0.0.1", 0))
            liar.sendto(forged, ("127.0.0.1", server.ports[-1]))
        gevent.sleep(0.01)
        return reply(query, "x.example. 60 A 192.0.2.1")

    server = serve(script)
    assert list(resolver_for(server).lookup("x.example")) == [Address("192.0.2.1")]


def test_ids_and_ports_are_not_predictable(serve):
    server = serve(lambda query, _by: reply(query))
    resolver = resolver_for(server)
    for number in range(30):
        resolver.lookup(f"n{number}.example")
    for values in (server.ids, server.ports):
        steps = {b - a for a, b in zip(values, values[1:])}
        assert len(set(values)) > 25 and len(steps) > 25


def test_an_answer_that_was_cut_short_is_asked_for_by_tcp(serve):
    def script(query, by):
        if by == "udp":
            return reply(query, flags=dns.flags.TC).to_wire()[:14]
        return reply(query, *(f"x.example. 60 A 192.0.2.{i}" for i in range(200)))

    server = serve(script)
    assert len(resolver_for(server).lookup("x.example")) == 200
    assert [by for *_, by in server.asked] == ["udp", "tcp"]


@pytest.mark.parametrize("rubbish", [b"", b"\0", bytes(range(40))])
def test_rubbish_by_tcp_is_a_failure(serve, rubbish):
    server = serve(lambda query, by: reply(query, flags=dns.flags.TC) if by == "udp" else rubbish)
    assert failure(resolver_for(server, timeout="0.2 seconds"), "x.example") == "timeout"


def test_the_next_server_is_asked_when_one_is_silent_or_refuses(serve):
    refusing = serve(lambda query, _by: reply(query, rcode=dns.rcode.REFUSED))
    broken = serve(lambda query, _by: reply(query, rcode=dns.rcode.SERVFAIL))
    gone = serve(lambda query, _by: None)
    gone.stop()
    good = serve(lambda query, _by: reply(query, "x.example. 60 A 192.0.2.1"))
    resolver = resolver_for(refusing, broken, gone, good)
    assert list(resolver.lookup("x.example")) == [Address("192.0.2.1")]


def test_failures_have_names_and_end_in_time(serve):
    silent = serve(lambda query, _by: None)
    begin = time.monotonic()
    assert failure(resolver_for(silent, timeout="0.1 seconds"), "x.example") == "timeout"
    assert time.monotonic() - begin < 1
    broken = serve(lambda query, _by: reply(query, rcode=dns.rcode.SERVFAIL))
    resolver = resolver_for(broken)
    assert failure(resolver, "x.example") == failure(resolver, "x.example") == "ServFail"
    assert len(broken.asked) == 2  # the second failure came from the cache


def test_an_old_server_is_asked_without_extensions(serve):
    def script(query, _by):
        if query.edns >= 0:
            return reply(query, rcode=dns.rcode.FORMERR)
        return reply(query, "x.example. 60 A 192.0.2.1")

    assert len(resolver_for(serve(script)).lookup("x.example")) == 1


# -- cache ---------------------------------------------------------------------------------


def test_answers_are_kept_as_long_as_they_live(serve):
    server = serve(lambda query, _by: reply(query, "x.example. 60 A 192.0.2.1"))
    resolver = resolver_for(server)
    now = [0.0]
    resolver._cache._clock = lambda: now[0]
    for _ in range(3):
        resolver.lookup("x.example")
    now[0] = 59
    resolver.lookup("X.Example.")
    assert len(server.asked) == 1
    now[0] = 61
    resolver.lookup("x.example")
    assert len(server.asked) == 2
    resolver.purge()
    resolver.lookup("x.example")
    assert len(server.asked) == 3


def test_that_there_is_nothing_is_kept_as_the_zone_says(serve):
    soa = "example. 3600 SOA ns.example. root.example. 1 2 3 4 30"
    server = serve(lambda query, _by: reply(query, rcode=dns.rcode.NXDOMAIN, authority=[soa]))
    resolver = resolver_for(server)
    for _ in range(2):
        answer = resolver.lookup("none.example")
        assert (list(answer), answer.rcode, answer.status, answer.ttl) == ([], 3, "NXDOMAIN", 30)
    assert len(server.asked) == 1


def test_many_who_ask_the_same_ask_once(serve):
    def script(query, _by):
        gevent.sleep(0.01)
        return reply(query, "x.example. 0 A 192.0.2.1")

    server = serve(script)
    resolver = resolver_for(server)
    jobs = [gevent.spawn(resolver.lookup, "x.example") for _ in range(50)]
    jobs[0].kill()
    gevent.joinall(jobs[1:], raise_error=True)
    assert len(server.asked) == 1 and not resolver._under_way


def test_dnssec_counts_only_where_it_is_trusted(serve):
    server = serve(lambda query, _by: reply(query, "x.example. 60 A 192.0.2.1",
                                            flags=dns.flags.AD))
    assert resolver_for(server).lookup("x.example").secure is False
    trusting = Resolver(DnsOptions(dns_servers=[server.address], dns_trust_ad=True))
    assert trusting.lookup("x.example").secure is True


# -- hosts ---------------------------------------------------------------------------------


def test_addresses_come_by_turns_and_one_kind_is_enough(serve):
    def script(query, _by):
        name = query.question[0].name.to_text(True)
        if query.question[0].rdtype == dns.rdatatype.AAAA:
            if name == "half.example":
                return reply(query, rcode=dns.rcode.SERVFAIL)
            return reply(query, f"{name}. 9 AAAA 2001:db8::1", f"{name}. 9 AAAA 2001:db8::2")
        return reply(query, f"{name}. 9 A 192.0.2.1")

    resolver = resolver_for(serve(script))
    assert resolver.addresses("x.example") == ["2001:db8::1", "192.0.2.1", "2001:db8::2"]
    assert resolver.addresses("half.example") == ["192.0.2.1"]
    assert resolver.addresses("192.0.2.9") == ["192.0.2.9"]
    assert resolver.addresses("[::1]") == ["::1"]
    resolver.configure(resolver.options, use_ipv6=False)
    assert resolver.addresses("x.example") == ["192.0.2.1"]


def test_a_host_without_address_is_an_error(serve):
    resolver = resolver_for(serve(lambda query, _by: reply(query, rcode=dns.rcode.NXDOMAIN)))
    with pytest.raises(DnsError) as found:
        resolver.addresses("none.example")
    assert found.value.code == "NXDomain"


def test_the_files_of_the_system_count(serve, tmp_path):
    server = serve(lambda query, _by: reply(query, rcode=dns.rcode.NXDOMAIN)
                   if not query.question[0].name.to_text().startswith("short.inner")
                   else reply(query, "short.inner.example. 9 A 192.0.2.7"))
    (tmp_path / "hosts").write_text("192.0.2.5 Printer printer.example # a remark\nrubbish\n")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\nsearch inner.example\n")
    resolver = Resolver(DnsOptions(dns_servers=[server.address]),
                        hosts_file=str(tmp_path / "hosts"),
                        resolv_conf=str(tmp_path / "resolv.conf"))
    assert resolver.addresses("printer.example") == ["192.0.2.5"]
    assert resolver.addresses("localhost") == ["::1", "127.0.0.1"]
    assert not server.asked
    assert resolver.addresses("short") == ["192.0.2.7"]


# -- hostile bytes -------------------------------------------------------------------------


@given(st.binary(max_size=200), st.integers(0, 65535))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_an_answer_or_none(data, flags):
    query = exchange.make_query("x.example", "A")
    for wire in (data, struct.pack("!HH", query.id, flags) + data,
                 query.to_wire()[:2] + struct.pack("!H", flags) + query.to_wire()[4:] + data):
        found = exchange._parse(wire, query)
        assert found is None or found.id == query.id


def test_a_module_looks_names_up(start_server, serve, tmp_path):
    server = serve(lambda query, _by: reply(query, "_x._tcp.example. 9 SRV 1 2 3 t.example."))
    (tmp_path / "mod_looking.py").write_text(
        "def load(module):\n"
        "    module.found = list(module.dns.lookup('_x._tcp.example', 'SRV'))\n")
    running = start_server(["looking"], plugin_paths=[str(tmp_path)],
                           dns_servers=[server.address])
    module = running.server.modules.get_module("localhost", "looking")
    assert module.found == [Srv(1, 2, 3, "t.example")]
