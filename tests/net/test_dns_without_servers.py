"""What the resolver knows without asking: its cache, the system's files and its options."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.net.dns import DnsOptions, system
from prosody_py.net.dns.cache import Cache


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_cache_is_bounded_and_forgets_what_is_over(puts):
    now = [0.0]
    cache = Cache(5, lambda: now[0])
    expires = {}
    for key, seconds in puts:
        now[0] += 0.5
        cache.put((str(key), "A"), key, seconds)
        if seconds:
            expires[key] = now[0] + seconds
        assert len(cache) <= 5
    for key in range(10):
        found = cache.get((str(key), "A"))
        assert found in (None, key)
        assert found is None or expires[key] > now[0]


def test_resolv_conf_and_hosts_are_read_as_they_are_written():
    conf = system.parse_resolv_conf("# c\nnameserver 192.0.2.53 ; x\nnameserver rubbish\n"
                                    "nameserver fe80::1%eth0\nsearch a.example b.example.\n"
                                    "options ndots:3 trust-ad timeout:1\n")
    assert conf == system.ResolvConf(("192.0.2.53", "fe80::1%eth0"), ("a.example", "b.example"), 3,
                                     True)
    assert system.parse_resolv_conf("").servers == ("127.0.0.1",)
    hosts = system.parse_hosts("127.0.0.1 localhost\n::1 localhost ip6\n")
    assert hosts.addresses["localhost"] == ("127.0.0.1", "::1")
    assert hosts.names["::1"] == "localhost"


def test_a_changed_file_is_read_again(tmp_path):
    now = [0.0]
    file = system.WatchedFile(str(tmp_path / "f"), str, lambda: now[0])
    assert file.content() == ""
    (tmp_path / "f").write_text("one")
    now[0] = 10
    assert file.content() == "one"
    (tmp_path / "f").write_text("other")
    assert file.content() == "one"
    now[0] = 20
    assert file.content() == "other"


def test_the_options_are_checked():
    for wrong in ("nonsense", "192.0.2.1:99999", "[::1", "example.com", ""):
        with pytest.raises(ValueError):
            DnsOptions(dns_servers=[wrong])
    options = DnsOptions(dns_servers=["192.0.2.1", "2001:db8::1", "[2001:db8::1]:5353"])
    assert len(options.dns_servers) == 3
