"""Hats in rooms, by commands (XEP-0317)."""

from __future__ import annotations

import pytest

from prosody_py.testing.rooms import DATA, codes, error

OPTIONS = {"modules_enabled": ["muc_hats_adhoc"]}
COMMANDS, PREFIX, HATS = ("http://jabber.org/protocol/commands", "urn:xmpp:hats:commands",
                          "urn:xmpp:hats:0")
TEACHER, PROCTOR = "http://tech.example.edu/hats#Teacher", "http://tech.example.edu/hats#Proctor"


def run(guest, name, action="execute", **fields):
    """Run a command, filled in if there are fields; return the answer."""
    x = ""
    if fields:
        x = (f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'><value>{PREFIX}</value>"
             "</field>" + "".join(f"<field var='hats#{name}'><value>{value}</value></field>"
                                  for name, value in fields.items()) + "</x>")
    return guest.iq("set", f"<command xmlns='{COMMANDS}' action='{action}' "
                    f"node='{PREFIX}:{name}'>{x}</command>")


def done(answer):
    assert answer.attr["type"] == "result", str(answer)
    return answer.tags[0].attr["status"] == "completed"


def rows(answer):
    """Return the rows of a list as dicts."""
    return [{field.attr["var"]: field.get_child_text("value") for field in row.tags}
            for row in answer.tags[0].get_child("x", DATA).tags if row.name == "item"]


def worn(presence):
    found = presence.get_child("hats", HATS)
    return {} if found is None else {hat.attr["uri"]: hat.attr for hat in found.tags}


@pytest.fixture
def class_room(party):
    """Return an owner who has made a hat, and a member."""
    juliet, romeo = party.pair()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    assert done(run(juliet, "create", title="Teacher", uri=TEACHER, hue="327.255249"))
    romeo.flush()
    return juliet, romeo


def test_hats_and_commands_are_discovered(class_room):
    juliet, romeo = class_room
    info = romeo.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    assert {HATS, COMMANDS} <= {tag.attr.get("var") for tag in info.tags}
    items = romeo.iq("get", "<query xmlns='http://jabber.org/protocol/disco#items' "
                     f"node='{COMMANDS}'/>").tags[0]
    assert f"{PREFIX}:assign" in {tag.attr["node"] for tag in items.tags}
    other = "<query xmlns='http://jabber.org/protocol/disco#items' node='urn:other'/>"
    assert error(romeo.iq("get", other))[1] == "item-not-found"


def test_a_form_for_each_command(class_room):
    juliet, romeo = class_room
    for name, fields in (("create", {"title", "uri", "hue"}), ("destroy", {"uri"}),
                         ("assign", {"jid", "uri"}), ("unassign", {"jid", "uri"})):
        command = run(juliet, name).tags[0]
        assert command.attr["status"] == "executing" and command.attr["sessionid"]
        form = command.get_child("x", DATA)
        assert {field.attr["var"] for field in form.tags if field.name == "field"} == {
            "FORM_TYPE", *(f"hats#{field}" for field in fields)}
    assert run(juliet, "assign", "cancel").tags[0].attr["status"] == "canceled"


def test_a_hat_is_made_and_told(party):
    juliet, romeo = party.pair()
    assert done(run(juliet, "create", title="Proctor", uri=PROCTOR))
    assert 104 in codes(romeo.message())
    assert rows(run(romeo, "list")) == [
        {"hats#title": "Proctor", "hats#uri": PROCTOR, "hats#hue": ""}]


def test_a_hat_is_worn_and_taken_away(class_room):
    juliet, romeo = class_room
    assert done(run(juliet, "assign", jid=romeo.bare_jid, uri=TEACHER))
    hat = worn(romeo.presence_of("Romeo"))[TEACHER]
    assert (hat["title"], hat["hue"]) == ("Teacher", "327.255249")
    assert rows(run(juliet, "list-assigned")) == [
        {"hats#jid": romeo.bare_jid, "hats#uri": TEACHER, "hats#title": "Teacher",
         "hats#hue": "327.255249"}]
    assert done(run(juliet, "unassign", jid=romeo.bare_jid, uri=TEACHER))
    assert worn(romeo.presence_of("Romeo")) == {}


def test_a_hat_that_is_destroyed_is_worn_by_nobody(class_room):
    juliet, romeo = class_room
    run(juliet, "assign", jid=romeo.bare_jid, uri=TEACHER)
    romeo.flush()
    assert done(run(juliet, "destroy", uri=TEACHER))
    assert worn(romeo.presence_of("Romeo")) == {}
    assert rows(run(juliet, "list")) == [] and rows(run(juliet, "list-assigned")) == []


def test_who_does_not_deal_with_hats(class_room, party):
    juliet, romeo = class_room
    for name in ("create", "destroy", "assign", "unassign", "list-assigned"):
        assert error(run(romeo, name)) == ("auth", "forbidden")
    assert error(run(party.guest("tybalt"), "list"))[1] == "forbidden"


def test_what_cannot_be_done(class_room):
    juliet, romeo = class_room
    assert error(run(juliet, "assign", jid=romeo.bare_jid, uri=PROCTOR))[1] == "item-not-found"
    assert error(run(juliet, "assign", jid="nobody@localhost", uri=TEACHER))[1] == "item-not-found"
    assert error(run(juliet, "assign", jid=romeo.bare_jid))[1] == "not-acceptable"
    assert error(run(juliet, "create", title="x" * 300, uri="urn:x"))[1] == "not-acceptable"
    assert error(run(juliet, "create", title="x", uri="urn:x", hue="red"))[1] == "not-acceptable"
    assert error(run(juliet, "unknown"))[1] == "service-unavailable"


def test_nobody_puts_on_a_hat_by_itself(class_room):
    juliet, romeo = class_room
    romeo.show(f"<hats xmlns='{HATS}'><hat uri='{TEACHER}' title='Teacher'/></hats>")
    assert worn(juliet.flush() and romeo.presence_of("Romeo")) == {}
