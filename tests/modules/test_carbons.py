"""Copies of messages for a user's other clients (XEP-0280)."""

from __future__ import annotations

import secrets

import pytest

from prosody_py.events import filters

pytestmark = pytest.mark.twins("carbons")

CARBONS, FORWARD = "urn:xmpp:carbons:2", "urn:xmpp:forward:0"
MUC_USER = "http://jabber.org/protocol/muc#user"
BODY = "<body>Hail</body>"
NOT_DEBIANS = pytest.mark.ours_alone("Debian's decides otherwise; here it is as the rules say")


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["carbons", "offline"])
    yield server
    server.stop()


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


def wrapped(message):
    """Return (direction, the message inside) of a copy, None for another message."""
    for direction in ("received", "sent"):
        carbon = message.get_child(direction, CARBONS)
        if carbon is not None:
            return direction, carbon.get_child("forwarded", FORWARD).get_child(
                "message", "jabber:client")
    return None


def seen(client):
    """Return what a client gets: "received" or "sent" for a copy, "itself" for a message."""
    found = [wrapped(message) for message in messages(client)]
    return ["itself" if copy is None else copy[0] for copy in found]


def switch(client, what):
    answer = client.iq("set", f"<{what} xmlns='{CARBONS}'/>")
    assert answer.attr["type"] == "result" and answer.tags == []


@pytest.fixture
def three(people):
    """Return two clients of one account that have asked for copies, and one of another."""
    phone, desk = (people.login("juliet", resource) for resource in ("phone", "desk"))
    romeo = people.login("romeo", "orchard")
    for client in (phone, desk):
        switch(client, "enable")
    for client in (phone, desk, romeo):
        client.flush()
    return phone, desk, romeo


def send(sender, to, inside=BODY, type="chat", id=None):
    id = id or secrets.token_hex(4)
    to = f" to='{to}'" if to else ""
    sender.send(f"<message id='{id}'{to} type='{type}'>{inside}</message>").flush()
    return id


def test_the_other_client_sees_what_one_receives(three):
    phone, desk, romeo = three
    send(romeo, phone.jid)
    (message,) = messages(phone)
    assert wrapped(message) is None and message.get_child_text("body") == "Hail"
    (carbon,) = messages(desk)
    assert (carbon.attr["from"], carbon.attr["to"]) == (desk.bare_jid, desk.jid)
    assert carbon.attr["type"] == "chat"
    direction, inner = wrapped(carbon)
    assert direction == "received" and inner.get_child_text("body") == "Hail"
    assert (inner.attr["from"], inner.attr["to"]) == (romeo.jid, phone.jid)


def test_the_other_client_sees_what_one_sends(three):
    phone, desk, romeo = three
    phone.send(f"<message to='{romeo.jid}' type='chat'>{BODY}</message>")
    assert messages(phone) == []
    (carbon,) = messages(desk)
    assert (carbon.attr["from"], carbon.attr["to"]) == (desk.bare_jid, desk.jid)
    direction, inner = wrapped(carbon)
    assert direction == "sent" and inner.get_child_text("body") == "Hail"
    assert (inner.attr["from"], inner.attr["to"]) == (phone.jid, romeo.jid)
    assert seen(romeo) == ["itself"]


def test_what_one_sends_is_copied_also_if_that_client_has_not_asked(three):
    phone, desk, romeo = three
    switch(phone, "disable")
    send(phone, romeo.jid)
    assert seen(desk) == ["sent"]


def test_a_message_to_the_account_comes_to_each_client_once(three):
    phone, desk, romeo = three
    send(romeo, phone.bare_jid)
    assert seen(phone) == seen(desk) == ["itself"]


def test_who_has_a_lower_priority_gets_a_copy(three, people):
    phone, desk, romeo = three
    desk.send("<presence><priority>-1</priority></presence>").flush()
    phone.flush()
    send(romeo, phone.bare_jid)
    assert seen(phone) == ["itself"] and seen(desk) == ["received"]


