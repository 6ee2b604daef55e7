"""Fields of the configuration form beyond the usual (XEP-0045 sections 10.2 and 15.5.3)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, USER, error, item

INFO = "http://jabber.org/protocol/disco#info"
pytestmark = [pytest.mark.twins("muc", needs=("muc_unique", "adhoc")),
              pytest.mark.ours_alone("Debian's form has none of these fields")]
OWN = "{http://prosody.im/protocol/muc}roomconfig_"


def people(guest, who):
    field = guest.form()[f"muc#roomconfig_room{who}"]
    return [tag.get_text() for tag in field.tags if tag.name == "value"]


def test_the_form_has_owners_and_admins(party):
    juliet, romeo = party.pair()
    assert (people(juliet, "owners"), people(juliet, "admins")) == ([juliet.bare_jid], [])
    answer = juliet.configure(roomadmins=[romeo.bare_jid, "nurse@localhost"])
    assert answer.attr["type"] == "result"
    told = romeo.presence_of("Romeo")
    assert item(told)["affiliation"] == "admin" and item(told)["role"] == "moderator"
    assert people(juliet, "admins") == sorted([romeo.bare_jid, "nurse@localhost"])
    juliet.configure(roomadmins=[])
    assert item(romeo.presence_of("Romeo"))["affiliation"] == "none"
    assert people(juliet, "admins") == [] and people(juliet, "owners") == [juliet.bare_jid]


def test_an_owner_hands_the_room_on(party):
    juliet, romeo = party.pair()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member", nick="Montague")
    answer = juliet.configure(roomowners=[romeo.bare_jid], roomadmins=[juliet.bare_jid])
    assert answer.attr["type"] == "result", str(answer)
    assert people(romeo, "owners") == [romeo.bare_jid]
    assert people(romeo, "admins") == [juliet.bare_jid]
    assert romeo.listed(affiliation="owner")[0]["nick"] == "Montague"
    assert error(juliet.configure(roomname="x"))[1] == "forbidden"


@pytest.mark.parametrize(("values", "condition"), [
    ({"roomowners": []}, "conflict"),
    ({"roomowners": ["{juliet}"], "roomadmins": ["{juliet}"]}, "not-acceptable"),
    ({"roomadmins": ["{juliet}"]}, "conflict"),
    ({"roomadmins": ["localhost"]}, "not-acceptable"),
    ({"roomadmins": ["@"]}, "not-acceptable"),
    ({"passwordprotectedroom": "1"}, "not-acceptable"),
    ({"passwordprotectedroom": "1", "roomsecret": ""}, "not-acceptable"),
    ({"pubsub": "http://example.com/"}, "not-acceptable"),
])
def test_what_cannot_be_changes_nothing(party, values, condition):
    juliet = party.owner()
    given = {name: [one.format(juliet=juliet.bare_jid) for one in value]
             if isinstance(value, list) else value for name, value in values.items()}
    refused = juliet.configure(roomname="Changed", **given)
    assert error(refused)[1] == condition
    assert people(juliet, "owners") == [juliet.bare_jid] and people(juliet, "admins") == []
    assert juliet.form()["muc#roomconfig_roomname"].get_child_text("value") is None


def test_a_password_is_needed_or_not(party):
    juliet, romeo = party.owner(), party.guest("romeo")
    juliet.configure(passwordprotectedroom="1", roomsecret="rose")
    assert error(romeo.knock())[1] == "not-authorized"
    juliet.configure(passwordprotectedroom="1")
    assert error(romeo.knock())[1] == "not-authorized"
    juliet.configure(passwordprotectedroom="0", roomsecret="rose")
    assert romeo.join()
    juliet.configure(passwordprotectedroom="0", roomsecret="thorn")
    assert error(party.guest("nurse").knock())[1] == "not-authorized"


def invited(party, guest):
    nurse = party.guest("nurse", available=True)
    guest.flush().send(f"<message to='{party.room}'><x xmlns='{USER}'>"
                       f"<invite to='{nurse.bare_jid}'/></x></message>")
    told = guest.messages()
    refusals = [one for one in told if one.attr.get("type") == "error"]
    return error(refusals[0])[1] if refusals else True


def shown(guest):
    x = guest.iq("get", f"<query xmlns='{INFO}'/>").tags[0].get_child("x", DATA)
    return {field.attr["var"]: field.get_child_text("value") for field in x.tags
            if field.name == "field"}


def test_who_may_invite(party):
    juliet, romeo = party.pair(allowinvites="0")
    assert shown(romeo)["muc#roomconfig_allowinvites"] == "0"
    assert invited(party, romeo) == "forbidden" and invited(party, juliet) is True
    juliet.configure(allowinvites="1")
    assert invited(party, romeo) is True
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    juliet.configure(allowinvites="1", membersonly="1")
    assert invited(party, romeo) is True
    juliet.submit({"muc#roomconfig_allowinvites": "1", OWN + "allowmemberinvites": "0"})
    assert invited(party, romeo) == "forbidden"


def test_a_node_that_belongs_to_the_room(party):
    node = "xmpp:pubsub.localhost?;node=hall"
    juliet = party.owner(pubsub=node)
    assert shown(juliet)["muc#roomconfig_pubsub"] == node
    juliet.configure(pubsub="")
    assert "muc#roomconfig_pubsub" not in shown(juliet)


def test_who_reads_the_list_of_members(party):
    juliet, romeo = party.pair(whois="anyone")
    assert romeo.admin("get", affiliation="member").attr["type"] == "result"
    juliet.configure(getmemberlist=["moderator"])
    assert error(romeo.admin("get", affiliation="member"))[1] == "forbidden"
    juliet.admin("set", nick="Romeo", role="moderator")
    assert romeo.admin("get", affiliation="member").attr["type"] == "result"
