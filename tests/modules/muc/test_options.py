"""Options of the component: how rooms begin, and what their owners may do."""

from __future__ import annotations

from prosody_py.testing.client import wait_until
from prosody_py.testing.rooms import DATA, HOST, codes, error, item

OPTIONS = {
    "name": "Verona's rooms", "admins": ["nurse@localhost"], "muc_room_locking": False,
    "muc_room_default_public": False, "muc_room_default_persistent": False,
    "muc_room_default_members_only": False, "muc_room_default_moderated": True,
    "muc_room_default_public_jids": True, "muc_room_default_change_subject": True,
    "muc_room_default_allow_member_invites": True, "muc_room_default_history_length": 1,
    "muc_room_default_language": "it", "muc_room_default_allow_pm": "moderators",
    "muc_room_default_always_allow_moderator_pms": False,
    "muc_room_default_presence_broadcast": {"visitor": False},
    "muc_room_allow_persistent": False, "muc_room_allow_public": False,
    "enforce_registered_nickname": True, "muc_occupant_id": False, "muc_max_occupants": 3,
    "max_history_messages": 5,
}
PERSISTENT = "muc#roomconfig_persistentroom"


def values(guest):
    return {name: field.get_child_text("value") for name, field in guest.form().items()}


def test_new_rooms_begin_as_the_options_say(party):
    juliet = party.guest("juliet")
    own = juliet.join()[0]
    assert {100, 110, 201} <= codes(own) and own.get_child("occupant-id") is None
    found = values(juliet)
    assert {found[f"muc#roomconfig_{name}"] for name in (
        "moderatedroom", "changesubject")} == {"1"}
    assert found["muc#roomconfig_membersonly"] == "0"
    assert found["muc#roomconfig_whois"] == "anyone"
    assert found["muc#roomconfig_historylength"] == "1"
    assert found["muc#roomconfig_lang"] == "it"
    assert found["muc#roomconfig_allowpm"] == "moderators"
    assert found["{xmpp:prosody.im}muc#allow_modpm"] == "0"
    assert found["{http://prosody.im/protocol/muc}roomconfig_allowmemberinvites"] == "1"
    roles = juliet.form()["muc#roomconfig_presencebroadcast"]
    assert [tag.get_text() for tag in roles.tags if tag.name == "value"] == [
        "participant", "moderator"]


def test_without_locking_others_enter_at_once(party):
    party.guest("juliet").join()
    assert item(party.guest("romeo").join()[1])["role"] == "visitor"


def test_only_administrators_make_rooms_persistent_or_public(party):
    juliet = party.owner()
    assert PERSISTENT not in values(juliet)
    assert juliet.configure(persistentroom="1", publicroom="1").attr["type"] == "result"
    assert not room_of(party).get_persistent() and room_of(party).get_hidden()
    nurse_client = party.running.client("nurse")
    party.clients.append(nurse_client)
    nurse = type(juliet)(party, nurse_client, "Nurse")
    assert values(nurse)[PERSISTENT] == "0"
    assert nurse.configure(persistentroom="1").attr["type"] == "result"
    assert room_of(party).get_persistent()
    nurse.iq("set", "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>")


def room_of(party):
    return party.running.server.modules.get_module(HOST, "muc").rooms.live[party.room]


def test_no_more_than_so_many_enter(party):
    juliet = party.owner()
    for name in ("romeo", "paris"):
        party.guest(name).join()
    assert error(party.guest("tybalt").knock()) == ("wait", "service-unavailable")
    juliet.configure(maxusers="100")
    assert error(party.guest("tybalt").knock()) == ("wait", "service-unavailable")
    juliet.configure(maxusers="1")
    assert juliet.form()["muc#roomconfig_maxusers"].get_child_text("value") == "1"


def test_who_has_reserved_a_nickname_uses_it(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member", nick="Montague")
    juliet.flush()
    own = romeo.join()[1]
    romeo.nick = "Montague"
    assert own.attr["from"] == romeo.address and {110, 210} <= codes(own)
    assert 210 not in codes(juliet.presence_of("Montague"))
    again = party.guest("romeo", "Somebody", "second")
    *_others, own, _subject = again.join()
    assert own.attr["from"] == romeo.address and {110, 210} <= codes(own)
    assert len(room_of(party).get_occupant_by_nick(romeo.address).sessions) == 2
    again.client.close()
    wait_until(lambda: len(room_of(party).get_occupant_by_nick(romeo.address).sessions) == 1)
    romeo.flush()
    romeo.send(f"<presence to='{party.room}/Romeo'/>")
    assert error(romeo.client.presence())[1] == "not-acceptable"


def test_the_service_has_a_name(party):
    info = party.guest("romeo").iq(
        "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", HOST).tags[0]
    assert info.get_child("identity").attr["name"] == "Verona's rooms"
    assert "urn:xmpp:occupant-id:0" not in {tag.attr.get("var") for tag in info.tags}
    assert info.get_child("x", DATA) is None


def test_a_language_of_its_own(party):
    juliet = party.owner(lang="en")
    assert values(juliet)["muc#roomconfig_lang"] == "en"
