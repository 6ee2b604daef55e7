"""mod_vjud: XEP-0055."""

from __future__ import annotations

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.hosts import users

XMLNS, DATA = "jabber:iq:search", "jabber:x:data"
COMMANDS = "http://jabber.org/protocol/commands"
PEOPLE = {"juliet": ("Juliet", "Capulet", "JuliC", "juliet@x.lit"),
          "tybalt": ("Tybalt", "Capulet", "ty", "tybalt@x.lit"),
          "romeo": ("Romeo", "Montague", "", "")}


def describe(client, first, last, nick, email):
    answer = client.iq("set", f"<vCard xmlns='vcard-temp'><N><FAMILY>{last}</FAMILY><GIVEN>{first}"
                       f"</GIVEN></N><NICKNAME>{nick}</NICKNAME><EMAIL><INTERNET/><USERID>{email}"
                       "</USERID></EMAIL></vCard>")
    assert answer.attr["type"] == "result"


def setup(client, searchable, to="localhost"):
    def run(form="", more=""):
        return client.iq("set", f"<command xmlns='{COMMANDS}' node='vjudsetup'{more}>{form}"
                         "</command>", to)

    asked = run()
    if asked.attr["type"] == "error":
        return asked
    field = asked.tags[0].get_child("x", DATA).get_child("field")
    assert field.attr["var"] == "searchable"
    setup.before = field.get_child_text("value")
    session = asked.tags[0].attr["sessionid"]
    return run(f"<x xmlns='{DATA}' type='submit'><field var='searchable'><value>{searchable}"
               "</value></field></x>", f" action='complete' sessionid='{session}'")


@pytest.fixture
def start(start_server):
    def start(modules=("vcard", "vjud"), searchable=("juliet", "tybalt", "romeo"), **options):
        running = start_server(list(modules), **options)
        for name, about in PEOPLE.items():
            client = running.client(name)
            describe(client, *about)
            if name in searchable:
                assert setup(client, 1).tags[0].attr["status"] == "completed"
        return running.client("nurse")

    return start


def search(client, to="localhost", **fields):
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return client.iq("set", f"<query xmlns='{XMLNS}'>{inside}</query>", to)


def found(answer):
    assert answer.attr["type"] == "result", str(answer)
    return [item.attr["jid"] for item in answer.tags[0].childtags("item")]


def test_the_fields_are_told(start):
    query = start(searchable=()).iq("get", f"<query xmlns='{XMLNS}'/>", "localhost").tags[0]
    assert [child.name for child in query.tags] == ["instructions", "first", "last", "nick",
                                                    "email", "x"]
    form = query.get_child("x", DATA)
    assert {field.attr["var"] for field in form.childtags("field")} == {
        "FORM_TYPE", "first", "last", "nick", "email"}


def test_people_are_found_by_what_they_say_of_themselves(start):
    nurse = start()
    answer = search(nurse, last="capulet")
    assert found(answer) == ["juliet@localhost", "tybalt@localhost"]
    item = answer.tags[0].tags[0]
    assert [(child.name, child.get_text()) for child in item.tags] == [
        ("first", "Juliet"), ("last", "Capulet"), ("nick", "JuliC"), ("email", "juliet@x.lit")]
    assert found(search(nurse, last="Capulet", nick="juli")) == ["juliet@localhost"]
    assert found(search(nurse, email="TYBALT@")) == ["tybalt@localhost"]
    answer = search(nurse, first="Nobody")
    assert found(answer) == [] and answer.tags[0].children == []


def test_a_form_is_answered_with_a_form(start):
    nurse = start()
    form = (f"<x xmlns='{DATA}' type='submit'><field var='FORM_TYPE'><value>{XMLNS}</value></field>"
            "<field var='first'><value>{}</value></field></x>")
    answer = nurse.iq("set", f"<query xmlns='{XMLNS}'>{form.format('Romeo')}</query>", "localhost")
    x = answer.tags[0].get_child("x", DATA)
    assert x.attr["type"] == "result"
    assert [field.attr["var"] for field in x.get_child("reported").tags] == [
        "first", "last", "nick", "email", "jid"]
    (item,) = x.childtags("item")
    values = {field.attr["var"]: field.get_child_text("value") for field in item.tags}
    assert values["jid"] == "romeo@localhost" and values["last"] == "Montague"
    answer = nurse.iq("set", f"<query xmlns='{XMLNS}'>{form.format('Nobody')}</query>", "localhost")
    assert answer.tags[0].children == []


