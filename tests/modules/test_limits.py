"""mod_limits: how fast a client may send."""

from __future__ import annotations

import time

import gevent
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.twins("limits")]  # it waits for who is too fast

LIMITS = {"c2s": {"rate": "40kb/s", "burst": "1s"}}


def flood(client, size):
    """Send and get back `size` bytes in all; return how many seconds that took."""
    began = time.monotonic()
    count = size // 1000
    for index in range(count):
        client.send(f"<iq type='get' id='{index:08}' to='localhost'>"
                    f"<ping xmlns='urn:xmpp:ping'/>{' ' * 923}</iq>")
    answers = [client.receive().attr["id"] for _index in range(count)]
    assert answers == [f"{index:08}" for index in range(count)]  # nothing lost, order kept
    return time.monotonic() - began


def test_who_sends_faster_is_slowed_down_and_loses_nothing(start_server):
    client = start_server(["limits"], limits=LIMITS).client("juliet")
    assert flood(client, 120_000) + flood(client, 1_000) > 1.5


def test_who_sends_faster_over_tls_is_slowed_down_and_loses_nothing(start_server):
    client = start_server(["limits"], limits=LIMITS).client("juliet", tls=True)
    assert flood(client, 120_000) + flood(client, 1_000) > 1.5


@pytest.mark.ours_alone("Debian's knows no bursts where connections have a limit")
def test_who_sends_within_the_limit_is_not_slowed_down(start_server):
    client = start_server(["limits"], limits=LIMITS).client("juliet")
    assert flood(client, 20_000) < 0.4


@pytest.mark.ours_alone("Debian's limits without the option too, and by connections")
@pytest.mark.ours_alone("Debian's has limits without the option, and no filters")
@pytest.mark.parametrize("options", [
    {"limits": LIMITS, "unlimited_jids": ["juliet@localhost"]},
    {"limits": {"s2sin": {"rate": "1kb/s"}}}, {}])
def test_others_have_no_limit(start_server, options):
    running = start_server(["limits"], **options)
    client = running.client("juliet")
    assert running.server.full_sessions[client.jid].filters is None
    assert flood(client, 120_000) < 0.4


@pytest.mark.ours_alone("Debian's leaves the streams that are there alone")
def test_limits_come_and_go_with_the_module(start_server):
    running = start_server(limits=LIMITS)
    client = running.client("juliet")
    session = running.server.full_sessions[client.jid]
    running.server.modules.load("localhost", "limits")
    assert session.filters is not None
    running.server.modules.unload("*", "limits")
    assert session.filters is None
    running.client("romeo")
    assert all(each.filters is None for each in running.server.full_sessions.values())


def test_a_slow_answer_does_not_keep_the_stream_from_going_on(start_server):
    running = start_server(["limits"], limits={"c2s": {"rate": "20kb/s", "burst": "0.1s"}})
    running.server.hosts["localhost"].events.add_handler(
        "iq/host", lambda event: gevent.sleep(0.4), 10)  # longer than the pause
    client = running.client("juliet")
    client.timeout = 5
    flood(client, 3_000)
    assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
