"""mod_adhoc: XEP-0050."""

from __future__ import annotations

import pytest

from prosody_py.api.permissions import default_permission
from prosody_py.testing.client import wait_until

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


# -- what is ours alone --------------------------------------------------------------------

OURS = pytest.mark.ours_alone("Prosody's is laxer than XEP-0050")
SESSION = '''
import gevent

from prosody_py.api import adhoc, dataforms

FORM = dataforms.Form([{"name": "name", "required": True}], "Name")


def three_steps(command, data, state):
    """Two forms, and back again."""
    number = (state or 0) + {"prev": -1, "cancel": 0}.get(data.action, 1)
    if number == 3:
        return {"status": "completed", "notes": [("info", "one"), ("warn", "two")],
                "result": {"layout": FORM, "values": {"name": "done"}}}, None
    actions = ["complete", "prev"] if number == 2 else ["next"]
    return {"status": "executing", "form": FORM, "actions": actions}, number


def load(module):
    """Offer three commands."""
    module.add_item("adhoc", adhoc.AdhocCommand("Three", "three", three_steps, "any"))
    module.add_item("adhoc", adhoc.simple("Who", "who", lambda data: getattr(data, "from"), "any"))
    module.provides("adhoc", adhoc.form("Greet", "greet", FORM, greet, "local_user"))
    module.add_item("adhoc", adhoc.form("Slow", "slow", FORM, slow, "any"))
    module.add_item("adhoc", adhoc.simple("Checked", "checked", lambda data: "may", "check"))
    module.add_item("adhoc", {"name": "Dict", "node": "dict", "permission": "any",
                              "handler": lambda *_all: ({"status": "completed"}, None)})


def slow(fields, data):
    """Take a while."""
    gevent.sleep(0.2)
    return "done"


def greet(fields, data):
    """Return the greeting."""
    return f"Hello {fields['name']}"
'''


