"""vCards and avatars, in PEP and in the old way (XEP-0054, 0084, 0153, 0292, 0398)."""

from __future__ import annotations

import base64
import hashlib

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids, values

pytestmark = pytest.mark.twins("vcard_legacy", "vcard4", "pep", "pubsub")

OURS = pytest.mark.ours_alone("Debian's does it otherwise")
DATA, METADATA, NODE = "urn:xmpp:avatar:data", "urn:xmpp:avatar:metadata", "urn:xmpp:vcard4"
VCARD4, UPDATE = "urn:ietf:params:xml:ns:vcard-4.0", "vcard-temp:x:update"
PICTURE = base64.b64encode(b"picture").decode()
HASH = hashlib.sha1(b"picture").hexdigest()
PHOTO = f"<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>{PICTURE}</BINVAL></PHOTO>"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["pep", "vcard_legacy", "vcard4",
                                                        "presence"])
    yield server
    server.stop()


@pytest.fixture
def people(server):
    people = People(server)
    yield people
    people.close()


@pytest.fixture
def friends(people):
    people.befriend("juliet", "romeo")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    juliet.flush(), romeo.flush()
    return juliet, romeo, Asking(juliet)


def vcard(client, to=None):
    return client.iq("get", "<vCard xmlns='vcard-temp'/>", to).get_child("vCard", "vcard-temp")


def set_vcard(client, inside):
    answer = client.iq("set", f"<vCard xmlns='vcard-temp'>{inside}</vCard>")
    assert answer.attr["type"] == "result", str(answer)


def publish_avatar(own, id=HASH, picture=PICTURE, **options):
    own.publish(DATA, id, f"<data xmlns='{DATA}'>{picture}</data>", **options)
    own.publish(METADATA, id, f"<metadata xmlns='{METADATA}'><info bytes='7' id='{id}' "
                "type='image/jpeg'/></metadata>", **options)


def photo_in(presence):
    update = presence.get_child("x", UPDATE)
    return update.get_child_text("photo") if update is not None else None


def test_an_old_vcard_becomes_a_new_one(friends):
    juliet, romeo, own = friends
    set_vcard(juliet, f"<FN>Juliet</FN><N><FAMILY>Capulet</FAMILY></N>{PHOTO}")
    (item,) = own.get(f"<items node='{NODE}'/>").tags
    card = item.get_child("vcard", VCARD4)
    assert item.attr["id"] == "current"
    assert card.get_child("fn").get_child_text("text") == "Juliet"
    assert card.get_child("n").get_child_text("surname") == "Capulet"
    (data,) = own.get(f"<items node='{DATA}'/>").tags
    assert data.attr["id"] == HASH and data.get_child_text("data", DATA) == PICTURE
    (metadata,) = own.get(f"<items node='{METADATA}'/>").tags
    info = metadata.get_child("metadata", METADATA).get_child("info").attr
    assert (metadata.attr["id"], info["id"], info["bytes"], info["type"]) == (
        HASH, HASH, "7", "image/jpeg")
    answer = juliet.iq("get", f"<vcard xmlns='{VCARD4}'/>")
    assert answer.tags[0].get_child("fn").get_child_text("text") == "Juliet"


def test_a_new_vcard_becomes_an_old_one(friends):
    juliet, romeo, own = friends
    answer = juliet.iq("set", f"<vcard xmlns='{VCARD4}'><fn><text>Jule</text></fn></vcard>")
    assert answer.attr["type"] == "result"
    publish_avatar(own)
    for client, to in ((juliet, None), (romeo, juliet.bare_jid)):
        found = vcard(client, to)
        assert found.get_child_text("FN") == "Jule"
        assert found.get_child("PHOTO").get_child_text("BINVAL") == PICTURE
        assert found.get_child("PHOTO").get_child_text("TYPE") == "image/jpeg"


