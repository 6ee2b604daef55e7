"""mod_muc, ours and that of Debian, as a component: rooms (XEP-0045) for real clients."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS

DISCO = "http://jabber.org/protocol/disco"
MUC = "http://jabber.org/protocol/muc"
USER, OWNER, ADMIN = MUC + "#user", MUC + "#owner", MUC + "#admin"
HOST = "rooms.localhost"
HALL = f"hall@{HOST}"
JOIN = f"<x xmlns='{MUC}'/>"


@pytest.fixture(params=["ours", *KINDS])
def rooms(request, start_server):
    """Return a function that starts a server with a component for rooms, ours or Debian's."""
    if request.param == "ours":
        def start(*names, **options):
            return start_server(["disco"], components={
                HOST: {"module": "muc", "modules_enabled": list(names)}}, **options)
        return start
    start_with_modules = request.getfixturevalue("start_with_modules")

    def start_debian(*names, **options):
        return start_with_modules("muc", "muc_unique", "adhoc", *names, host=HOST, component=True,
                                  modules=["disco"], lua_runtime=request.param, **options)
    return start_debian


class Guest:
    """A client in a room, under a nickname; what the room sends it is read element by element."""

    def __init__(self, client, nick, room=HALL):
        self.client, self.nick, self.room = client, nick, room

    def join(self, inside=JOIN):
        """Enter; return what came up to the subject, which is last (XEP-0045 section 7.2.15)."""
        self.client.send(f"<presence to='{self.room}/{self.nick}'>{inside}</presence>")
        seen = []
        while not seen or seen[-1].get_child("subject") is None:
            seen.append(self.client.receive())
        return seen

    def say(self, text):
        self.client.send(f"<message to='{self.room}' type='groupchat' id='m1'>"
                         f"<body>{text}</body></message>")

    def owner(self, type, payload=""):
        return self.client.iq(type, f"<query xmlns='{OWNER}'>{payload}</query>", self.room)

    def configure(self, **values):
        fields = "".join(f"<field var='muc#roomconfig_{name}'><value>{value}</value></field>"
                         for name, value in values.items())
        return self.owner("set", "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
                          f"<value>{MUC}#roomconfig</value></field>{fields}</x>")

    def admin(self, type, **item):
        reason = item.pop("reason", "")
        attributes = "".join(f" {name}='{value}'" for name, value in item.items())
        return self.client.iq(type, f"<query xmlns='{ADMIN}'><item{attributes}>"
                              f"<reason>{reason}</reason></item></query>", self.room)


def statuses(presence):
    return {int(tag.attr["code"]) for tag in presence.get_child("x", USER).tags
            if tag.name == "status"}


def item_of(presence):
    attr = presence.get_child("x", USER).get_child("item").attr
    return {name: value for name, value in attr.items() if name != "xmlns"}


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


@pytest.fixture
def juliet_and_romeo(rooms):
    """Return two guests of one room: its owner, and a participant."""
    running = rooms()
    juliet = Guest(running.client("juliet", "balcony"), "Jule")
    juliet.join()
    assert juliet.configure().attr["type"] == "result"
    romeo = Guest(running.client("romeo", "orchard"), "Romeo")
    romeo.join()
    juliet.client.flush()
    return juliet, romeo


def test_the_first_to_join_makes_the_room_and_owns_it(rooms):
    juliet = Guest(rooms().client("juliet", "balcony"), "Jule")
    presence, subject = juliet.join()
    assert presence.attr["from"] == f"{HALL}/Jule" and statuses(presence) == {110, 201}
    assert item_of(presence) == {"affiliation": "owner", "role": "moderator",
                                 "jid": juliet.client.jid}
    assert presence.get_child("occupant-id", "urn:xmpp:occupant-id:0").attr["id"]
    assert subject.attr["from"] == HALL and subject.attr["type"] == "groupchat"


def test_who_joins_sees_the_others_and_is_seen_without_addresses(rooms):
    running = rooms()
    juliet = Guest(running.client("juliet"), "Jule")
    juliet.join()
    juliet.configure()
    other, own, _subject = Guest(running.client("romeo"), "Romeo").join()
    assert item_of(other) == {"affiliation": "owner", "role": "moderator"}
    assert item_of(own)["role"] == "participant" and 110 in statuses(own)
    seen = juliet.client.presence()
    assert seen.attr["from"] == f"{HALL}/Romeo" and statuses(seen) == set()
    assert item_of(seen)["jid"].startswith("romeo@localhost/")  # a moderator may know