def test_the_only_client_gets_a_copy_of_what_it_does_not_get_itself(three, people):
    phone, desk, romeo = three
    desk.send("</stream:stream>").closed_with()
    phone.send("<presence><priority>-1</priority></presence>").flush()
    send(romeo, phone.bare_jid)
    assert seen(phone) == ["received"]


def test_who_is_not_available_gets_copies(three, people):
    phone, _desk, romeo = three
    street = people.login("juliet", "street", available=False)
    switch(street, "enable")
    send(romeo, phone.bare_jid)
    assert seen(street) == ["received"]


def test_a_message_to_a_resource_that_is_gone_is_one_to_the_account(three):
    phone, desk, romeo = three
    send(romeo, phone.bare_jid + "/gone")
    assert seen(phone) == seen(desk) == ["itself"]


@pytest.mark.parametrize(("type", "inside"), [
    ("chat", "<thread>1</thread>"), ("normal", BODY), ("chat", "<x xmlns='urn:example:x'/>"),
    *(pytest.param("normal", inside, marks=NOT_DEBIANS) for inside in (
        "<received xmlns='urn:xmpp:receipts' id='1'/>",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
        f"<x xmlns='{MUC_USER}'><invite from='nurse@localhost'/></x>",
        "<x xmlns='jabber:x:conference' jid='hall@rooms.localhost'/>"))])
def test_what_belongs_to_instant_messaging_is_copied(three, type, inside):
    phone, desk, romeo = three
    send(romeo, phone.jid, inside, type)
    send(phone, romeo.jid, inside, type)
    assert seen(desk) == ["received", "sent"]


@pytest.mark.parametrize(("type", "inside"), [
    ("chat", BODY + f"<private xmlns='{CARBONS}'/>"),
    ("chat", BODY + "<no-copy xmlns='urn:xmpp:hints'/>"),
    ("headline", BODY), ("groupchat", BODY), ("normal", "<x xmlns='urn:example:x'/>"),
    ("normal", "<subject>Hail</subject>"),
    pytest.param("chat", f"<received xmlns='{CARBONS}'/>", marks=NOT_DEBIANS)])
def test_what_is_private_or_no_instant_messaging_is_not_copied(three, type, inside):
    phone, desk, romeo = three
    send(romeo, phone.jid, inside, type)
    send(phone, romeo.jid, inside, type)
    assert messages(desk) == []


@NOT_DEBIANS
def test_a_private_message_of_a_room_is_copied_only_when_it_is_sent(three):
    phone, desk, romeo = three
    mark = f"{BODY}<x xmlns='{MUC_USER}'/>"
    send(romeo, phone.jid, mark)
    assert messages(desk) == []
    send(phone, romeo.jid, mark)
    assert seen(desk) == ["sent"]


