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


@pytest.mark.ours_alone("Debian's has no commands")
def test_administrators_set_another_text_and_take_it_back(start_server):
    running = start_server(["welcome"], welcome_message="Hello")
    client = running.client("juliet").available()

    def greeted():
        running.server.hosts["localhost"].events.fire_event(
            "user-registered", Event(username="juliet", host="localhost", source="test"))
        return [message.get_child_text("body") for message in client.flush()
                if message.name == "message"]

    running.command("welcome", "set", "localhost", "Welcome", "$username")
    assert greeted() == ["Welcome juliet"]
    running.server.modules.reload("localhost", "welcome")
    assert running.command("welcome", "show", "localhost") == {"text": "Welcome $username"}
    running.command("welcome", "delete", "localhost")
    assert greeted() == []
    running.command("welcome", "reset", "localhost")
    assert greeted() == ["Hello"]
