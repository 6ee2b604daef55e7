"""mod_welcome: a message for new accounts."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event

pytestmark = pytest.mark.twins("welcome")


@pytest.mark.parametrize(("options", "text"), [
    ({}, "Hello juliet, welcome to the localhost IM server!"),
    ({"welcome_message": "$host has $username, $usernames and $money"},
     "localhost has juliet, $usernames and $money")])
def test_new_account_gets_the_message(start_server, options, text):
    running = start_server(["welcome"], **options)
    client = running.client("juliet").available()
    running.server.hosts["localhost"].events.fire_event(
        "user-registered", Event(username="juliet", host="localhost", source="test"))
    message = client.message()
    assert message.attr["from"] == "localhost"
    assert message.get_child_text("body") == text