def test_a_message_reaches_everybody_in_the_room(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.say("But soft")
    for client in (juliet.client, romeo.client):
        message = client.message()
        assert message.attr["from"] == f"{HALL}/Romeo"
        assert message.attr["type"] == "groupchat" and message.attr["id"] == "m1"
        assert message.get_child_text("body") == "But soft"


def test_a_private_message_reaches_its_nickname_alone(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.send(f"<message to='{HALL}/Jule' type='chat'><body>psst</body></message>").flush()
    (message,) = messages(juliet.client)
    assert message.attr["from"] == f"{HALL}/Romeo" and message.get_child("x", USER) is not None
    assert messages(romeo.client) == []


def test_who_is_not_in_the_room_cannot_speak(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.send(f"<presence type='unavailable' to='{HALL}/Romeo'/>")
    assert 110 in statuses(romeo.client.presence())
    left = juliet.client.presence()
    assert left.attr["type"] == "unavailable" and left.attr["from"] == f"{HALL}/Romeo"
    romeo.say("anybody?")
    assert romeo.client.message().get_error()[1] == "not-acceptable"


def test_leaving_by_disconnecting_is_seen(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.close()
    left = juliet.client.presence()
    assert (left.attr["from"], left.attr["type"]) == (f"{HALL}/Romeo", "unavailable")


def test_a_nickname_is_for_one_account(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.send(f"<presence to='{HALL}/Jule'/>")
    assert romeo.client.presence().get_error()[1] == "conflict"
    romeo.client.send(f"<presence to='{HALL}/Montague'/>")
    old = romeo.client.presence()
    assert statuses(old) == {110, 303} and item_of(old)["nick"] == "Montague"
    assert romeo.client.presence().attr["from"] == f"{HALL}/Montague"


def test_a_moderator_kicks_and_others_cannot(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    assert romeo.admin("set", nick="Jule", role="none").get_error()[1] in (
        "forbidden", "not-allowed")
    assert juliet.admin("set", nick="Romeo", role="none", reason="dawn").attr["type"] == "result"
    out = romeo.client.presence()
    assert out.attr["type"] == "unavailable" and {110, 307} <= statuses(out)
    item = out.get_child("x", USER).get_child("item")
    assert item.get_child_text("reason") == "dawn"
    assert item.get_child("actor").attr["nick"] == "Jule"
    assert 110 in statuses(romeo.join()[1])  # a kick is no ban


def test_who_is_banned_stays_out_and_is_on_the_list(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    assert juliet.admin("set", jid="romeo@localhost",
                        affiliation="outcast").attr["type"] == "result"
    assert 301 in statuses(romeo.client.presence())
    romeo.client.send(f"<presence to='{HALL}/Romeo'>{JOIN}</presence>")
    assert romeo.client.presence().get_error()[1] == "forbidden"
    banned = juliet.admin("get", affiliation="outcast").tags[0].tags
    assert [item.attr["jid"] for item in banned] == ["romeo@localhost"]


def test_the_owner_configures_the_room(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    form = juliet.owner("get").tags[0].get_child("x", "jabber:x:data")
    fields = {field.attr.get("var") for field in form.tags if field.name == "field"}
    assert {"muc#roomconfig_roomname", "muc#roomconfig_roomsecret",
            "muc#roomconfig_persistentroom"} <= fields
    assert romeo.owner("get").get_error()[1] == "forbidden"
    assert juliet.configure(roomname="The hall", moderatedroom="1",
                            publicroom="1").attr["type"] == "result"
    assert 104 in statuses(romeo.client.message())
    info = romeo.client.iq("get", f"<query xmlns='{DISCO}#info'/>", HALL).tags[0]
    assert info.get_child("identity").attr["name"] == "The hall"
    features = {tag.attr["var"] for tag in info.tags if tag.name == "feature"}
    assert {MUC, "muc_moderated", "muc_public"} <= features


def test_the_component_lists_its_public_rooms(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    assert juliet.configure(roomname="The hall", publicroom="1").attr["type"] == "result"
    answer = romeo.client.iq("get", f"<query xmlns='{DISCO}#items'/>", HOST)
    assert [(tag.attr["jid"], tag.attr["name"]) for tag in answer.tags[0].tags] == [
        (HALL, "The hall")]


def test_a_room_with_a_password_asks_for_it(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.send(f"<presence type='unavailable' to='{HALL}/Romeo'/>").flush()
    juliet.configure(roomsecret="rose")
    romeo.client.send(f"<presence to='{HALL}/Romeo'>{JOIN}</presence>")
    assert romeo.client.presence().get_error()[1] == "not-authorized"
    assert romeo.join(f"<x xmlns='{MUC}'><password>rose</password></x>")


def test_a_visitor_of_a_moderated_room_gets_no_voice_until_it_is_granted(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    juliet.configure(moderatedroom="1")
    juliet.admin("set", nick="Romeo", role="visitor")
    romeo.client.flush()
    romeo.say("mute")
    assert romeo.client.message().get_error()[1] == "forbidden"
    juliet.admin("set", nick="Romeo", role="participant")
    romeo.client.flush()
    romeo.say("heard")
    assert romeo.client.message().get_child_text("body") == "heard"


def test_the_subject_is_told_to_all_and_to_who_joins_later(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    juliet.client.send(f"<message to='{HALL}' type='groupchat'><subject>Verona</subject>"
                       "</message>")
    assert romeo.client.message().get_child_text("subject") == "Verona"
    romeo.client.send(f"<presence type='unavailable' to='{HALL}/Romeo'/>").flush()
    assert romeo.join()[-1].get_child_text("subject") == "Verona"


def test_who_joins_gets_the_history_that_it_asks_for(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.send(f"<presence type='unavailable' to='{HALL}/Romeo'/>").flush()
    for number in range(5):
        juliet.say(f"line {number}")
    juliet.client.flush()

    def lines(inside):
        seen = romeo.join(inside)[2:-1]
        assert all(message.get_child("delay", "urn:xmpp:delay") is not None for message in seen)
        romeo.client.send(f"<presence type='unavailable' to='{HALL}/Romeo'/>").flush()
        return [message.get_child_text("body") for message in seen]

    assert lines(JOIN) == [f"line {number}" for number in range(5)]
    assert lines(f"<x xmlns='{MUC}'><history maxstanzas='2'/></x>") == ["line 3", "line 4"]
    assert lines(f"<x xmlns='{MUC}'><history maxchars='0'/></x>") == []


def test_an_invitation_goes_to_the_account_in_the_rooms_name(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    romeo.client.send("<presence/>").flush()
    juliet.client.send(f"<message to='{HALL}'><x xmlns='{USER}'><invite to='romeo@localhost'>"
                       "<reason>come</reason></invite></x></message>").flush()
    (message,) = messages(romeo.client)
    invite = message.get_child("x", USER).get_child("invite")
    assert message.attr["from"] == HALL and invite.attr["from"] == f"{HALL}/Jule"
    assert invite.get_child_text("reason") == "come"


def test_the_owner_destroys_the_room(juliet_and_romeo):
    juliet, romeo = juliet_and_romeo
    assert romeo.owner("set", "<destroy/>").get_error()[1] == "forbidden"
    answer = juliet.owner("set", f"<destroy jid='next@{HOST}'><reason>over</reason></destroy>")
    assert answer.attr["type"] == "result"
    out = romeo.client.presence()
    assert out.attr["type"] == "unavailable"
    destroy = out.get_child("x", USER).get_child("destroy")
    assert destroy.attr["jid"] == f"next@{HOST}" and destroy.get_child_text("reason") == "over"
    info = romeo.client.iq("get", f"<query xmlns='{DISCO}#info'/>", HALL)
    assert info.get_error()[1] == "item-not-found"


def test_a_persistent_room_is_there_after_the_module_was_reloaded(rooms):
    running = rooms(muc_room_cache_size=10)
    juliet = Guest(running.client("juliet", "balcony"), "Jule")
    juliet.join()
    juliet.configure(persistentroom="1", roomname="Kept", membersonly="1")
    juliet.admin("set", jid="nurse@localhost", affiliation="member")
    running.server.modules.reload(HOST, "muc")
    romeo = running.client("romeo")
    info = romeo.iq("get", f"<query xmlns='{DISCO}#info'/>", HALL).tags[0]
    assert info.get_child("identity").attr["name"] == "Kept"
    romeo.send(f"<presence to='{HALL}/Romeo'>{JOIN}</presence>")
    assert romeo.presence().get_error()[1] == "registration-required"
    assert Guest(running.client("nurse"), "Nurse").join()
