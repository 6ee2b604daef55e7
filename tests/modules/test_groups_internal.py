"""mod_groups_internal: groups that other modules manage."""

from __future__ import annotations

import pytest

from prosody_py.api import CommandError
from prosody_py.hosts import users
from prosody_py.testing.people import kinds

NAMES = ("romeo", "juliet", "nurse")


@pytest.fixture
def running(start_server):
    running = start_server(["groups_internal"])
    for name in NAMES:
        running.user(name)
    return running


@pytest.fixture
def told(running):
    """Return the list of (event, user or room) that are fired."""
    found = []
    for name in ("group-user-added", "group-user-removed", "group-chat-added",
                 "group-chat-removed"):
        running.server.hosts["localhost"].events.add_handler(name, lambda event, name=name: (
            found.append((name, getattr(event, "user", None) or event.muc["id"]))))
    return found


def groups(running):
    return running.server.modules.get_module("localhost", "groups_internal").exports


def roster(client):
    query = client.iq("get", "<query xmlns='jabber:iq:roster'/>").tags[0]
    return {item.attr["jid"]: sorted(group.get_text() for group in item.childtags("group"))
            for item in query.tags if item.attr["subscription"] == "both"}


def test_members_are_contacts_who_see_each_other(running, told):
    romeo, juliet = running.client("romeo").available(), running.client("juliet")
    assert roster(romeo) == roster(juliet) == {}
    team = groups(running).create({"name": "Team"})
    for name in ("romeo", "juliet"):
        assert groups(running).add_member(team, name) is True
    assert roster(romeo) == {"juliet@localhost": ["Team"]}
    assert roster(juliet) == {"romeo@localhost": ["Team"]}
    juliet.available()
    assert (romeo.jid, None) in kinds(juliet.flush())
    assert told == [("group-user-added", "romeo"), ("group-user-added", "juliet")]
    assert roster(running.client("nurse")) == {}


def test_changes_are_pushed(running):
    romeo = running.client("romeo")
    roster(romeo)
    team = groups(running).create({"name": "Team"})
    groups(running).add_member(team, "romeo")
    groups(running).add_member(team, "juliet")
    groups(running).set_info(team, {"name": "Crew"})
    groups(running).remove_member(team, "juliet")
    items = [found.tags[0].tags[0] for found in romeo.flush() if found.name == "iq"]
    assert [(item.attr["subscription"], [group.get_text() for group in item.tags])
            for item in items] == [("both", ["Team"]), ("both", ["Crew"]), ("remove", [])]


def test_several_groups_show_in_one_contact(running):
    for name in ("Team", "Choir"):
        group = groups(running).create({"name": name})
        for member in ("romeo", "juliet"):
            groups(running).add_member(group, member)
    romeo = running.client("romeo")
    assert roster(romeo) == {"juliet@localhost": ["Choir", "Team"]}
    groups(running).delete(next(iter(groups(running).groups()))[0])
    assert roster(romeo) == {"juliet@localhost": ["Choir"]}


def test_a_contact_may_be_of_two_modules(start_server, tmp_path):
    (tmp_path / "groups.txt").write_text("[File]\nromeo@localhost\njuliet@localhost=Julia\n")
    running = start_server(["groups", "groups_internal"], groups_file=str(tmp_path / "groups.txt"))
    running.user("juliet")
    romeo = running.client("romeo")
    assert roster(romeo) == {"juliet@localhost": ["File"]}
    team = groups(running).create({"name": "Team"})
    for name in ("romeo", "juliet"):
        groups(running).add_member(team, name)
    assert roster(romeo) == {"juliet@localhost": ["File", "Team"]}
    groups(running).delete(team)
    assert roster(romeo) == {"juliet@localhost": ["File"]}
    running.server.modules.unload("localhost", "groups")
    assert roster(romeo) == {}


def test_what_is_asked_is_answered(running):
    exports = groups(running)
    team = exports.create({"name": "Team"}, False, "team")
    assert team == "team" and exports.exists(team) and not exports.exists("none")
    assert exports.get_info(team)["name"] == "Team" and exports.get_info("none") is None
    exports.add_member(team, "romeo", True)
    exports.sync(team)
    assert set(exports.get_members(team)) == {"romeo"}
    assert set(exports.get_user_groups("romeo")) == {"team"}
    assert [group_id for group_id, _info in exports.groups()] == ["team"]
    assert exports.get_group_chats(team) == []
    assert exports.delete(team) is True and not exports.exists(team)
    assert exports.get_user_groups("romeo") == {}


@pytest.mark.parametrize(("call", "why"), [
    (lambda exports: exports.create({}), "group-name-required"),
    (lambda exports: exports.create({"name": "x"}, False, "team"), "conflict"),
    (lambda exports: exports.create({"name": "x"}, True), "service-unavailable"),
    (lambda exports: exports.add_member("none", "romeo"), "group-not-found"),
    (lambda exports: exports.add_member("team", "stranger"), "user-not-found"),
    (lambda exports: exports.remove_member("none", "romeo"), "group-not-found"),
    (lambda exports: exports.get_members("none"), "group-not-found"),
    (lambda exports: exports.set_info("none", {"name": "x"}), "group-not-found"),
    (lambda exports: exports.set_info("team", {}), "group-name-required"),
    (lambda exports: exports.delete("none"), "group-not-found"),
    (lambda exports: exports.add_group_chat("none", "Room"), "group-not-found"),
    (lambda exports: exports.add_group_chat("team", "Room"), "service-unavailable"),
    (lambda exports: exports.remove_group_chat("team", "room"), "not-found"),
    (lambda exports: exports.emit_member_events("none"), "group-not-found")])
