"""mod_time: XEP-0202 and XEP-0090."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.twins("time")


@pytest.mark.parametrize("to", ["localhost", "juliet@localhost", None])
@pytest.mark.parametrize(("request_", "pattern"), [
    ("<time xmlns='urn:xmpp:time'/>", "%Y-%m-%dT%H:%M:%SZ"),
    ("<query xmlns='jabber:iq:time'/>", "%Y%m%dT%H:%M:%S")])
def test_time_is_told_in_utc(start_server, to, request_, pattern):
    answer = start_server(["time"]).client("juliet").iq("get", request_, to).tags[0]
    told = datetime.strptime(answer.get_child_text("utc"), pattern).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=10)
    assert answer.get_child_text("tzo") == ("+00:00" if answer.name == "time" else None)
