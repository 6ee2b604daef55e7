"""mod_muc: what administrators do with rooms in the shell and over XMPP."""

from __future__ import annotations

import pytest

from prosody_py.api import CommandError
from prosody_py.testing import adhoc
from prosody_py.testing.rooms import HOST

OPTIONS = {"admins": ["warden@localhost"], "modules_enabled": ["admin_adhoc"]}
NODE = "urn:prosody-py:commands#muc:"


@pytest.fixture
def muc(rooms_server):
    """Return a function that runs a command `muc ...`."""
    return lambda *words: rooms_server.command("muc", *words)


def facts(muc, room):
    return {what: value for what, value in muc("config", room)["rows"]}


def test_a_room_is_made_listed_and_destroyed(muc, party):
    assert muc("create", party.room, "--name", "The hall", "--persistent", "--hidden")["text"]
    assert [party.room, "The hall", 0, "no", "yes", "no"] in muc("list", HOST)["rows"]
    with pytest.raises(CommandError, match="already") as error:
        muc("create", party.room)
    assert error.value.condition == "conflict"
    romeo = party.guest("romeo")
    romeo.join()
    muc("destroy", party.room, "The", "party", "is", "over")
    gone = romeo.client.presence()
    assert gone.attr["type"] == "unavailable"
    destroyed = gone.get_child("x", "http://jabber.org/protocol/muc#user").get_child("destroy")
    assert destroyed.get_child_text("reason") == "The party is over"
    with pytest.raises(CommandError, match="There is no room"):
        muc("destroy", party.room)


def test_occupants_and_affiliations_are_shown_and_given(muc, party):
    juliet, romeo = party.pair()
    assert muc("occupants", party.room)["rows"] == [
        ["Juliet", juliet.bare_jid, "moderator", "owner", 1],
        ["Romeo", romeo.bare_jid, "participant", "none", 1]]
    muc("set-affiliation", party.room, romeo.bare_jid, "member", "a", "friend")
    assert romeo.presence_of("Romeo").get_child(
        "x", "http://jabber.org/protocol/muc#user").get_child("item").attr[
            "affiliation"] == "member"
    assert [romeo.bare_jid, "member"] in [row[:2] for row in muc(
        "affiliations", party.room)["rows"]]
    assert [row[0] for row in muc("affiliations", party.room, "owner")["rows"]] == [
        juliet.bare_jid]
    with pytest.raises(CommandError, match="is not one of"):
        muc("set-affiliation", party.room, romeo.bare_jid, "king")


def test_a_room_is_configured_and_its_password_is_not_shown(muc, party, caplog):
    muc("create", party.room, "--persistent")
    muc("configure", party.room, "roomname", "The", "great", "hall")
    muc("configure", party.room, "moderatedroom", "yes")
    muc("configure", party.room, "whois", "anyone")
    muc("configure", party.room, "presencebroadcast", "moderator,", "participant")
    muc("password", party.room, "hush")
    known = facts(muc, party.room)
    assert (known["roomname"], known["moderatedroom"], known["whois"]) == (
        "The great hall", True, "anyone")
    assert known["presencebroadcast"] == "moderator, participant"
    assert known["roomsecret"] == "(secret)" and "hush" not in caplog.text
    for words, told in ((("whois", "nobody"), "is not one of"), (("size", "3"), "no setting"),
                        (("moderatedroom", "maybe"), "yes or no"), (("maxusers", "x"), "number"),
                        (("roomsecret", "hush"), "muc password")):
        with pytest.raises(CommandError, match=told):
            muc("configure", party.room, *words)
    assert party.guest("romeo").knock().get_error()[1] == "not-authorized"
    muc("password", party.room)
    assert not facts(muc, party.room)["roomsecret"]


def test_the_services_administrator_does_it_over_xmpp(rooms_server, party):
    warden = rooms_server.client("warden")
    assert NODE + "create" in adhoc.listed(warden, HOST)
    last = adhoc.run(warden, NODE + "create", {"room": party.room, "--persistent": "1"},
                     adhoc.ADMIN, HOST)
    assert adhoc.note(last)[0] == "info"
    form = adhoc.run(warden, NODE + "list", {"host": HOST}, adhoc.ADMIN, HOST).get_child(
        "x", adhoc.DATA)
    shown = [item.get_child_with_attr("field", None, "var", "room").get_child_text("value")
             for item in form.childtags("item")]
    assert party.room in shown
    juliet = rooms_server.client("juliet")
    assert adhoc.listed(juliet, HOST) == set()
    assert adhoc.step(juliet, NODE + "destroy", to=HOST).get_error()[1] == "forbidden"