def test_what_cannot_be_is_told(running, call, why):
    groups(running).create({"name": "Team"}, False, "team")
    assert call(groups(running)) == (None, why)


def test_groups_and_members_are_bounded(start_server):
    running = start_server(["groups_internal"], groups_max=1, groups_max_members=1)
    team = groups(running).create({"name": "Team"})
    assert groups(running).create({"name": "Choir"}) == (None, "resource-constraint")
    for name in ("romeo", "juliet"):
        running.user(name)
    groups(running).add_member(team, "romeo")
    assert groups(running).add_member(team, "juliet") == (None, "resource-constraint")


def test_groups_outlive_a_reload_and_leave_with_the_module(running):
    romeo = running.client("romeo")
    roster(romeo)
    team = groups(running).create({"name": "Team"})
    for name in ("romeo", "juliet"):
        groups(running).add_member(team, name)
    romeo.flush()
    running.server.modules.reload("localhost", "groups_internal")
    assert romeo.flush() == [] and roster(romeo) == {"juliet@localhost": ["Team"]}
    assert set(groups(running).get_members(team)) == {"romeo", "juliet"}
    running.server.modules.unload("localhost", "groups_internal")
    assert roster(romeo) == {}
    assert running.server.storage.open("localhost", "roster").get("romeo") is None


def test_who_is_gone_is_in_no_group(running, told):
    team = groups(running).create({"name": "Team"})
    for name in ("romeo", "juliet"):
        groups(running).add_member(team, name)
    users.delete_user(running.server, "juliet", "localhost")
    assert set(groups(running).get_members(team)) == {"romeo"}
    assert told[-1] == ("group-user-removed", "juliet")
    assert set(running.server.storage.open("localhost", "groups").get(team)) == {"romeo"}


def test_events_are_fired_once_more(running, told):
    team = groups(running).create({"name": "Team"})
    groups(running).add_member(team, "romeo")
    groups(running).emit_member_events(team)
    assert told == [("group-user-added", "romeo")] * 2


def test_administrators_look_after_groups_by_commands(running):
    run = running.command
    run("group", "create", "localhost", "The", "house", "--id", "house")
    run("group", "add", "romeo@localhost", "house")
    run("group", "add", "juliet@localhost", "house")
    assert run("group", "list", "localhost")["rows"] == [["house", "The house", 2]]
    assert roster(running.client("romeo")) == {"juliet@localhost": ["The house"]}
    run("group", "rename", "localhost", "house", "Ours")
    assert run("group", "show", "localhost", "house")["rows"] == [
        ["group", "house"], ["name", "Ours"], ["member", "juliet@localhost"],
        ["member", "romeo@localhost"]]
    run("group", "remove", "romeo@localhost", "house")
    assert run("group", "list", "localhost")["rows"] == [["house", "Ours", 1]]
    for words, condition in ((("create", "localhost", "x", "--id", "house"), "conflict"),
                             (("add", "nobody@localhost", "house"), "item-not-found"),
                             (("show", "localhost", "nothing"), "item-not-found"),
                             (("create", "localhost", "x", "--room"), "service-unavailable")):
        with pytest.raises(CommandError) as error:
            run("group", *words)
        assert error.value.condition == condition, words
    run("group", "delete", "localhost", "house")
    assert run("group", "list", "localhost")["rows"] == []


def test_groups_have_rooms_for_their_members(start_server):
    running = start_server(["groups_internal"], groups_muc_host="rooms.localhost",
                           components={"rooms.localhost": {"module": "muc"}})
    running.user("romeo")
    exports = groups(running)
    team = exports.create({"name": "Team"}, True)
    assert exports.add_member(team, "romeo") is True
    more = exports.add_group_chat(team, "Choir")
    rooms = exports.get_group_chats(team)
    assert [room["name"] for room in rooms] == ["Team", "Choir"] and rooms[1]["id"] == more["id"]
    for name, joined in (("romeo", True), ("tybalt", False)):
        client = running.client(name).available()
        client.send(f"<presence to='{more['jid']}/{name}'>"
                    "<x xmlns='http://jabber.org/protocol/muc'/></presence>")
        answer = client.receive_until(lambda element: element.name == "presence"
                                      and element.attr["from"].startswith(more["jid"]))
        assert (answer.attr.get("type") != "error") is joined
    assert exports.remove_group_chat(team, more["id"]) is True
    assert [room["name"] for room in exports.get_group_chats(team)] == ["Team"]
    assert exports.remove_member(team, "romeo") is True
    assert exports.delete(team) is True
