"""net.adns, net.dns, net.unbound and util.dns in both runtimes."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.client import wait_until


def test_adns_calls_with_an_answer(asking, names):
    module = asking.load("""
        local adns = require "net.adns";
        adns.lookup(function (answer, err)
            local srv = answer[1].srv;
            note(#answer, srv.target, srv.port, srv.priority, srv.weight, tostring(answer[1]),
                answer.qname, answer.rcode, answer.status, tostring(err), answer[1].secure);
        end, "_x._tcp.example", "SRV", "IN");
    """)
    assert asking.calls(module) == [[1, "xmpp.example", 5269, 10, 20, "10 20 5269 xmpp.example",
                              "_x._tcp.example", 0, "NoError", "nil", False]]


def test_adns_tells_nothing_failure_and_silence_apart(asking, names):
    module = asking.load("""
        local adns = require "net.adns";
        local resolver = adns.resolver();
        for _, name in ipairs { "none.example", "broken.example", "silent.example", "a b" } do
            resolver:lookup(function (answer, err)
                note(name, answer and #answer, answer and answer.status, err,
                    answer and answer.nxdomain);
            end, name, "A");
        end
        adns.lookup(function (answer, err) note("class", answer, nil, err); end, "x", "A", "CH");
    """)
    def rows():
        return {row[1]: row.get(4) or row.get(3) for row in (
            dict(enumerate(each, 1)) if isinstance(each, list) else each
            for each in module.exports.calls.copy())}

    wait_until(lambda: len(module.exports.calls) == 5)
    assert rows() == {"none.example": "NXDomain", "broken.example": "ServFail",
                      "silent.example": "timeout", "a b": "bad-name",
                      "class": "only the class IN is served"}


def test_adns_promises_and_waiting_lookups(asking, names):
    asking.load("""
        local async = require "util.async";
        local resolver = require "net.adns".resolver();
        local dns, unbound = require "net.dns", require "net.unbound";
        module:hook("ask", function ()
            local out = {};
            for _, kind in ipairs { "A", "AAAA", "TXT", "MX", "TLSA", "CAA" } do
                local answer = async.wait_for(resolver:lookup_promise("x.example", kind));
                for _, record in ipairs(answer) do out[#out + 1] = tostring(record); end
            end
            out[#out + 1] = dns.lookup("X.example", "A")[1].a;
            out[#out + 1] = dns.tohostname("192.0.2.1")[1].ptr;
            out[#out + 1] = unbound.dns.lookup("x.example", dns.types.AAAA)[1].aaaa;
            local nothing, why = dns.lookup("silent.example");
            out[#out + 1] = tostring(nothing) .. " " .. why;
            dns.purge();
            return table.concat(out, "; ");
        end);
    """)
    assert asking.fire("ask") == "; ".join([
        "192.0.2.1", "2001:db8::1", "abcdef", "5 mail.example",
        "DANE-EE SPKI Full aabb", "\\# 17 0005697373756563612e6578616d706c65", "192.0.2.1",
        "x.example", "2001:db8::1", "nil timeout"])


def test_a_lookup_can_be_cancelled(asking, names):
    module = asking.load("""
        local query = require "net.adns".lookup(note, "silent.example", "A");
        query:cancel(true, "enough");
        query:cancel(true, "again");
    """)
    gevent.sleep(0.01)
    assert asking.calls(module) == [{2: "enough"}]


@pytest.mark.parametrize(("record", "data"), [
    ("SRV", ""), ("SRV", "\\0\\1\\0\\1\\0\\1\\9abc"), ("A", "1"), ("AAAA", ""), ("TLSA", "a"),
    ("MX", "\\0"), ("SOA", "\\0\\0\\0"), ("CNAME", "\\64abc"), ("CNAME", ""),
])
def test_broken_records_are_nothing(asking, record, data):
    assert asking.run(f'return require "util.dns".parsers["{record}"]("{data}") == nil') is True


def test_names_of_types_classes_and_codes(asking):
    assert asking.run("""
        local dns = require "prosody.util.dns";
        local soa = dns.parsers.SOA("\\2ns\\0\\4root\\0\\0\\0\\0\\1"
            .. "\\0\\0\\0\\2\\0\\0\\0\\3\\0\\0\\0\\4\\0\\0\\0\\5");
        return table.concat({ dns.types.SRV, dns.types[28], dns.classes.IN, dns.errors[3],
            dns.errors.NXDomain, tostring(soa), dns.parsers.TLSA("\\3\\1\\1a"):getUsage() }, " ");
    """) == "33 AAAA 1 NXDomain Non-Existent Domain ns. root. 1 2 3 4 5 DANE-EE"
