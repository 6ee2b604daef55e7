"""Registrations that an admin of the room approves (XEP-0045 sections 7.10 and 9.9)."""

from __future__ import annotations

from prosody_py.hosts import users
from prosody_py.testing.rooms import DATA, HOST, MUC, Party, codes, error, item

OPTIONS = {"muc_registration": "approval"}
REGISTER = "jabber:iq:register"


def register(guest, nick="Montague"):
    return guest.iq("set", f"<query xmlns='{REGISTER}'><x xmlns='{DATA}' type='submit'>"
                    f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
                    f"<field var='muc#register_roomnick'><value>{nick}</value></field></x>"
                    "</query>")


def requests(guest):
    """Return the requests among what has come: [{field: value}]."""
    forms = [one.get_child("x", DATA) for one in guest.messages()]
    return [{field.attr["var"]: field.get_child_text("value") for field in form.tags
             if field.name == "field"} for form in forms if form is not None]


def answer(guest, allow, **fields):
    fields = {"FORM_TYPE": MUC + "#register", "muc#register_allow": allow,
              **{name.replace("_", "#", 1): value for name, value in fields.items()}}
    text = "".join(f"<field var='{name}'><value>{value}</value></field>"
                   for name, value in fields.items())
    guest.send(f"<message to='{guest.room}' id='a1'><x xmlns='{DATA}' type='submit'>{text}</x>"
               "</message>")
    return guest.messages()


def members(guest):
    return [(one["jid"], one.get("nick")) for one in guest.listed(affiliation="member")]


def test_an_admin_is_asked_and_says_yes(party):
    juliet, romeo = party.pair()
    romeo.flush()
    assert register(romeo).attr["type"] == "result"
    assert requests(juliet) == [{
        "FORM_TYPE": MUC + "#register", "muc#jid": romeo.bare_jid,
        "muc#register_roomnick": "Montague", "muc#register_allow": "0"}]
    assert requests(romeo) == [] and members(juliet) == []
    answer(juliet, 1, muc_jid=romeo.bare_jid)
    assert item(romeo.presence_of("Romeo"))["affiliation"] == "member"
    assert members(juliet) == [(romeo.bare_jid, "Montague")]
    refused = [one for one in answer(juliet, 1, muc_jid=romeo.bare_jid)
               if one.attr.get("type") == "error"]
    assert error(refused[0])[1] == "item-not-found"


def test_who_is_not_there_is_told_by_a_message(party):
    juliet, nurse = party.owner(membersonly="1"), party.guest("nurse", available=True)
    assert error(nurse.knock())[1] == "registration-required"
    assert register(nurse, "Angelica").attr["type"] == "result"
    answer(juliet, 1, muc_register_roomnick="Angelica")
    told = nurse.message()
    assert codes(told) == {101} and item(told)["affiliation"] == "member"
    assert nurse.join()


def test_an_admin_says_no(party):
    juliet, romeo = party.pair()
    register(romeo)
    answer(juliet, 0, muc_jid=romeo.bare_jid)
    assert members(juliet) == []
    register(romeo)
    assert len(requests(juliet)) == 1


def test_an_admin_who_was_not_there_is_asked_on_entering(party):
    juliet, romeo = party.pair(persistentroom="1")
    juliet.leave()
    register(romeo)
    register(romeo)  # is asked once
    juliet.join()
    assert [one["muc#jid"] for one in requests(juliet)] == [romeo.bare_jid]
    party.running.server.modules.reload(HOST, "muc")
    juliet.leave()
    juliet.join()
    assert len(requests(juliet)) == 1
    romeo.iq("set", f"<query xmlns='{REGISTER}'><remove/></query>")
    juliet.leave()
    juliet.join()
    assert requests(juliet) == []


def test_nobody_else_answers(party):
    juliet, romeo = party.pair()
    register(romeo)
    assert error(answer(romeo, 1, muc_jid=romeo.bare_jid)[-1])[1] == "forbidden"
    assert members(juliet) == []


def test_a_nickname_that_was_taken_meanwhile(party):
    juliet, romeo = party.pair()
    register(romeo)
    juliet.admin("set", jid="paris@localhost", affiliation="member", nick="Montague")
    juliet.flush()
    assert error(answer(juliet, 1, muc_jid=romeo.bare_jid)[0])[1] == "conflict"


def test_a_request_ends_with_the_account(party):
    juliet, romeo = party.pair()
    register(romeo)
    juliet.flush()
    users.delete_user(party.running.server, party.name("romeo"), "localhost")
    assert error(answer(juliet, 1, muc_jid=romeo.bare_jid)[-1])[1] == "item-not-found"


def test_an_own_registration_needs_no_approval(party):
    juliet = party.owner()
    assert register(juliet, "Capulet").attr["type"] == "result"
    assert juliet.listed(affiliation="owner")[0]["nick"] == "Capulet"


def test_nobody_registers_where_that_is_closed(launch, tmp_path):
    running = launch(tmp_path, ["disco"], components={
        HOST: {"module": "muc", "muc_registration": "closed"}})
    try:
        party = Party(running)
        juliet, romeo = party.pair()
        assert error(register(romeo)) == ("cancel", "not-allowed")
        assert register(juliet, "Capulet").attr["type"] == "result"
    finally:
        running.stop()
