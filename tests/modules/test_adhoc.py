"""mod_adhoc: XEP-0050."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.twins("adhoc")

XMLNS = "http://jabber.org/protocol/commands"
ITEMS, INFO = (f"http://jabber.org/protocol/disco#{kind}" for kind in ("items", "info"))
COMMANDS = """
    local new = module:require "adhoc".new;
    local form = require "util.dataforms".new { title = "Name";
        { name = "FORM_TYPE"; type = "hidden"; value = "names" };
        { name = "name"; type = "text-single"; required = true } };
    local function two_steps(_, data, state)
        if data.action == "cancel" then return { status = "canceled" }; end
        if not state then
            return { status = "executing"; form = form; actions = { "complete" } }, { step = 1 };
        end
        return { status = "completed"; info = "Hello " .. form:data(data.form).name };
    end
    local function failing()
        return { status = "error"; error = { type = "cancel"; condition = "item-not-found" } };
    end
    local function done() return { status = "completed"; warn = "done" }; end
    module:provides("adhoc", new("Two steps", "two", two_steps, "local_user"));
    module:add_item("adhoc", new("Failing", "failing", failing, "any"));
    module:add_item("adhoc", new("Admin", "admin", done, "admin"));
"""


@pytest.fixture
def running(start_server, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mod_commands.lua").write_text(COMMANDS)
    return start_server(["adhoc", "commands"], plugin_paths=[str(folder)],
                        admins=["root@localhost"])


def run(client, node, inside="", **attributes):
    more = " ".join(f"{name}='{value}'" for name, value in attributes.items())
    return client.iq("set", f"<command xmlns='{XMLNS}' node='{node}' {more}>{inside}</command>",
                     "localhost")


def submit(name):
    return ("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>names</value>"
            f"</field><field var='name'><value>{name}</value></field></x>")


def test_a_command_goes_through_its_steps(running):
    juliet = running.client("juliet")
    first = run(juliet, "two").tags[0]
    assert (first.attr["status"], first.attr["node"]) == ("executing", "two")
    assert [tag.name for tag in first.get_child("actions").tags] == ["complete"]
    assert first.get_child("x", "jabber:x:data").get_child_text("title") == "Name"
    last = run(juliet, "two", submit("Romeo"), sessionid=first.attr["sessionid"],
               action="complete").tags[0]
    assert last.attr["status"] == "completed"
    assert last.attr["sessionid"] == first.attr["sessionid"]
    note = last.get_child("note")
    assert (note.attr["type"], note.get_text()) == ("info", "Hello Romeo")


def test_a_command_is_cancelled(running):
    juliet = running.client("juliet")
    session = run(juliet, "two").tags[0].attr["sessionid"]
    assert run(juliet, "two", sessionid=session, action="cancel").tags[0].attr["status"] == (
        "canceled")


def test_an_error_of_a_command_is_the_answer(running):
    assert run(running.client("juliet"), "failing").get_error()[1] == "item-not-found"
    assert run(running.client("juliet"), "absent").attr["type"] == "error"


def test_everybody_sees_and_runs_what_is_for_them(running):
    for name, nodes in (("juliet", ["failing", "two"]), ("root", ["admin", "failing", "two"])):
        client = running.client(name)
        query = client.iq("get", f"<query xmlns='{ITEMS}' node='{XMLNS}'/>", "localhost").tags[0]
        assert sorted(item.attr["node"] for item in query.tags) == nodes
    assert run(client, "admin").tags[0].get_child("note").attr["type"] == "warn"
    juliet = running.client("juliet")
    assert run(juliet, "admin").get_error()[1] == "forbidden"
    info = f"<query xmlns='{INFO}' node='%s'/>"
    assert juliet.iq("get", info % "admin", "localhost").get_error()[1] == "forbidden"
    query = juliet.iq("get", info % "two", "localhost").tags[0]
    assert query.get_child("identity").attr["name"] == "Two steps"
