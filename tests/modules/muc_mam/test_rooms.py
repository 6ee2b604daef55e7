"""Archives of rooms: what is in them, who reads them, and what of that (XEP-0313)."""

from __future__ import annotations

import pytest

from prosody_py.testing.archives import form, page

pytestmark = pytest.mark.twins("muc_mam")

MAM, SID = "urn:xmpp:mam:2", "urn:xmpp:sid:0"
MUC, USER = "http://jabber.org/protocol/muc", "http://jabber.org/protocol/muc#user"
HINTS = "urn:xmpp:hints"
OURS = pytest.mark.ours_alone("Debian's decides otherwise")


def marks(message):
    return [(tag.attr.get("by"), tag.attr.get("id")) for tag in message.tags
            if tag.name == "stanza-id"]


def item_of(message):
    x = message.get_child("x", USER)
    return None if x is None else x.get_child("item")


def test_what_is_said_is_in_the_archive_and_has_its_id(juliet, romeo):
    for number in range(3):
        juliet.speak(f"line {number}")
    live = romeo.speak("answer")
    found = juliet.told()
    assert found.bodies == ["line 0", "line 1", "line 2", "answer"] and found.complete
    assert marks(live) == [(juliet.room, found.ids[-1])]
    kept = found.messages[-1]
    assert kept.attr["from"] == f"{juliet.room}/Romeo" and "to" not in kept.attr
    assert kept.attr["type"] == "groupchat" and kept.attr["id"] == live.attr["id"]
    assert romeo.told().ids == found.ids


def test_the_archive_is_read_page_by_page(juliet):
    for number in range(4):
        juliet.speak(f"line {number}")
    first = juliet.told(page("<max>3</max>"))
    assert first.bodies == ["line 0", "line 1", "line 2"] and not first.complete
    rest = juliet.told(page(f"<max>3</max><after>{first.ids[-1]}</after>"))
    assert rest.bodies == ["line 3"] and rest.complete
    assert juliet.told(page("<max>1</max><before/>")).bodies == ["line 3"]
    assert juliet.told(page("<after>unknown</after>")).error == "item-not-found"
    assert juliet.told(form(start="yesterday")).error == "bad-request"


def test_ids_that_claim_to_be_of_the_room_are_taken_away(juliet):
    live = juliet.speak("x", f"<stanza-id xmlns='{SID}' by='{juliet.room}' id='forged'/>")
    assert marks(live) == [(juliet.room, juliet.told().ids[0])]


@OURS
def test_who_has_spoken_is_not_what_the_message_says(juliet, romeo):
    forged = f"<x xmlns='{USER}'><item jid='queen@localhost' affiliation='owner'/></x>"
    romeo.speak("x", forged)
    (kept,) = juliet.told().messages
    assert [tag.attr for tag in kept.tags if tag.name == "x"] == [{"xmlns": USER}]
    own = {"jid": romeo.client.jid, "affiliation": "none", "role": "participant"}
    assert item_of(kept).attr == {**item_of(kept).attr, **own}