@pytest.fixture
def python(start_server, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mod_steps.py").write_text(SESSION)
    return start_server(["adhoc", "steps"], plugin_paths=[str(folder)], admins=["root@localhost"],
                        adhoc_max_sessions_per_user=2, adhoc_max_sessions=3)


def error(answer):
    kind, condition, _text, extra = answer.get_error()
    return kind, condition, extra and extra.name


def begun(client, node="three"):
    return run(client, node).tags[0].attr["sessionid"]


@OURS
def test_a_command_goes_on_back_and_to_its_end(python):
    juliet = python.client("juliet")
    first = run(juliet, "three").tags[0]
    assert first.get_child("actions").attr["execute"] == "next"
    assert first.attr["xml:lang"] == "en"
    session = first.attr["sessionid"]
    second = run(juliet, "three", submit("x"), sessionid=session, action="next").tags[0]
    assert [tag.name for tag in second.get_child("actions").tags] == ["prev", "complete"]
    assert second.get_child("actions").attr["execute"] == "complete"
    back = run(juliet, "three", sessionid=session, action="prev").tags[0]
    assert [tag.name for tag in back.get_child("actions").tags] == ["next"]
    run(juliet, "three", submit("x"), sessionid=session)
    last = run(juliet, "three", submit("x"), sessionid=session).tags[0]
    assert last.attr["status"] == "completed" and last.get_child("actions") is None
    assert [(tag.attr["type"], tag.get_text()) for tag in last.tags if tag.name == "note"] == [
        ("info", "one"), ("warn", "two")]
    assert last.get_child("x", "jabber:x:data").attr["type"] == "result"


@OURS
def test_the_errors_of_section_4_6(python):
    juliet, romeo = python.client("juliet"), python.client("romeo")
    session = begun(juliet)
    for wanted, answer in {
        ("modify", "bad-request", "malformed-action"): run(juliet, "three", action="jump"),
        ("modify", "bad-request", "bad-action"): run(juliet, "three", sessionid=session,
                                                     action="complete"),
        ("modify", "bad-request", "bad-sessionid"): run(romeo, "three", sessionid=session),
        ("modify", "bad-request", "bad-locale"): juliet.iq(
            "set", f"<command xmlns='{XMLNS}' node='three' xml:lang='no language'/>", "localhost"),
        ("modify", "bad-request", "bad-payload"): run(
            juliet, "greet", submit(""), sessionid=begun(juliet, "greet")),
        ("cancel", "item-not-found", None): run(juliet, "absent"),
        ("modify", "bad-request", None): juliet.iq(
            "set", f"<command xmlns='{XMLNS}'/>", "localhost"),
    }.items():
        assert error(answer) == wanted
    answer = run(juliet, "three", sessionid=session, action="complete")
    echoed = answer.get_child("command", XMLNS)
    assert (echoed.attr["sessionid"], echoed.attr["node"]) == (session, "three")
    for id in ("", "x", f"{session}x", "1.2", "é.ü"):
        assert error(run(juliet, "three", sessionid=id))[2] == "bad-sessionid"
    assert error(run(juliet, "greet", sessionid=session))[2] == "bad-sessionid"
    for action in ("prev", "cancel"):
        assert error(run(juliet, "three", action=action))[2] == "bad-action"


@OURS
def test_a_form_may_be_corrected(python):
    juliet = python.client("juliet")
    session = begun(juliet, "greet")
    for inside in (submit(""), "", "<x xmlns='jabber:x:data' type='submit'/>"):
        assert error(run(juliet, "greet", inside, sessionid=session))[2] == "bad-payload"
    answer = run(juliet, "greet", submit("Romeo"), sessionid=session)
    assert answer.tags[0].get_child_text("note") == "Hello Romeo"


@OURS
def test_a_step_is_taken_once(python):
    first, second = python.client("juliet"), python.client("juliet")
    session = begun(first, "slow")
    for client in (first, second):
        client.send(f"<iq type='set' id='s' to='localhost'><command xmlns='{XMLNS}' node='slow' "
                    f"sessionid='{session}'>{submit('x')}</command></iq>")
    answers = [client.receive_until(lambda element: element.name == "iq")
               for client in (first, second)]
    assert sorted(error(answer)[2] or "" if answer.attr["type"] == "error" else "done"
                  for answer in answers) == ["done", "session-expired"]


@OURS
def test_a_session_that_is_over_is_expired(python):
    juliet, expired = python.client("juliet"), ("cancel", "not-allowed", "session-expired")
    session = begun(juliet)
    cancelled = run(juliet, "three", sessionid=session, action="cancel").tags[0]
    assert (cancelled.attr["status"], cancelled.attr["sessionid"]) == ("canceled", session)
    assert error(run(juliet, "three", sessionid=session)) == expired
    session = begun(juliet, "greet")
    run(juliet, "greet", submit("x"), sessionid=session)
    assert error(run(juliet, "greet", submit("x"), sessionid=session)) == expired
    session = run(juliet, "who").tags[0].attr["sessionid"]
    assert error(run(juliet, "who", sessionid=session)) == expired


@OURS
def test_sessions_are_bounded_for_each_account_and_in_total(python):
    juliet, romeo, paris = map(python.client, ("juliet", "romeo", "paris"))
    steps = python.server.modules.get_module("localhost", "adhoc").steps
    sessions = [begun(juliet) for _number in range(3)]
    assert error(run(juliet, "three", sessionid=sessions[0]))[2] == "session-expired"
    assert run(juliet, "three", sessionid=sessions[1]).attr["type"] == "result"
    begun(romeo)
    begun(paris)
    assert len(steps.waiting) == 3
    # The oldest is given up; one that was used since is not.
    assert error(run(juliet, "three", sessionid=sessions[2]))[2] == "session-expired"
    assert run(juliet, "three", sessionid=sessions[1]).attr["type"] == "result"


@pytest.mark.slow
@OURS
def test_sessions_end_after_a_time_and_nothing_of_them_stays(start_server, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mod_steps.py").write_text(SESSION)
    running = start_server(["adhoc", "steps"], plugin_paths=[str(folder)],
                           adhoc_session_timeout="1 second")
    juliet = running.client("juliet")
    session = begun(juliet)
    steps = running.server.modules.get_module("localhost", "adhoc").steps
    wait_until(lambda: not steps.waiting and not steps.of and not steps.sweeping)
    assert error(run(juliet, "three", sessionid=session))[2] == "session-expired"


@OURS
def test_sessions_outlive_a_reload(python):
    juliet = python.client("juliet")
    session = begun(juliet)
    for name in ("adhoc", "steps"):
        python.server.modules.reload("localhost", name)
    second = run(juliet, "three", sessionid=session).tags[0]
    assert [tag.name for tag in second.get_child("actions").tags] == ["prev", "complete"]


@OURS
def test_a_module_in_python_offers_commands(python):
    juliet = python.client("juliet")
    assert run(juliet, "who").tags[0].get_child_text("note") == juliet.jid
    answer = run(juliet, "greet", submit("Romeo"), sessionid=begun(juliet, "greet"))
    assert answer.tags[0].get_child_text("note") == "Hello Romeo"
    assert run(juliet, "dict").tags[0].attr["status"] == "completed"
    assert run(juliet, "checked").get_error()[1] == "forbidden"
    granting = python.server.modules.get_module("localhost", "steps")
    default_permission(granting, "prosody:user", "adhoc:checked")
    assert run(juliet, "checked").tags[0].get_child_text("note") == "may"


@OURS
def test_the_list_of_commands_is_a_node_of_its_own(python):
    query = python.client("juliet").iq(
        "get", f"<query xmlns='{INFO}' node='{XMLNS}'/>", "localhost").tags[0]
    identity = query.get_child("identity")
    assert (identity.attr["category"], identity.attr["type"]) == ("automation", "command-list")