def test_the_world_may_read_a_vcard(people, friends):
    juliet, _romeo, _own = friends
    set_vcard(juliet, f"<FN>Juliet</FN>{PHOTO}")
    tybalt = people.login("tybalt")
    found = vcard(tybalt, juliet.bare_jid)
    assert found.get_child_text("FN") == "Juliet" and found.get_child("PHOTO") is not None


def test_what_may_not_be_seen_is_not_shown(people, friends):
    juliet, _romeo, own = friends
    own.publish(NODE, "current", f"<vcard xmlns='{VCARD4}'><fn><text>x</text></fn></vcard>",
                access_model="presence")
    publish_avatar(own, access_model="whitelist")
    tybalt = people.login("tybalt")
    assert vcard(tybalt, juliet.bare_jid).tags == []
    assert vcard(tybalt, people.jid("nobody")).tags == []
    assert vcard(juliet).get_child("PHOTO") is not None


@OURS
def test_nothing_can_be_told_from_what_vcard4_says(people, friends):
    tybalt = people.login("tybalt")
    for name in ("juliet", "nobody"):
        answer = tybalt.iq("get", f"<vcard xmlns='{VCARD4}'/>", people.jid(name))
        assert answer.get_error()[1] == "item-not-found"


def test_only_the_own_vcard_is_written(people, friends):
    juliet, romeo, _own = friends
    for inside in ("<vCard xmlns='vcard-temp'/>", f"<vcard xmlns='{VCARD4}'/>"):
        assert romeo.iq("set", inside, juliet.bare_jid).attr["type"] == "error"


def test_a_vcard_without_a_photo_takes_the_avatar_away(friends):
    juliet, _romeo, own = friends
    set_vcard(juliet, PHOTO)
    set_vcard(juliet, "<FN>Juliet</FN>")
    assert vcard(juliet).get_child("PHOTO") is None
    for item in own.get(f"<items node='{METADATA}'/>").tags:
        assert item.get_child("metadata", METADATA).tags == []


@OURS
def test_the_same_photo_is_not_published_again(friends):
    juliet, romeo, _own = friends
    Wanting(METADATA).announce(romeo)
    for _ in range(2):
        set_vcard(juliet, PHOTO)
    assert event_ids(romeo.flush()) == [(METADATA, HASH)]


@OURS
def test_a_photo_that_is_none(friends):
    juliet, _romeo, own = friends
    answer = juliet.iq("set", "<vCard xmlns='vcard-temp'><PHOTO><BINVAL>!</BINVAL></PHOTO></vCard>")
    assert answer.get_error()[1] == "bad-request"
    assert vcard(juliet).tags == []


@OURS
def test_an_avatar_elsewhere_is_not_in_the_vcard(friends):
    juliet, _romeo, own = friends
    own.publish(METADATA, HASH, f"<metadata xmlns='{METADATA}'><info bytes='7' id='{HASH}' "
                "type='image/gif' url='http://x.example/x.gif'/></metadata>")
    assert vcard(juliet).get_child("PHOTO") is None


@OURS
def test_another_picture_than_was_promised_is_not_shown(friends):
    juliet, _romeo, own = friends
    publish_avatar(own, HASH, base64.b64encode(b"another").decode())
    assert vcard(juliet).get_child("PHOTO") is None


# -- presence ----------------------------------------------------------------------------------


def test_presence_says_which_avatar_there_is(friends):
    juliet, romeo, own = friends
    publish_avatar(own)
    juliet.flush(), romeo.flush()
    juliet.send("<presence/>").flush()
    assert photo_in(romeo.presence()) == HASH
    juliet.send(f"<presence><x xmlns='{UPDATE}'/></presence>").flush()
    assert photo_in(romeo.presence()) == HASH
    juliet.send(f"<presence><x xmlns='{UPDATE}'><photo/></x></presence>").flush()
    assert photo_in(romeo.presence()) == ""
    juliet.send(f"<presence to='{romeo.bare_jid}'/>").flush()
    assert photo_in(romeo.presence()) == HASH
    juliet.send("<presence type='unavailable'/>").flush()
    assert photo_in(romeo.presence()) is None


