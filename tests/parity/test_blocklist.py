"""mod_blocklist of Debian: an account's list of addresses it wants nothing from (XEP-0191)."""

from __future__ import annotations

import pytest

BLOCKING = "urn:xmpp:blocking"
BLOCKED = "{urn:xmpp:blocking:errors}blocked"


def elements(client, name="message"):
    return [element for element in client.flush() if element.name == name]


def block(client, *addresses, element="block"):
    items = "".join(f"<item jid='{address}'/>" for address in addresses)
    return client.iq("set", f"<{element} xmlns='{BLOCKING}'>{items}</{element}>")


def blocked(client):
    answer = client.iq("get", f"<blocklist xmlns='{BLOCKING}'/>")
    return {item.attr["jid"] for item in answer.get_child("blocklist", BLOCKING).tags}


@pytest.fixture
def clients(start_debian):
    """Return two clients of one account that have read the list, and one of another."""
    running = start_debian("blocklist")
    phone, desk = (running.client("juliet", resource).available() for resource in ("phone", "desk"))
    romeo = running.client("romeo", "orchard").available()
    for client in (phone, desk):
        assert blocked(client) == set()
        client.flush()
    return phone, desk, romeo


def test_what_is_blocked_is_stored_and_told_to_the_other_clients(clients):
    phone, desk, _romeo = clients
    assert block(phone, "romeo@localhost", "evil.example").attr["type"] == "result"
    assert blocked(phone) == blocked(desk) == {"romeo@localhost", "evil.example"}
    block(phone, "romeo@localhost")
    push = desk.receive_until(lambda element: element.attr.get("type") == "set")
    assert [item.attr["jid"] for item in push.tags[0].tags] == ["romeo@localhost"]


def test_nothing_of_a_blocked_account_arrives(clients):
    phone, _desk, romeo = clients
    block(phone, "romeo@localhost")
    phone.flush()
    romeo.send(f"<message to='{phone.jid}' type='chat'><body>hark</body></message>")
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>")
    romeo.send(f"<presence to='{phone.jid}'/>")
    answer = romeo.iq("get", "<ping xmlns='urn:xmpp:ping'/>", phone.jid)
    assert answer.get_error()[1] == "service-unavailable"
    assert phone.flush() == []


def test_nothing_is_sent_to_a_blocked_account(clients):
    phone, _desk, romeo = clients
    block(phone, "romeo@localhost")
    phone.send(f"<message to='{romeo.jid}' type='chat'><body>hark</body></message>")
    error = phone.message()
    assert error.get_error()[1] == "not-acceptable"
    assert error.get_child("error").get_child("blocked", BLOCKING + ":errors") is not None
    assert elements(romeo) == []


def test_who_is_unblocked_comes_through_again(clients):
    phone, _desk, romeo = clients
    block(phone, "romeo@localhost", "nurse@localhost")
    block(phone, "romeo@localhost", element="unblock")
    assert blocked(phone) == {"nurse@localhost"}
    romeo.send(f"<message to='{phone.jid}' type='chat'><body>hark</body></message>").flush()
    assert [message.get_child_text("body") for message in elements(phone)] == ["hark"]
    block(phone, element="unblock")
    assert blocked(phone) == set()


@pytest.mark.parametrize(("payload", "condition"), [
    (f"<block xmlns='{BLOCKING}'/>", "bad-request"),
    (f"<block xmlns='{BLOCKING}'><item/></block>", "jid-malformed"),
    (f"<block xmlns='{BLOCKING}'><item jid='@'/></block>", "jid-malformed")])
def test_a_list_without_addresses_is_refused(clients, payload, condition):
    assert clients[0].iq("set", payload).get_error()[1] == condition
