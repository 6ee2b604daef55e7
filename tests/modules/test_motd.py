"""mod_motd: a message for who becomes available."""

from __future__ import annotations

import pytest

from prosody_py.api import CommandError

pytestmark = pytest.mark.twins("motd")


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


def test_message_is_sent_once_to_a_session_that_becomes_available(start_server):
    client = start_server(["motd"], motd_text="""
        Hello
        there
        """).client("juliet")
    assert messages(client) == []
    client.send("<presence/>")
    (message,) = messages(client)
    assert message.attr["from"] == "localhost" and message.attr["to"] == client.jid
    assert message.get_child_text("body") == "Hello\nthere"
    client.send("<presence><show>away</show></presence>")
    assert messages(client) == []


def test_sender_is_that_of_the_option(start_server):
    client = start_server(["motd"], motd_text="Hello", motd_jid="news@localhost").client("juliet")
    client.send("<presence/>")
    assert [message.attr["from"] for message in messages(client)] == ["news@localhost"]


def test_without_a_text_nothing_is_sent(start_server):
    client = start_server(["motd"]).client("juliet")
    client.send("<presence/>")
    assert messages(client) == []


@pytest.mark.ours_alone("Debian's takes all blanks at the beginnings of lines away")
def test_a_text_keeps_its_shape(start_server):
    client = start_server(["motd"], motd_text="""
        Hello
          there
        """).client("juliet")
    client.send("<presence/>")
    assert client.message().get_child_text("body") == "Hello\n  there"


@pytest.mark.ours_alone("Debian's has no commands")
def test_administrators_set_another_text_and_take_it_back(start_server):
    running = start_server(["motd"], motd_text="Hello")

    def greeted():
        client = running.client("juliet")
        client.send("<presence/>")
        return [message.get_child_text("body") for message in messages(client)]

    assert running.command("motd", "show", "localhost") == {"text": "Hello"}
    running.command("motd", "set", "localhost", "Good", "morrow")
    assert greeted() == ["Good morrow"]
    running.server.modules.reload("localhost", "motd")
    assert running.command("motd", "show", "localhost") == {"text": "Good morrow"}
    running.command("motd", "delete", "localhost")
    assert greeted() == []
    running.command("motd", "reset", "localhost")
    assert greeted() == ["Hello"]
    with pytest.raises(CommandError, match="at most 10000"):
        running.command("motd", "set", "localhost", "x" * 10_001)
