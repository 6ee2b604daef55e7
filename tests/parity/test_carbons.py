"""mod_carbons of Debian: copies of messages for a user's other clients (XEP-0280)."""

from __future__ import annotations

import pytest

CARBONS, FORWARD = "urn:xmpp:carbons:2", "urn:xmpp:forward:0"


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


def copy(message):
    """Return (direction, body of the copy) of a carbon, None for another message."""
    for direction in ("received", "sent"):
        carbon = message.get_child(direction, CARBONS)
        if carbon is not None:
            inner = carbon.get_child("forwarded", FORWARD).get_child("message", "jabber:client")
            return direction, inner.get_child_text("body")
    return None


@pytest.fixture
def clients(start_debian):
    """Return two clients of one account that have asked for copies, and one of another."""
    running = start_debian("carbons")
    phone, desk = (running.client("juliet", resource).available() for resource in ("phone", "desk"))
    romeo = running.client("romeo", "orchard").available()
    for client in (phone, desk):
        answer = client.iq("set", f"<enable xmlns='{CARBONS}'/>")
        assert answer.attr["type"] == "result"
        client.flush()
    return phone, desk, romeo


def send(sender, to, body="Hail", type="chat", inside=""):
    sender.send(f"<message to='{to}' type='{type}'><body>{body}</body>{inside}</message>").flush()


def test_the_other_client_sees_what_one_receives(clients):
    phone, desk, romeo = clients
    send(romeo, phone.jid)
    (message,) = messages(phone)
    assert copy(message) is None and message.get_child_text("body") == "Hail"
    (carbon,) = messages(desk)
    assert copy(carbon) == ("received", "Hail") and carbon.attr["from"] == "juliet@localhost"
    inner = carbon.tags[0].tags[0].get_child("message", "jabber:client")
    assert (inner.attr["from"], inner.attr["to"]) == (romeo.jid, phone.jid)


def test_the_other_client_sees_what_one_sends(clients):
    phone, desk, romeo = clients
    send(phone, romeo.jid)
    assert [copy(message) for message in messages(desk)] == [("sent", "Hail")]
    assert messages(phone) == [] and len(messages(romeo)) == 1


def test_a_message_to_the_account_comes_to_each_client_once(clients):
    phone, desk, romeo = clients
    send(romeo, "juliet@localhost")
    for client in (phone, desk):
        assert [copy(message) for message in messages(client)] == [None]


@pytest.mark.parametrize(("type", "inside"), [
    ("chat", f"<private xmlns='{CARBONS}'/>"), ("chat", "<no-copy xmlns='urn:xmpp:hints'/>"),
    ("headline", ""), ("groupchat", "")])
def test_private_messages_and_headlines_are_not_copied(clients, type, inside):
    phone, desk, romeo = clients
    send(romeo, phone.jid, type=type, inside=inside)
    assert messages(desk) == []


def test_who_disables_copies_gets_none(clients):
    phone, desk, romeo = clients
    assert desk.iq("set", f"<disable xmlns='{CARBONS}'/>").attr["type"] == "result"
    send(romeo, phone.jid)
    assert messages(desk) == [] and len(messages(phone)) == 1