@NOT_DEBIANS
def test_an_error_is_copied_if_what_it_is_about_was(three):
    phone, desk, romeo = three
    error = ("<error type='cancel'><service-unavailable "
             "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
    id = send(phone, romeo.jid)
    unseen = send(phone, romeo.jid, f"{BODY}<private xmlns='{CARBONS}'/>")
    assert seen(desk) == ["sent"]
    for about in (id, unseen, "never-sent"):
        send(romeo, phone.jid, error, "error", id=about)
    assert len(messages(phone)) == 3
    (carbon,) = messages(desk)
    direction, inner = wrapped(carbon)
    assert (direction, inner.attr["id"]) == ("received", id)


@NOT_DEBIANS
def test_an_error_of_somebody_else_about_what_was_copied_is_not(three, people):
    phone, desk, romeo = three
    id = send(phone, romeo.jid)
    desk.flush()
    send(people.login("tybalt"), phone.jid, "<error type='cancel'/>", "error", id=id)
    assert messages(desk) == []


@NOT_DEBIANS
def test_an_error_of_the_server_is_copied_if_what_it_is_about_was(three):
    phone, desk, _romeo = three
    id = send(phone, "nobody@localhost")
    send(phone, "nobody@localhost", f"{BODY}<private xmlns='{CARBONS}'/>")
    send(phone, "localhost", "<x xmlns='urn:example:x'/>", "normal")
    sent, error = (wrapped(message) for message in messages(desk))
    assert (sent[0], error[0]) == ("sent", "received")
    assert error[1].attr == {"xmlns": "jabber:client", "type": "error", "id": id,
                             "to": phone.jid, "from": "nobody@localhost"}
    assert error[1].get_error()[1] == "service-unavailable"


def test_who_disables_copies_gets_none(three):
    phone, desk, romeo = three
    switch(desk, "disable")
    switch(desk, "disable")
    send(romeo, phone.jid)
    assert messages(desk) == [] and seen(phone) == ["itself"]
    switch(desk, "enable")
    switch(desk, "enable")
    send(romeo, phone.jid)
    assert seen(desk) == ["received"]


@NOT_DEBIANS
@pytest.mark.parametrize("what", ["enable", "disable"])
def test_nobody_switches_copies_of_another_account(three, what):
    phone, desk, romeo = three
    answer = romeo.iq("set", f"<{what} xmlns='{CARBONS}'/>", phone.bare_jid)
    assert answer.get_error()[:2] == ("cancel", "not-allowed")
    assert phone.iq("set", f"<{what} xmlns='{CARBONS}'/>", phone.bare_jid).attr["type"] == "result"


def test_nobody_gets_copies_of_another_account(three):
    phone, _desk, romeo = three
    answer = romeo.iq("set", f"<enable xmlns='{CARBONS}'/>", phone.bare_jid)
    assert answer.attr["type"] == "error"
    send(phone, phone.jid)
    assert messages(romeo) == []


@NOT_DEBIANS
@pytest.mark.parametrize("to_account", [True, False])
def test_what_one_says_to_oneself_comes_to_each_client_once(three, to_account):
    phone, desk, _romeo = three
    to = phone.bare_jid if to_account else phone.jid
    phone.send(f"<message to='{to}' type='chat'>{BODY}</message>")
    assert seen(phone) == ["itself"] and seen(desk) == ["itself" if to_account else "sent"]


def test_a_copy_is_text_that_is_right_whatever_it_holds(three):
    phone, desk, romeo = three
    send(romeo, phone.jid, "<body>&lt;é&amp;\U0001f600'\"</body><x xmlns='urn:x' xml:lang='de'/>")
    (carbon,) = messages(desk)
    inner = wrapped(carbon)[1]
    assert inner.get_child_text("body") == "<é&\U0001f600'\""
    assert inner.get_child("x", "urn:x").attr["xml:lang"] == "de"


def test_the_features_are_told(three):
    phone, _desk, _romeo = three
    info = phone.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "localhost")
    features = {tag.attr["var"] for tag in info.tags[0].tags if tag.name == "feature"}
    assert {CARBONS, "urn:xmpp:carbons:rules:0"} <= features


def test_a_module_may_decide(three, server):
    phone, desk, romeo = three

    def decide(event):
        text = event.stanza.get_child_text("body")
        return {"yes": True, "no": False}.get(text)

    events = server.server.hosts["localhost"].events
    events.add_handler("carbons-should-copy", decide)
    try:
        for text in ("yes", "no"):
            send(romeo, phone.jid, f"<body>{text}</body>")
        (carbon,) = messages(desk)
        assert wrapped(carbon)[1].get_child_text("body") == "yes"
        send(romeo, phone.jid, "<body>yes</body>", "headline")
        assert seen(desk) == ["received"]
    finally:
        events.remove_handler("carbons-should-copy", decide)


def test_a_filter_of_the_session_sees_the_copy_as_an_element(three, server):
    phone, desk, romeo = three
    session, found = server.server.full_sessions[desk.jid], []

    def look(element, _session):
        found.append(element)
        return element

    filters.add_filter(session, "stanzas/out", look)
    send(romeo, phone.jid)
    assert seen(desk) == ["received"]
    assert [wrapped(element)[0] for element in found if element.name == "message"] == ["received"]
