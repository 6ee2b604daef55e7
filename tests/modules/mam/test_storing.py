"""What gets into an archive, and with which id it is delivered (XEP-0313, XEP-0359, XEP-0334)."""

from __future__ import annotations

import pytest

from prosody_py.testing.archives import Archive, form, page

pytestmark = pytest.mark.twins("mam")

SID, HINTS = "urn:xmpp:sid:0", "urn:xmpp:hints"
OURS = pytest.mark.ours_alone("Debian's decides otherwise")
COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
X = "<x xmlns='urn:example:x'/>"


def hint(name):
    return f"<{name} xmlns='{HINTS}'/>"


def marks(message):
    return [(tag.attr.get("by"), tag.attr.get("id")) for tag in message.tags
            if tag.name == "stanza-id"]


def received(archive):
    return [element for element in archive.client.flush() if element.name == "message"]


@pytest.mark.parametrize(("body", "inside", "type"), [
    ("x", "", "chat"), ("x", "", "normal"), ("x", COMPOSING, "chat"), ("x", X, "chat"),
    (None, X + hint("store"), "chat"), (None, "<received xmlns='urn:xmpp:receipts' id='1'/>",
                                        "normal"),
    (None, "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", "chat"),
    (None, "<x xmlns='jabber:x:conference' jid='hall@rooms.localhost'/>", "normal"),
    pytest.param(None, "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", "chat", marks=OURS),
    pytest.param(None, "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>", "chat",
                 marks=OURS)])
def test_what_matters_later_is_kept_by_both(juliet, romeo, body, inside, type):
    romeo.say(juliet.client.bare_jid, body, inside, type)
    for archive in (juliet, romeo):
        (message,) = archive.query().messages
        assert message.get_child_text("body") == body
        assert message.attr["from"] == romeo.client.jid
        assert message.attr["to"] == juliet.client.bare_jid


@pytest.mark.parametrize(("body", "inside", "type"), [
    ("x", "", "headline"), ("x", "", "groupchat"), (None, COMPOSING, "chat"), (None, X, "normal"),
    (None, "", "chat"), ("x", hint("no-store"), "chat"),
    ("x", hint("no-permanent-store"), "chat"), (None, COMPOSING + hint("store"), "groupchat"),
    pytest.param(None, "<request xmlns='urn:xmpp:receipts'/>", "chat", marks=OURS),
    pytest.param("x", "<error type='cancel'/>", "error", marks=OURS)])
def test_what_does_not_is_not(juliet, romeo, body, inside, type):
    romeo.say(juliet.client.jid, body, inside, type)
    assert juliet.query().ids == romeo.query().ids == []
    assert all(not marks(message) for message in received(juliet))


def test_some_payloads_are_left_out_of_what_is_kept(juliet, romeo):
    romeo.say(juliet.client.jid, "x", COMPOSING + X)
    (live,), (kept,) = received(juliet), juliet.query().messages
    assert {tag.name for tag in live.tags} == {"body", "composing", "x", "stanza-id"}
    assert {tag.name for tag in kept.tags if tag.name != "stanza-id"} == {"body", "x"}


def test_a_message_is_kept_whole(juliet, romeo):
    inside = "<x xmlns='urn:x' xml:lang='de'> &lt;é <y a='&quot;'/>\n</x>"
    romeo.say(juliet.client.jid, "<![CDATA[<&]]>\U0001f600", inside)
    (live,), (kept,) = received(juliet), juliet.query().messages
    for message in (live, kept):
        assert message.get_child_text("body") == "<&\U0001f600"
        x = message.get_child("x", "urn:x")
        assert x.attr["xml:lang"] == "de" and x.children[0] == " <é "
        assert x.tags[0].attr["a"] == '"' and x.children[-1] == "\n"


def test_each_archive_has_its_own_id_and_nobody_sees_that_of_the_other(juliet, romeo):
    romeo.say(juliet.client.jid, "x")
    (live,) = received(juliet)
    assert marks(live) == [(juliet.client.bare_jid, juliet.query().ids[0])]
    assert juliet.query().ids != romeo.query().ids


@pytest.mark.ours_alone("Debian's leaves those that name the receiver's archive")
def test_ids_that_claim_to_be_of_the_archive_are_taken_away(juliet, romeo):
    forged = "".join(f"<stanza-id xmlns='{SID}' by='{by}' id='forged'/>" for by in (
        juliet.client.bare_jid, romeo.client.bare_jid, juliet.client.bare_jid,
        "hall@rooms.localhost")) + f"<origin-id xmlns='{SID}' id='mine'/>"
    romeo.say(juliet.client.jid, "x", forged)
    (live,) = received(juliet)
    assert sorted(marks(live)) == sorted([
        ("hall@rooms.localhost", "forged"), (juliet.client.bare_jid, juliet.query().ids[0])])
    assert live.get_child("origin-id", SID).attr["id"] == "mine"
    romeo.say(juliet.client.jid, "x", forged + hint("no-store"))
    (live,) = received(juliet)
    assert marks(live) == [("hall@rooms.localhost", "forged")]


