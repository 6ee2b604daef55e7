"""Pictures of rooms (XEP-0486)."""

from __future__ import annotations

import hashlib

from prosody_py.testing.rooms import DATA, HOST, codes, error

CARD = "<vCard xmlns='vcard-temp'>{}</vCard>"
PHOTO = "<PHOTO><TYPE>image/png</TYPE><BINVAL>{}</BINVAL></PHOTO>"
HELLO = PHOTO.format("aGVsbG8=")
INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"


def sha1(data):
    return hashlib.sha1(data).hexdigest()


def hashes(guest):
    form = guest.iq("get", INFO).tags[0].get_child("x", DATA)
    field = form.get_child_with_attr("field", None, "var", "muc#roominfo_avatarhash")
    return None if field is None else [value.get_text() for value in field.tags]


def test_an_owner_publishes_a_picture(party):
    juliet, romeo = party.pair()
    assert hashes(romeo) is None
    assert juliet.iq("set", CARD.format(HELLO)).attr["type"] == "result"
    update = romeo.client.presence()
    assert update.attr["from"] == party.room
    assert update.get_child("x", "vcard-temp:x:update").get_child_text("photo") == sha1(b"hello")
    assert 104 in codes(romeo.message())
    assert hashes(romeo) == [sha1(b"hello")]
    got = romeo.iq("get", CARD.format("")).tags[0]
    assert got.get_child("PHOTO").get_child_text("BINVAL") == "aGVsbG8="


def test_a_picture_in_two_formats(party):
    juliet = party.owner()
    juliet.iq("set", CARD.format(HELLO + PHOTO.format("d29ybGQ=")))
    assert hashes(juliet) == [sha1(b"hello"), sha1(b"world")]


def test_who_enters_learns_of_the_picture(party):
    party.owner().iq("set", CARD.format(HELLO))
    updates = [one for one in party.guest("romeo").join() if one.attr["from"] == party.room
               and one.name == "presence"]
    assert len(updates) == 1


def test_a_picture_is_removed(party):
    juliet = party.owner()
    juliet.iq("set", CARD.format(HELLO))
    assert juliet.iq("set", CARD.format("")).attr["type"] == "result"
    assert hashes(juliet) is None
    assert error(juliet.iq("get", CARD.format("")))[1] == "item-not-found"


def test_only_owners_set_pictures_and_only_pictures(party):
    juliet, romeo = party.pair()
    assert error(romeo.iq("set", CARD.format(HELLO))) == ("auth", "forbidden")
    assert error(juliet.iq("set", CARD.format(PHOTO.format("&#8364;"))))[1] == "bad-request"
    assert error(juliet.iq("set", CARD.format(HELLO * 20)))[1] == "resource-constraint"


def test_it_is_discovered(party):
    juliet = party.owner()
    for address in (HOST, party.room):
        info = juliet.iq("get", INFO, address).tags[0]
        assert "vcard-temp" in {tag.attr.get("var") for tag in info.tags}


def test_a_room_of_the_same_name_has_no_picture(party):
    juliet = party.owner()
    juliet.iq("set", CARD.format(HELLO))
    juliet.leave()
    juliet.flush().join()
    assert hashes(juliet) is None


def test_pictures_that_prosody_has_stored_are_found(party, rooms_server):
    muc = rooms_server.server.modules.get_module(HOST, "muc")
    juliet = party.owner(persistentroom="1")
    juliet.iq("set", CARD.format(HELLO))
    room = muc.rooms.get(party.room)
    del room._data["avatar_hashes"]
    assert hashes(juliet) == [sha1(b"hello")]


def test_a_new_room_has_no_picture_that_was_left_behind(party, rooms_server):
    store = rooms_server.server.storage.open(HOST, "vcard_muc")
    attr = {"xmlns": "vcard-temp"}
    store.set(party.room.partition("@")[0], {"name": "vCard", "attr": attr, 1: {
        "name": "PHOTO", "attr": attr, 1: {"name": "BINVAL", "attr": attr, 1: "aGVsbG8="}}})
    muc = rooms_server.server.modules.get_module(HOST, "muc").exports
    muc.create_room(party.room, {"persistent": True})
    assert hashes(party.guest("romeo")) is None