@OURS
def test_without_an_avatar_presence_stays_as_it_is(friends):
    juliet, romeo, _own = friends
    juliet.send("<presence><status>x</status></presence>").flush()
    assert photo_in(romeo.presence()) is None


@OURS
def test_presence_comes_once_more_with_another_avatar(friends):
    juliet, romeo, own = friends
    juliet.send("<presence><status>busy</status><priority>3</priority></presence>").flush()
    romeo.flush()
    publish_avatar(own)
    juliet.flush()
    (presence,) = [element for element in romeo.flush() if element.name == "presence"]
    assert photo_in(presence) == HASH and presence.get_child_text("status") == "busy"
    assert presence.get_child("delay", "urn:xmpp:delay") is None
    other = hashlib.sha1(b"other").hexdigest()
    publish_avatar(own, other, base64.b64encode(b"other").decode())
    juliet.flush()
    assert [photo_in(element) for element in romeo.flush() if element.name == "presence"] == [
        other]
    own.publish(METADATA, "current", f"<metadata xmlns='{METADATA}'/>")
    juliet.flush()
    assert [photo_in(element) for element in romeo.flush() if element.name == "presence"] == [""]


@OURS
def test_a_client_with_a_mind_of_its_own_is_let_alone(friends):
    juliet, romeo, own = friends
    juliet.send(f"<presence><x xmlns='{UPDATE}'><photo>abc</photo></x></presence>").flush()
    assert photo_in(romeo.presence()) == "abc"
    publish_avatar(own)
    juliet.flush()
    assert [element for element in romeo.flush() if element.name == "presence"] == []


@OURS
def test_who_comes_later_gets_the_hash_too(people, friends):
    juliet, _romeo, own = friends
    publish_avatar(own)
    juliet.send("<presence/>").flush()
    late = people.login("romeo", "late", available=False)
    late.send("<presence/>")
    assert [photo_in(element) for element in late.flush()
            if element.name == "presence" and element.attr["from"] == juliet.jid] == [HASH]


def test_the_feature_is_announced(friends):
    juliet, _romeo, _own = friends
    info = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    features = {tag.attr["var"] for tag in info.childtags("feature")}
    assert {"urn:xmpp:pep-vcard-conversion:0", VCARD4} <= features


# -- what mod_vcard has left ---------------------------------------------------------------------


@OURS
def test_stored_vcards_move(server, people):
    name = people.name("juliet")
    server.user(name)
    store = server.server.storage.open("localhost", "vcard", "keyval")
    store.set(name, {"name": "vCard", "attr": {"xmlns": "vcard-temp"}, 1: {
        "name": "FN", "attr": {"xmlns": "vcard-temp"}, 1: "Juliet"}, 2: {
        "name": "PHOTO", "attr": {"xmlns": "vcard-temp"}, 1: {
            "name": "TYPE", "attr": {"xmlns": "vcard-temp"}, 1: "image/png"}, 2: {
            "name": "BINVAL", "attr": {"xmlns": "vcard-temp"}, 1: PICTURE}}})
    tybalt = people.login("tybalt")
    found = vcard(tybalt, people.jid("juliet"))
    assert found.get_child_text("FN") == "Juliet" and len(list(found.childtags("PHOTO"))) == 1
    juliet = people.login("juliet")
    assert store.get(name) is None
    assert Asking(juliet).items(DATA) == [HASH]
    assert vcard(tybalt, people.jid("juliet")).get_child_text("FN") == "Juliet"


def test_what_was_made_is_as_the_nodes_are(friends):
    juliet, _romeo, own = friends
    set_vcard(juliet, PHOTO)
    for node in (NODE, DATA, METADATA):
        form = values(own.get(f"<configure node='{node}'/>", owner=True).tags[0])
        assert form["access_model"] == ["open"]
