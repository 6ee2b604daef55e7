"""What counts as one peer."""

import pytest

from prosody_py.net.peers import network_of


@pytest.mark.parametrize(("one", "other"), [
    ("2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6"),
    ("2001:db8::1:2:3:4", "2001:db8::5:6:7:8"),
    ("2001:db8:1::1", "2001:db8:1:0:2:3:4:5"),
    ("fe80::1%eth0", "fe80::2"),
])
def test_a_network_of_ipv6_is_one_peer(one, other):
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(("one", "other"), [
    ("192.0.2.1", "192.0.2.2"), ("2001:db8:1:2::1", "2001:db8:1:3::1"), ("::1", "127.0.0.1"),
    ("/run/a.sock", "/run/b:c.sock"),
])
def test_others_are_others(one, other):
    assert network_of(one) != network_of(other)


def test_http_counts_the_connections_of_a_network(start_server):
    running = start_server(["http"], http_ports=[0], http_connections_per_address=1,
                           trusted_proxies=[])
    server = running.server.http
    server._addresses[network_of("2001:db8::1:2:3:4")] += 1
    assert not server.admit("2001:db8::5:6:7:8")
    assert server.admit("2001:db9::1")
