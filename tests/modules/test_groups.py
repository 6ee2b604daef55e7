"""mod_groups: shared rosters from a file."""

from __future__ import annotations

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.hosts.roster import load_roster
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("groups")

FILE = """
; comment
[Team]
romeo@localhost
Juliet@localhost=Juliet Capulet

[Others]
juliet@localhost=Julia
nurse@localhost
[+Support]
help@localhost
"""


@pytest.fixture
def start(start_server, tmp_path):
    def start(text=FILE, **options):
        (tmp_path / "groups.txt").write_text(text)
        return start_server(["groups"], groups_file=str(tmp_path / "groups.txt"), **options)

    start.file = tmp_path / "groups.txt"
    return start


def roster(client):
    query = client.iq("get", "<query xmlns='jabber:iq:roster'/>").tags[0]
    return {item.attr["jid"]: (item.attr["subscription"], item.attr.get("name"), sorted(
        group.get_text() for group in item.childtags("group"))) for item in query.tags}


SUPPORT = {"help@localhost": ("both", None, ["Support"])}


@pytest.mark.parametrize(("name", "contacts"), [
    ("romeo", {"juliet@localhost": ("both", "Juliet Capulet", ["Team"]), **SUPPORT}),
    ("juliet", {"romeo@localhost": ("both", None, ["Team"]),
                "nurse@localhost": ("both", None, ["Others"]), **SUPPORT}),
    ("stranger", SUPPORT), ("help", {})])
def test_members_have_each_other_in_their_rosters(start, name, contacts):
    assert roster(start(FILE.replace("Juliet@", "juliet@")).client(name)) == contacts


@pytest.mark.ours_alone("Debian's takes addresses as they are written")
def test_addresses_are_prepared(start):
    assert "juliet@localhost" in roster(start().client("romeo"))


@pytest.mark.ours_alone("Debian's takes the name of the file")
def test_contacts_of_ones_own_stay_and_get_the_group(start):
    running = start(FILE.replace("Juliet@", "juliet@"))
    running.server.storage.open("localhost", "roster").set("romeo", {
        "juliet@localhost": {"subscription": "none", "name": "My Juliet",
                             "groups": {"Loves": True}},
        False: {"version": 3, "pending": {}}})
    found = roster(running.client("romeo"))["juliet@localhost"]
    assert found == ("both", "My Juliet", ["Loves", "Team"])


def test_members_see_each_other(start):
    running = start(FILE.replace("Juliet@", "juliet@"))
    romeo, juliet = running.client("romeo"), running.client("juliet")
    roster(romeo), roster(juliet)
    romeo.available()
    juliet.available()
    assert (romeo.jid, None) in kinds(juliet.flush())
    assert (juliet.jid, None) in kinds(romeo.flush())


def test_nothing_is_stored(start):
    running = start()
    romeo = running.client("romeo")
    roster(romeo)
    romeo.iq("set", "<query xmlns='jabber:iq:roster'><item jid='other@localhost'/></query>")
    stored = running.server.storage.open("localhost", "roster").get("romeo")
    assert set(stored) == {False, "other@localhost"}


@pytest.mark.ours_alone("Debian's members of public groups are not seen")
def test_everybody_sees_the_members_of_a_public_group(start):
    running = start()
    support, stranger = running.client("help"), running.client("stranger")
    late = running.client("late")
    roster(stranger), roster(late)
    stranger.available()
    support.available()
    assert (support.jid, None) in kinds(stranger.flush())
    late.available()
    assert (support.jid, None) in kinds(late.flush())
    support.send("<presence><show>away</show></presence>").flush()
    assert [found.get_child_text("show") for found in stranger.flush()
            if found.attr.get("from") == support.jid] == ["away"]
    support.close()
    seen = late.receive_until(lambda element: element.attr.get("from") == support.jid
                              and element.attr.get("type") == "unavailable")
    assert seen.name == "presence"


BLOCK = "<block xmlns='urn:xmpp:blocking'><item jid='{}'/></block>"


@pytest.mark.ours_alone("Debian's does not ask")
@pytest.mark.parametrize("blocker", ["help", "nurse"])
def test_who_is_blocked_does_not_see_members_of_a_public_group(start_server, tmp_path, blocker):
    (tmp_path / "groups.txt").write_text(FILE)
    running = start_server(["groups", "blocklist"], groups_file=str(tmp_path / "groups.txt"))
    nurse, romeo = running.client("nurse").available(), running.client("romeo").available()
    help = running.client("help", "desk")
    by = {"help": (help, "nurse@localhost"), "nurse": (nurse, "help@localhost")}[blocker]
    by[0].iq("set", BLOCK.format(by[1]))
    nurse.flush(), romeo.flush()
    help.available()
    assert ("help@localhost/desk", None) in kinds(romeo.flush())
    assert [sender for sender, _type in kinds(nurse.flush())
            if sender.startswith("help@")] == []
    # Nor does who asks.
    nurse.send("<presence type='probe' to='help@localhost'/>")
    assert [(sender, type) for sender, type in kinds(nurse.flush())
            if sender.startswith("help@") and type != "error"] == []
    help.send("<presence type='unavailable'/>").flush()
    assert ("help@localhost/desk", "unavailable") in kinds(romeo.flush())
    assert [sender for sender, type in kinds(nurse.flush()) if type != "error"] == []


@pytest.mark.ours_alone("Debian's is blind to what was there before")
def test_rosters_in_use_change_with_the_file(start):
    running = start("[Team]\nromeo@localhost\nx@localhost\n")
    romeo = running.client("romeo")
    load_roster(running.server, "juliet", "localhost")
    assert set(roster(romeo)) == {"x@localhost"}
    start.file.write_text("[Team]\nromeo@localhost\njuliet@localhost\n")
    running.server.modules.reload("localhost", "groups")
    pushes = [found.tags[0].tags[0].attr for found in romeo.flush() if found.name == "iq"]
    assert [(item["jid"], item["subscription"]) for item in pushes] == [
        ("x@localhost", "remove"), ("juliet@localhost", "both")]
    running.server.modules.reload("localhost", "groups")
    assert romeo.flush() == []
    assert set(roster(romeo)) == {"juliet@localhost"}
    assert set(roster(running.client("juliet"))) == {"romeo@localhost"}
    running.server.modules.unload("localhost", "groups")
    assert roster(romeo) == roster(running.clients[1]) == {}


@pytest.mark.ours_alone("Debian's reads what it can")
@pytest.mark.parametrize(("options", "text"), [
    ({}, "groups_file"), ({"groups_file": "/nowhere/at/all"}, "cannot be read")])
def test_without_a_file_there_is_no_module(start_server, options, text):
    with pytest.raises(LoadError, match=text):
        start_server(**options).server.modules.load("localhost", "groups")


@pytest.mark.ours_alone("Debian's reads what it can")
def test_what_is_wrong_in_the_file_is_told_and_left_out(start, caplog):
    running = start("early@localhost\n[Team]\n@\nromeo@localhost\njuliet@localhost\n")
    assert set(roster(running.client("romeo"))) == {"juliet@localhost"}
    assert "line 1: this stands before" in caplog.text and "line 3: '@'" in caplog.text
