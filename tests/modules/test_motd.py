"""mod_motd: a message for who becomes available."""

from __future__ import annotations

import pytest

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
