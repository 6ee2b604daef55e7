"""mod_private: XEP-0049."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users

pytestmark = pytest.mark.twins("private")

EXODUS = "<exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus>"
EMPTY = "<exodus xmlns='exodus:prefs'/>"


def private(client, type, inside, to=None):
    return client.iq(type, f"<query xmlns='jabber:iq:private'>{inside}</query>", to)


def kept(client, inside=EMPTY):
    answer = private(client, "get", inside)
    assert answer.attr["type"] == "result", str(answer)
    return answer.tags[0].tags[0]


def test_what_is_kept_comes_back_in_another_session(start_server):
    running = start_server(["private"])
    assert private(running.client("hamlet"), "set", EXODUS).attr["type"] == "result"
    element = kept(running.client("hamlet"))
    assert element.get_child_text("defaultnick") == "Hamlet"


def test_what_was_never_kept_comes_back_empty(start_server):
    element = kept(start_server(["private"]).client("hamlet"))
    assert element.name == "exodus" and element.children == []


def test_an_empty_element_removes_what_is_kept(start_server):
    client = start_server(["private"]).client("hamlet")
    private(client, "set", EXODUS)
    private(client, "set", EMPTY)
    assert kept(client).children == []


@pytest.mark.ours_alone("Debian's takes an element without content for a wish to delete")
def test_attributes_alone_are_kept(start_server):
    client = start_server(["private"]).client("hamlet")
    private(client, "set", "<exodus xmlns='exodus:prefs' nick='Hamlet'/>")
    assert kept(client).attr["nick"] == "Hamlet"


@pytest.mark.ours_alone("Debian's takes one element at a time")
def test_several_elements_are_kept_apart(start_server):
    client = start_server(["private"]).client("hamlet")
    private(client, "set", EXODUS + "<exodus xmlns='b'><b/></exodus><c xmlns='b'><d/></c>")
    assert kept(client, "<exodus xmlns='b'/>").tags[0].name == "b"
    assert kept(client, "<c xmlns='b'/>").tags[0].name == "d"
    assert kept(client).get_child_text("defaultnick") == "Hamlet"


def test_store_has_prosodys_keys_and_form(start_server):
    running = start_server(["private"])
    private(running.client("hamlet"), "set", EXODUS)
    stored = running.server.storage.open("localhost", "private", "map").get(
        "hamlet", "exodus:exodus:prefs")
    assert stored["name"] == "exodus" and stored["attr"] == {"xmlns": "exodus:prefs"}
    assert stored[1]["name"] == "defaultnick" and stored[1][1] == "Hamlet"


@pytest.mark.ours_alone("Debian's leaves it to others, who say service-unavailable")
@pytest.mark.parametrize("type", ["get", "set"])
@pytest.mark.parametrize("to", ["hamlet@localhost", "nobody@localhost"])
def test_others_are_kept_out(start_server, type, to):
    running = start_server(["private"])
    hamlet = running.client("hamlet")
    private(hamlet, "set", EXODUS)
    answer = private(running.client("macbeth"), type, EXODUS, to)
    assert answer.get_error()[1] == "forbidden"
    assert kept(hamlet).get_child_text("defaultnick") == "Hamlet"


@pytest.mark.ours_alone("Debian's has other conditions, and accepts own namespaces")
@pytest.mark.parametrize(("type", "inside", "condition"), [
    ("get", "", "bad-request"), ("get", EMPTY + "<c xmlns='b'/>", "bad-request"),
    ("set", "", "not-acceptable"), ("set", "<own>x</own>", "not-acceptable"),
    ("set", EXODUS.replace("Hamlet", "<a>" * 80 + "</a>" * 80), "policy-violation")])
def test_wrong_requests_are_refused(start_server, type, inside, condition):
    answer = private(start_server(["private"]).client("hamlet"), type, inside)
    assert answer.get_error()[1] == condition


def test_nothing_is_left_of_an_account_that_is_removed(start_server):
    running = start_server(["private"])
    private(running.client("hamlet"), "set", EXODUS)
    users.delete_user(running.server, "hamlet", "localhost")
    running.user("hamlet")
    assert kept(running.client("hamlet")).children == []
