"""Debian's modules that add something to rooms: for the clients in them."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pytest

from prosody_py.events.bus import Event

MUC, ROOMS, HALL = "http://jabber.org/protocol/muc", "rooms.localhost", "hall@rooms.localhost"
DATA = "jabber:x:data"
MODERATE, RETRACT, FASTEN = ("urn:xmpp:message-moderate:0", "urn:xmpp:message-retract:0",
                             "urn:xmpp:fasten:0")


@pytest.fixture(params=["ours", "debian"])
def rooms(request, start_hosts):
    """Return a function that starts a server with rooms; `there` are modules of the component.

    The rooms are made by our own mod_muc and by that of Debian.
    """
    def start(*there, here=(), needs=(), enabled=(), components=None, **options):
        muc = {"muc", "muc_unique", "adhoc"} if request.param == "debian" else set()
        needed = muc - {*there}
        return start_hosts(
            *needed, *there, *here, *needs, modules=["disco", *here], components={
                **(components or {}),
                ROOMS: {"module": "muc", "modules_enabled": [*there, *enabled]}},
            **options)
    return start


def join(client, nick, room=HALL):
    """Enter a room that is made or is there; return what came up to the subject."""
    client.send(f"<presence to='{room}/{nick}'><x xmlns='{MUC}'/></presence>")
    seen = []
    while not seen or seen[-1].get_child("subject") is None:
        seen.append(client.receive())
    return seen


def configure(client, fields=""):
    answer = client.iq("set", f"<query xmlns='{MUC}#owner'><x xmlns='{DATA}' type='submit'>"
                       f"<field var='FORM_TYPE'><value>{MUC}#roomconfig</value></field>{fields}"
                       "</x></query>", HALL)
    assert answer.attr["type"] == "result", str(answer)


def pair(running):
    """Return the owner of a room and a participant."""
    juliet, romeo = running.client("juliet").available(), running.client("romeo").available()
    join(juliet, "Jule")
    configure(juliet)
    join(romeo, "Romeo")
    juliet.flush()
    return juliet, romeo


def say(client, inside):
    client.send(f"<message to='{HALL}' type='groupchat'>{inside}</message>")


def said(client):
    return client.receive_until(lambda element: element.name == "message"
                                and element.get_child("body") is not None)


def test_a_room_has_a_picture_that_its_owner_sets(rooms):
    juliet, romeo = pair(rooms("vcard_muc"))
    card = "<vCard xmlns='vcard-temp'><PHOTO><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard>"
    assert romeo.iq("set", card, HALL).get_error()[1] == "forbidden"
    assert juliet.iq("set", card, HALL).attr["type"] == "result"
    update = romeo.receive_until(lambda element: element.attr["from"] == HALL)
    photo = hashlib.sha1(b"hello").hexdigest()
    assert update.get_child("x", "vcard-temp:x:update").get_child_text("photo") == photo
    got = romeo.iq("get", "<vCard xmlns='vcard-temp'/>", HALL).tags[0]
    assert got.get_child("PHOTO").get_child_text("BINVAL") == "aGVsbG8="
    info = romeo.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", HALL).tags[0]
    values = {field.attr["var"]: field.get_child_text("value")
              for field in info.get_child("x", DATA).tags}
    assert values["{http://modules.prosody.im/mod_vcard_muc}avatar#sha1"] == photo


def test_pictures_of_strangers_are_taken_out_of_what_they_say(rooms):
    juliet, romeo = pair(rooms("muc_restrict_media"))
    media = ("<body>look</body><x xmlns='jabber:x:oob'><url>http://x</url></x>"
             "<html xmlns='http://jabber.org/protocol/xhtml-im'>"
             "<body xmlns='http://www.w3.org/1999/xhtml'><img src='http://x' alt='cat'/></body>"
             "</html>")
    say(romeo, media)
    got = said(juliet)
    assert got.get_child("x", "jabber:x:oob") is None
    image = got.get_child("html", "http://jabber.org/protocol/xhtml-im").tags[0].tags[0]
    assert (image.name, image.get_text(), image.attr.get("src")) == ("i", "cat", None)
    say(juliet, media)
    assert said(juliet).get_child("x", "jabber:x:oob") is not None
    configure(juliet, "<field var='{xmpp:prosody.im}muc#roomconfig_unaffiliated_media'>"
              "<value>1</value></field>")
    say(romeo, media)
    assert said(juliet).get_child("x", "jabber:x:oob") is not None


def test_a_moderator_takes_back_what_another_has_said(rooms):
    juliet, romeo = pair(rooms("muc_mam", "muc_moderation", muc_log_all_rooms=True))
    say(romeo, "<body>A rude word</body>")
    message = said(juliet)
    id = message.get_child("stanza-id", "urn:xmpp:sid:0").attr["id"]
    payload = (f"<apply-to xmlns='{FASTEN}' id='{{}}'><moderate xmlns='{MODERATE}'>"
               f"<retract xmlns='{RETRACT}'/><reason>rude</reason></moderate></apply-to>")
    assert romeo.iq("set", payload.format(id), HALL).get_error()[1] == "forbidden"
    assert juliet.iq("set", payload.format("unknown"), HALL).get_error()[1] == "item-not-found"
    assert juliet.iq("set", payload.format(id), HALL).attr["type"] == "result"
    told = romeo.receive_until(lambda element: element.get_child("apply-to", FASTEN) is not None)
    moderated = told.get_child("apply-to", FASTEN).get_child("moderated", MODERATE)
    assert moderated.attr["by"] == f"{HALL}/Jule"
    assert moderated.get_child("retract", RETRACT) is not None
    romeo.send(f"<iq type='set' id='q1' to='{HALL}'><query xmlns='urn:xmpp:mam:2'/></iq>")
    kept = romeo.receive_until(lambda element: element.get_child("result", "urn:xmpp:mam:2")
                               is not None and element.tags[0].attr["id"] == id)
    kept = kept.tags[0].tags[0].get_child("message", "jabber:client")
    assert kept.get_child("body") is None
    assert kept.get_child("moderated", MODERATE).get_child("retracted", RETRACT) is not None


def publish(client, node, id, payload="<x xmlns='urn:example:x'/>"):
    answer = client.iq("set", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                       f"<publish node='{node}'><item id='{id}'>{payload}</item></publish>"
                       "</pubsub>", "lists.localhost")
    assert answer.attr["type"] == "result", str(answer)


@pytest.mark.parametrize("rtbl", ["ours", "debian"])
def test_who_is_on_the_list_of_a_pubsub_service_does_not_get_in(rooms, request, rtbl):
    if rtbl == "ours" and request.node.callspec.params["rooms"] == "debian":
        pytest.skip("modules in Python are for rooms in Python")
    debian = ["pubsub_subscription", "muc_rtbl"] if rtbl == "debian" else []
    running = rooms(*debian, needs=["pubsub"], enabled=["muc_rtbl"],
                    admins=["nurse@localhost"], muc_rtbl_jid="lists.localhost",
                    components={"lists.localhost": {
                        "module": "pubsub", "admins": ["nurse@localhost", ROOMS]}})
    nurse, juliet, tybalt, romeo = (running.client(name).available()
                                    for name in ("nurse", "juliet", "tybalt", "romeo"))
    create = ("<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
              "<create node='muc_bans_sha256'/></pubsub>")
    assert nurse.iq("set", create, "lists.localhost").attr["type"] == "result"
    running.server.modules.reload(ROOMS, "muc_rtbl")  # the node was not there when it subscribed
    join(juliet, "Jule")
    configure(juliet)
    join(romeo, "Romeo")
    for name in ("tybalt", "romeo"):
        publish(nurse, "muc_bans_sha256", hashlib.sha256(f"{name}@localhost".encode()).hexdigest())
    nurse.flush()
    tybalt.send(f"<presence to='{HALL}/Tybalt'><x xmlns='{MUC}'/></presence>")
    assert tybalt.presence().get_error()[1:3] == ("forbidden", "You are banned from this service")
    say(romeo, "<body>I am here already</body>")
    assert romeo.message().get_error()[1] == "forbidden"
    retract = ("<pubsub xmlns='http://jabber.org/protocol/pubsub'><retract notify='1' "
               "node='muc_bans_sha256'><item id='"
               + hashlib.sha256(b"tybalt@localhost").hexdigest() + "'/></retract></pubsub>")
    assert nurse.iq("set", retract, "lists.localhost").attr["type"] == "result"
    assert join(tybalt, "Tybalt")


def test_a_name_for_a_room_is_new_each_time(rooms):
    juliet = rooms("muc_unique").client("juliet")
    query = f"<unique xmlns='{MUC}#unique'/>"
    names = [juliet.iq("get", query, ROOMS).get_child_text("unique", MUC + "#unique")
             for _ in range(2)]
    assert names[0] and names[0] != names[1]


def test_a_session_knows_which_rooms_it_is_in(rooms):
    running = rooms(here=["track_muc_joins"])
    juliet = running.client("juliet").available()
    join(juliet, "Jule")
    session = running.server.full_sessions[juliet.jid]
    assert session.extras["rooms_joined"][HALL] == "Jule"
    juliet.send(f"<presence type='unavailable' to='{HALL}/Jule'/>").flush()
    assert HALL not in session.extras["rooms_joined"]


def test_who_fell_out_of_a_room_of_a_lost_server_is_told(rooms):
    running = rooms(here=["track_muc_joins", "ping_muc"])
    juliet, _romeo = pair(running)
    fire_lost(running, ROOMS)
    assert juliet.flush() == []  # it is in there: the ping was answered
    (session,) = running.server.bare_sessions[juliet.bare_jid].sessions.values()
    session.extras["rooms_joined"]["gone@" + ROOMS] = "Jule"
    fire_lost(running, ROOMS)
    told = juliet.presence()
    codes = {tag.attr["code"] for tag in told.get_child("x", MUC + "#user").tags
             if tag.name == "status"}
    assert told.attr["from"] == f"gone@{ROOMS}/Jule" and codes == {"110", "333"}
    assert told.attr["type"] == "unavailable" and juliet.flush() == []


def fire_lost(running, host):
    """Say that the connection to a server has ended, as who speaks with servers does."""
    session = SimpleNamespace(direction="outgoing", from_host="localhost", to_host=host, hosts=None)
    running.server.events.fire_event("s2s-destroyed", Event(session=session))
