"""mod_uptime: XEP-0012 of the host."""

from __future__ import annotations

import pytest

from prosody_py.testing import adhoc

pytestmark = pytest.mark.twins("uptime", needs=["adhoc"])


@pytest.mark.parametrize(("started_ago", "told"), [
    pytest.param(100, 100, marks=pytest.mark.ours_alone("Debian's has read the time before")),
    (-3600, 0)])
def test_host_tells_the_seconds_since_its_start(start_server, started_ago, told):
    running = start_server(["uptime"])
    running.server.start_time -= started_ago
    query = running.client("juliet").iq("get", "<query xmlns='jabber:iq:last'/>",
                                        "localhost").tags[0]
    assert told <= int(query.attr["seconds"]) < told + 30
    assert query.get_text() == ""


def test_the_command_tells_it_in_words(start_server):
    client = start_server(["adhoc", "uptime"]).client("juliet")
    assert "uptime" in adhoc.listed(client)
    kind, text = adhoc.note(adhoc.run(client, "uptime"))
    assert kind == "info" and text.startswith(
        "This server has been running for 0 days, 0 hours and 0 minutes")