@OURS
@pytest.mark.parametrize(("body", "inside", "kept"), [
    (None, "<x xmlns='urn:example:x'/>", False), (None, f"<store xmlns='{HINTS}'/>", True),
    ("x", f"<no-store xmlns='{HINTS}'/>", False),
    ("x", f"<no-permanent-store xmlns='{HINTS}'/>", False),
    (None, "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True)])
def test_what_matters_later_is_kept(juliet, body, inside, kept):
    live = juliet.speak(body, inside)
    assert bool(juliet.told().ids) == bool(marks(live)) == kept


@OURS
def test_a_change_of_subject_is_kept_but_is_no_history(juliet, guest):
    juliet.speak("x")
    juliet.client.send(f"<message to='{juliet.room}' type='groupchat'><subject>Verona</subject>"
                       "</message>")
    changed = juliet.client.message()
    found = juliet.told()
    assert marks(changed) == [(juliet.room, found.ids[-1])]
    assert found.messages[-1].get_child_text("subject") == "Verona"
    history = guest("romeo").join()
    assert [message.get_child_text("subject") for message in history] == [None, "Verona"]


def test_private_messages_are_not_in_the_archive(juliet, romeo):
    juliet.say(f"{juliet.room}/Romeo", "psst")
    assert juliet.told().ids == []


def test_a_message_that_was_refused_is_not_in_the_archive(juliet, guest):
    stranger = guest("tybalt")
    stranger.client.send(f"<message to='{juliet.room}' type='groupchat'><body>x</body></message>")
    assert stranger.client.message().attr["type"] == "error"
    assert juliet.told().ids == []


# -- who reads it ----------------------------------------------------------------------------


def test_an_open_room_is_read_by_all_but_those_who_are_banned(juliet, guest):
    juliet.speak("x")
    stranger = guest("tybalt")
    assert stranger.told().bodies == ["x"]
    juliet.affiliate(stranger.client.bare_jid, "outcast")
    assert stranger.told().error == "forbidden"


def test_a_room_for_members_is_read_by_members(juliet, guest):
    juliet.speak("x")
    juliet.owner(membersonly="1")
    stranger = guest("tybalt")
    assert stranger.told().error == "forbidden"
    juliet.affiliate(stranger.client.bare_jid, "member")
    assert stranger.told().bodies == ["x"]


@OURS
def test_a_room_with_a_password_is_read_by_those_who_are_in_it(juliet, guest):
    juliet.speak("x")
    juliet.owner(roomsecret="rose")
    romeo = guest("romeo")
    assert romeo.told().error == "forbidden"
    romeo.join("<password>rose</password>")
    assert romeo.told().bodies == ["x"]
    romeo.leave()
    assert romeo.told().error == "forbidden"


@OURS
def test_metadata_and_form_are_for_the_same_people(juliet, guest):
    juliet.speak("x")
    stranger = guest("tybalt")
    for payload in ("metadata", "query"):
        request = f"<{payload} xmlns='{MAM}'/>"
        assert stranger.client.iq("get", request, juliet.room).attr["type"] == "result"
        juliet.affiliate(stranger.client.bare_jid, "outcast")
        assert stranger.client.iq("get", request, juliet.room).get_error()[1] == "forbidden"
        juliet.affiliate(stranger.client.bare_jid, "none")


def test_there_is_no_archive_of_a_room_that_there_is_not(juliet, guest):
    stranger = guest("tybalt", room="nowhere@rooms.localhost")
    assert stranger.told().error == "item-not-found"


@OURS
def test_the_ends_of_the_archive_are_told(juliet):
    for text in ("one", "two", "three"):
        juliet.speak(text)
    found = juliet.told()
    told = juliet.client.iq("get", f"<metadata xmlns='{MAM}'/>", juliet.room)
    assert [(tag.name, tag.attr["id"]) for tag in told.get_child("metadata", MAM).tags] == [
        ("start", found.ids[0]), ("end", found.ids[-1])]


# -- who is behind a nickname ----------------------------------------------------------------


@OURS
def test_addresses_are_shown_to_those_who_may_know(juliet, romeo):
    juliet.speak("x")
    (kept,) = juliet.told().messages
    assert item_of(kept).attr["jid"] == juliet.client.jid
    (kept,) = romeo.told().messages
    assert item_of(kept) is None
    juliet.owner(whois="anyone")
    (kept,) = romeo.told().messages
    assert item_of(kept).attr["jid"] == juliet.client.jid


@OURS
def test_the_archive_is_searched_by_author(juliet, romeo):
    juliet.speak("hers")
    romeo.speak("his")
    assert romeo.told(form(with_=f"{juliet.room}/Juliet")).bodies == ["hers"]
    assert romeo.told(form(with_=juliet.room)).bodies == ["hers", "his"]
    assert juliet.told(form(with_=romeo.client.bare_jid)).bodies == ["his"]
    assert juliet.told(form(with_=romeo.client.jid)).bodies == ["his"]
    assert romeo.told(form(with_=juliet.client.bare_jid)).bodies == []


# -- what the room tells ---------------------------------------------------------------------


def features(guest):
    info = guest.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                           guest.room)
    return {tag.attr["var"] for tag in info.tags[0].tags if tag.name == "feature"}


def test_the_owner_switches_the_archive_off_and_on(juliet):
    assert {MAM, f"{MAM}#extended", SID} <= features(juliet)
    juliet.speak("kept")
    form_of = juliet.client.iq("get", f"<query xmlns='{MUC}#owner'/>", juliet.room)
    field = next(tag for tag in form_of.tags[0].tags[0].tags
                 if tag.attr.get("var") == "muc#roomconfig_enablearchiving")
    assert field.attr["type"] == "boolean" and field.get_child_text("value") == "1"
    assert juliet.owner(enablearchiving="0").attr["type"] == "result"
    assert marks(juliet.speak("unkept")) == []
    assert MAM not in features(juliet)
    juliet.owner(enablearchiving="1")
    juliet.speak("kept again")
    assert juliet.told().bodies == ["kept", "kept again"]


@OURS
def test_everybody_is_told_when_it_is_switched(juliet, romeo):
    for value, code in (("0", "171"), ("1", "170")):
        romeo.client.flush()
        juliet.owner(enablearchiving=value)
        x = romeo.client.message().get_child("x", USER)
        assert {"104", code} == {tag.attr["code"] for tag in x.tags}
    assert juliet.told().error is None
    juliet.owner(enablearchiving="0")
    assert romeo.told().error == "feature-not-implemented"


@OURS
def test_who_enters_is_told_that_it_is_archived(juliet, guest):
    romeo = guest("romeo")
    romeo.client.send(f"<presence to='{juliet.room}/Romeo'><x xmlns='{MUC}'/></presence>")
    own = romeo.client.receive_until(lambda element: element.name == "presence" and "110" in {
        tag.attr.get("code") for tag in element.get_child("x", USER).tags})
    assert "170" in {tag.attr.get("code") for tag in own.get_child("x", USER).tags}


# -- history ---------------------------------------------------------------------------------


def test_who_enters_gets_history_from_the_archive(juliet, guest, server):
    ids = [marks(juliet.speak(f"line {number}"))[0][1] for number in range(5)]
    server.server.modules.reload("rooms.localhost", "muc")
    romeo = guest("romeo")

    def history(inside):
        *messages, _subject = romeo.join(inside)
        romeo.leave()
        return messages

    everything = history("")
    assert [one.get_child_text("body") for one in everything] == [f"line {n}" for n in range(5)]
    for one, id in zip(everything, ids, strict=True):
        assert one.attr["from"] == f"{juliet.room}/Juliet" and item_of(one) is None
        assert one.get_child("delay", "urn:xmpp:delay").attr["from"] == juliet.room
        assert marks(one) == [(juliet.room, id)]
    texts = [[one.get_child_text("body") for one in history(f"<history {asked}/>")] for asked in (
        "maxstanzas='2'", "since='2099-01-01T00:00:00Z'", "seconds='100'", "maxchars='0'")]
    assert texts == [["line 3", "line 4"], [], [f"line {n}" for n in range(5)], []]


def test_the_archive_goes_with_the_room(juliet, server):
    juliet.speak("x")
    store = server.server.storage.open("rooms.localhost", "muc_log", "archive")
    node = juliet.room.partition("@")[0]
    assert node in list(store.users())
    juliet.owner("<destroy/>")
    assert node not in list(store.users())