@pytest.mark.parametrize("fields", [{}, {"first": ""}, {"last": " "}, {"last": "C"}])
def test_a_search_needs_something_to_look_for(start, fields):
    assert search(start(), **fields).get_error()[1] == "not-acceptable"


def test_a_form_that_is_not_filled_in_is_refused(start):
    answer = start().iq("set", f"<query xmlns='{XMLNS}'><x xmlns='{DATA}' type='cancel'/></query>",
                        "localhost")
    assert answer.get_error()[1] == "bad-request"


def test_only_those_who_want_to_are_found(start):
    nurse = start(searchable=("juliet",))
    assert found(search(nurse, last="Capulet")) == ["juliet@localhost"]


def test_who_does_not_want_to_be_found_any_more_is_not(start, start_server):
    running = start_server(["vcard", "vjud"])
    juliet = running.client("juliet")
    describe(juliet, *PEOPLE["juliet"])
    setup(juliet, 1)
    assert setup.before == "0"
    assert found(search(juliet, last="Capulet")) == ["juliet@localhost"]
    describe(juliet, "Juliet", "Montague", "", "")
    assert found(search(juliet, last="Montague")) == ["juliet@localhost"]
    setup(juliet, 0)
    assert setup.before == "1"
    assert found(search(juliet, last="Montague")) == []
    running.server.modules.reload("localhost", "vjud")
    assert found(search(juliet, last="Montague")) == []


def test_who_is_gone_is_not_found(start_server):
    running = start_server(["vcard", "vjud"])
    juliet, nurse = running.client("juliet"), running.client("nurse")
    describe(juliet, *PEOPLE["juliet"])
    setup(juliet, 1)
    assert found(search(nurse, last="Capulet")) == ["juliet@localhost"]
    users.delete_user(running.server, "juliet", "localhost")
    assert found(search(nurse, last="Capulet")) == []
    assert running.server.storage.open("localhost", "vjud").get("juliet") is None


def test_everybody_can_be_found_where_that_is_wanted(start):
    nurse = start(searchable=(), vjud_mode="all")
    assert found(search(nurse, last="Capulet")) == ["juliet@localhost", "tybalt@localhost"]
    answer = setup(nurse, 1)
    assert answer.attr["type"] == "error"


def test_results_and_entries_are_bounded(start):
    assert len(found(search(start(vjud_max_results=1), last="Capulet"))) == 1


def test_a_full_directory_is_told(start_server):
    running = start_server(["vcard", "vjud"], vjud_max_entries=1)
    for name in ("juliet", "tybalt"):
        client = running.client(name)
        describe(client, *PEOPLE[name])
        answer = setup(client, 1)
    assert answer.get_error()[1] == "resource-constraint"


@pytest.mark.parametrize(("options", "answered"), [
    ({}, False), ({"allow_remote_searches": True}, True)])
def test_others_may_search_only_if_they_are_let(start, start_server, options, answered):
    running = start_server(["vcard", "vjud"], hosts={"localhost": {}, "far.example": {}},
                           **options)
    stranger = running.client("iago", host="far.example")
    answer = search(stranger, last="Capulet")
    assert (answer.attr["type"] == "result") is answered
    if not answered:
        assert answer.get_error()[1] == "forbidden"
        assert stranger.iq("get", f"<query xmlns='{XMLNS}'/>",
                           "localhost").get_error()[1] == "forbidden"
    assert setup(stranger, 1).get_error()[1] == "forbidden"


def test_a_component_searches_its_host(start_server):
    running = start_server(["vcard"], components={"search.localhost": {"module": "vjud"}})
    juliet = running.client("juliet")
    describe(juliet, *PEOPLE["juliet"])
    assert setup(juliet, 1, "search.localhost").tags[0].attr["status"] == "completed"
    assert found(search(juliet, "search.localhost", last="Capulet")) == ["juliet@localhost"]
    info = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                     "search.localhost").tags[0]
    assert ("directory", "user") in {(child.attr["category"], child.attr["type"])
                                     for child in info.childtags("identity")}


def test_a_host_that_is_not_there_cannot_be_searched(start_server):
    running = start_server(vjud_search_domain="nowhere.example")
    with pytest.raises(LoadError, match="nowhere.example"):
        running.server.modules.load("localhost", "vjud")