def test_what_is_for_nobody_is_kept_for_the_sender_alone(romeo, server):
    romeo.say("nobody@localhost", "x")
    assert romeo.bodies() == ["x"]
    store = server.server.storage.open("localhost", "archive", "archive")
    assert "nobody" not in list(store.users())


def test_what_many_clients_get_is_kept_once(juliet, romeo, people):
    street = people.login("juliet", "street")
    romeo.say(juliet.client.bare_jid, "x")
    live = [message for message in street.flush() if message.name == "message"]
    assert [marks(message) for message in received(juliet) + live] == [
        [(juliet.client.bare_jid, juliet.query().ids[0])]] * 2
    assert len(juliet.query().ids) == 1


def test_what_comes_while_nobody_is_there_is_kept_and_waits(juliet, romeo, people):
    address = juliet.client.bare_jid
    juliet.client.send("</stream:stream>").closed_with()
    romeo.say(address, "later")
    again = people.login("juliet", "street")
    messages = [element for element in again.flush() if element.name == "message"]
    (message,) = [one for one in messages if one.get_child_text("body") == "later"]
    assert marks(message) == [(address, Archive(again).query().ids[0])]


@OURS
def test_who_has_read_the_archive_does_not_get_what_waited_again(juliet, romeo, people):
    address = juliet.client.bare_jid
    juliet.client.send("</stream:stream>").closed_with()
    romeo.say(address, "later")
    romeo.say(address, "only waits", hint("no-permanent-store"))
    again = Archive(people.login("juliet", "street", available=False))
    assert again.bodies(page("<before/>")) == ["later"]
    again.client.send("<presence/>")
    assert [one.get_child_text("body") for one in received(again)] == ["only waits"]
    other = people.login("juliet", "alley")
    assert [one for one in other.flush() if one.name == "message"] == []


@OURS
def test_who_has_only_searched_the_archive_gets_what_waited(juliet, romeo, people):
    address = juliet.client.bare_jid
    juliet.client.send("</stream:stream>").closed_with()
    romeo.say(address, "later")
    again = Archive(people.login("juliet", "street", available=False))

    assert again.bodies(form(with_="nurse@localhost")) == []
    again.client.send("<presence/>")
    assert [one.get_child_text("body") for one in received(again)] == ["later"]


def test_modules_hear_what_is_kept_and_decide(juliet, romeo, server):
    heard = []

    def decide(event):
        return {"yes": True, "no": False}.get(event.stanza.get_child_text("body"))

    events = server.server.hosts["localhost"].events
    handlers = {"archive-message-added": lambda event: heard.append(
        (event.for_user, event.id, event.stanza.get_child_text("body"))),
        "archive-should-store": decide}
    for name, handler in handlers.items():
        events.add_handler(name, handler)
    try:
        romeo.say(juliet.client.jid, "no")
        romeo.say(juliet.client.jid, "yes", hint("no-store"))
        romeo.say(juliet.client.jid, "x")
    finally:
        for name, handler in handlers.items():
            events.remove_handler(name, handler)
    mine, his = juliet.query(), romeo.query()
    assert mine.bodies == his.bodies == ["yes", "x"]
    users = [archive.client.bare_jid.partition("@")[0] for archive in (romeo, juliet)]
    assert heard == [(users[0], his.ids[0], "yes"), (users[1], mine.ids[0], "yes"),
                     (users[0], his.ids[1], "x"), (users[1], mine.ids[1], "x")]


@OURS
@pytest.mark.parametrize(("seconds", "expected"), [(5, ["before", "after"]),
                                                   (600, ["after", "before"])])
def test_a_small_step_back_of_the_clock_changes_no_order(server, juliet, romeo, seconds, expected):
    romeo.say(juliet.client.jid, "before")
    module = server.server.modules.get_module("localhost", "mam")
    user = juliet.client.bare_jid.partition("@")[0]
    ((id, value, when, _with),) = module.archive.find(user)[0]
    module.archive.set(user, id, value, when + seconds)  # as if the clock had been ahead
    module.newest = when + seconds
    romeo.say(juliet.client.jid, "after")
    assert juliet.bodies() == expected
