"""With whom messages are kept (XEP-0441), and the policies of a host."""

from __future__ import annotations

import pytest

from prosody_py.testing.archives import Archive
from prosody_py.testing.people import People

pytestmark = pytest.mark.twins("mam")

MAM = "urn:xmpp:mam:2"
OURS = pytest.mark.ours_alone("Debian's decides otherwise")


def prefs(default, always=(), never=()):
    lists = "".join(f"<{name}>" + "".join(f"<jid>{jid}</jid>" for jid in jids) + f"</{name}>"
                    for name, jids in (("always", always), ("never", never)))
    return f"<prefs xmlns='{MAM}' default='{default}'>{lists}</prefs>"


def told(answer):
    """Return (default, always, never) of an answer."""
    found = answer.get_child("prefs", MAM)
    return (found.attr["default"], *([tag.get_text() for tag in found.get_child(name).tags]
                                     for name in ("always", "never")))


def test_preferences_decide_what_is_kept(juliet, romeo, people):
    nurse = Archive(people.login("nurse"))
    wanted = prefs("always", [], [romeo.client.bare_jid])
    for answer in (juliet.client.iq("set", wanted),
                   juliet.client.iq("get", f"<prefs xmlns='{MAM}'/>")):
        assert told(answer) == ("always", [], [romeo.client.bare_jid])
    for other in (romeo, nurse):
        other.say(juliet.client.jid, f"from {other.client.jid}")
        juliet.say(other.client.jid, "answer")
    assert juliet.bodies() == [f"from {nurse.client.jid}", "answer"]
    assert romeo.bodies() == [f"from {romeo.client.jid}", "answer"]


def test_the_other_way_round(juliet, romeo, people):
    nurse = Archive(people.login("nurse"))
    juliet.client.iq("set", prefs("never", [romeo.client.bare_jid]))
    for other in (romeo, nurse):
        other.say(juliet.client.jid, f"from {other.client.jid}")
    assert juliet.bodies() == [f"from {romeo.client.jid}"]


def test_what_is_not_kept_has_no_id(juliet, romeo):
    juliet.client.iq("set", prefs("never"))
    romeo.say(juliet.client.jid, "x")
    (live,) = [element for element in juliet.client.flush() if element.name == "message"]
    assert live.get_child("stanza-id", "urn:xmpp:sid:0") is None


def test_only_contacts_are_kept_if_that_is_wanted(juliet, romeo, people):
    people.befriend("juliet", "romeo")
    nurse = Archive(people.login("nurse"))
    assert told(juliet.client.iq("set", prefs("roster")))[0] == "roster"
    for other in (romeo, nurse):
        other.say(juliet.client.jid, f"from {other.client.jid}")
    assert juliet.bodies() == [f"from {romeo.client.jid}"]


@OURS
def test_a_full_address_counts_before_a_bare_one(juliet, romeo, people):
    street = Archive(people.login("romeo", "street"))
    juliet.client.iq("set", prefs("never", [romeo.client.bare_jid], [romeo.client.jid]))
    for other in (romeo, street):
        other.say(juliet.client.jid, f"from {other.client.jid}")
    assert juliet.bodies() == [f"from {street.client.jid}"]


@OURS
@pytest.mark.parametrize("wanted", [
    prefs("sometimes"), f"<prefs xmlns='{MAM}'/>", prefs("always", ["@@"])])
def test_preferences_that_are_wrong_change_nothing(juliet, wanted):
    juliet.client.iq("set", prefs("roster", ["a@b.example"]))
    assert juliet.client.iq("set", wanted).get_error()[1] == "bad-request"
    assert told(juliet.client.iq("get", f"<prefs xmlns='{MAM}'/>")) == (
        "roster", ["a@b.example"], [])


@OURS
def test_a_list_has_an_end(juliet):
    many = [f"a{number}@b.example" for number in range(1001)]
    assert juliet.client.iq("set", prefs("always", many)).get_error()[1] == "policy-violation"
    assert len(told(juliet.client.iq("set", prefs("always", many[1:])))[1]) == 1000


def test_addresses_are_prepared(juliet, romeo):
    address = romeo.client.bare_jid
    answer = juliet.client.iq("set", prefs("always", [], [address.replace("romeo", "ROMEO")]))
    assert told(answer) == ("always", [], [address])


def test_preferences_are_stored_as_prosody_does(juliet, romeo, server):
    juliet.client.iq("set", prefs("roster", ["a@b.example"], ["c@d.example"]))
    store = server.server.storage.open("localhost", "archive_prefs", "keyval")
    assert store.get(juliet.client.bare_jid.partition("@")[0]) == {
        False: "roster", "a@b.example": True, "c@d.example": False}


def test_preferences_count_after_a_reload_and_for_who_is_not_there(juliet, romeo, server, people):
    address = juliet.client.bare_jid
    juliet.client.iq("set", prefs("never"))
    server.server.modules.reload("localhost", "mam")
    romeo.say(address, "x")
    juliet.client.send("</stream:stream>").closed_with()
    romeo.say(address, "y")
    assert Archive(people.login("juliet", "street")).bodies() == []


@pytest.mark.parametrize(("options", "kept"), [
    ({}, ["friend", "stranger"]), ({"default_archive_policy": False}, []),
    ({"default_archive_policy": "roster"}, ["friend"]),
    pytest.param({"default_archive_policy": "always"}, ["friend", "stranger"], marks=OURS),
    pytest.param({"default_archive_policy": "never"}, [], marks=OURS)])
def test_the_host_has_a_policy_for_who_has_not_chosen(start_server, options, kept):
    people = People(start_server(["mam"], **options))
    people.befriend("juliet", "friend")
    juliet = Archive(people.login("juliet"))
    for name in ("friend", "stranger"):
        Archive(people.login(name)).say(juliet.client.jid, name)
    assert juliet.bodies() == kept
    people.close()


def test_with_smart_enable_nothing_is_kept_before_a_client_asks(start_server):
    people = People(start_server(["mam"], mam_smart_enable=True))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    romeo.say(juliet.client.jid, "before")
    assert juliet.bodies() == []
    romeo.say(juliet.client.jid, "after")
    assert juliet.bodies() == ["after"]
    people.close()


@OURS
def test_a_policy_that_there_is_not_is_a_mistake(start_server):
    running = start_server(["mam"], default_archive_policy="sometimes")
    assert not running.server.modules.is_loaded("localhost", "mam")


@OURS
def test_another_policy_counts_for_those_who_are_there(start_server):
    people = People(start_server(["mam"]))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    romeo.say(juliet.client.jid, "kept")
    running = people.server
    running.write_config(default_archive_policy=False)
    running.reload_config()
    running.server.modules.reload("localhost", "mam")
    romeo.say(juliet.client.jid, "unkept")
    assert juliet.bodies() == ["kept"]
    people.close()
