"""mod_admin_adhoc: XEP-0133, and what Prosody's module of the name has beside it."""

from __future__ import annotations

import pytest

from prosody_py.api.roles import Role
from prosody_py.hosts import users
from prosody_py.testing.adhoc import listed, note, run, step, values
from prosody_py.testing.client import wait_until

pytestmark = pytest.mark.twins("admin_adhoc", "adhoc")

ADMIN = "http://jabber.org/protocol/admin#"
MODULES, HOSTS = "http://prosody.im/protocol/modules#", "http://prosody.im/protocol/hosts#"
ACCOUNT = {"accountjid": "juliet@localhost", "password": "first"}


@pytest.fixture(scope="module")
def running(tmp_path_factory, launch):
    """A server of two hosts: root administers it, warden only the second host."""
    server = launch(tmp_path_factory.mktemp("server"), ["adhoc", "admin_adhoc"],
                    admins=["root@localhost"], hosts={"localhost": {}, "second.example": {
                        "admins": ["root@localhost", "warden@second.example"]}})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def root(running):
    return running.client("root")


@pytest.fixture(scope="module")
def warden(running):
    return running.client("warden", host="second.example")


@pytest.fixture
def juliet(running):
    return running.client("juliet", "balcony")


def test_what_prosody_lists_is_listed_for_administrators_alone(running, root, juliet):
    nodes = {node for node in listed(root) if not node.startswith("urn:prosody-py")}
    assert nodes >= {ADMIN + name for name in (
        "add-user", "delete-user", "end-user-session", "change-user-password", "get-user-roster",
        "user-stats", "get-online-users-list", "shutdown")}
    assert nodes >= {MODULES + name for name in (
        "load", "unload", "reload", "list", "global-load", "global-unload", "global-reload")}
    assert nodes >= {HOSTS + "activate", HOSTS + "deactivate",
                     "http://prosody.im/protocol/config#reload"}
    assert listed(juliet) == set()
    answer = step(juliet, ADMIN + "add-user")
    assert answer.get_error()[:2] == ("auth", "forbidden")


def test_an_account_is_made_changed_and_deleted(running, root):
    kind, _text = note(run(root, ADMIN + "add-user", {
        "accountjid": "mercutio@localhost", "password": "first", "password-verify": "first"}))
    assert kind == "info"
    mercutio = running.connect().login("mercutio", "first")
    assert note(run(root, ADMIN + "change-user-password", {
        "accountjid": "mercutio@localhost", "password": "second"}))[0] == "info"
    running.connect().login("mercutio", "second").close()
    kind, text = note(run(root, ADMIN + "delete-user", {"accountjids": ["mercutio@localhost"]}))
    assert kind == "info" and "mercutio@localhost" in text
    assert not users.user_exists(running.server, "mercutio", "localhost")
    assert mercutio.closed_with() is not None


def test_sessions_are_ended(running, root, juliet):
    kind, text = note(run(root, ADMIN + "end-user-session", {"accountjids": [juliet.jid]}))
    assert kind == "info" and "successfully disconnected" in text
    juliet.closed_with()
    wait_until(lambda: "juliet@localhost" not in running.server.bare_sessions)


def test_statistics_of_an_account(running, root, juliet):
    juliet.iq("set", "<query xmlns='jabber:iq:roster'><item jid='romeo@localhost'/></query>")
    shown = values(run(root, ADMIN + "user-stats", {"accountjid": "juliet@localhost"}))
    assert shown["onlineresources"] == ["balcony"] and shown["rostersize"] == ["1"]
    assert shown["ipaddresses"] == ["127.0.0.1"]


def test_online_users_are_listed(root, juliet):
    shown = values(run(root, ADMIN + "get-online-users-list", {"max_items": "25"}))
    assert set(shown["onlineuserjids"]) >= {"juliet@localhost", "root@localhost"}


def test_modules_are_loaded_listed_reloaded_and_unloaded(running, root):
    modules = running.server.modules

    def do(name, **fields):
        return note(run(root, MODULES + name, fields, MODULES + name))

    assert do("load", module="version")[0] == "info"
    before = modules.get_module("localhost", "version")
    assert "version" in values(run(root, MODULES + "list"))["modules"]
    assert do("reload", modules=["version"])[0] == "info"
    assert modules.get_module("localhost", "version") not in (None, before)
    kind, text = do("unload", modules=["version"])
    assert kind == "info" and "version" in text
    assert modules.get_module("localhost", "version") is None
    assert do("global-load", module="version")[0] == "info"
    assert modules.is_loaded("second.example", "version")
    assert do("global-unload", module="version")[0] == "info"
    assert not modules.is_loaded("second.example", "version")


def test_a_host_is_taken_out_of_service_and_back(running, root):
    def do(name):
        return run(root, HOSTS + name, {"host": "second.example"}, HOSTS + "activate")

    assert note(do("deactivate"))[0] == "info" and "second.example" not in running.server.hosts
    assert note(do("activate"))[0] == "info" and "second.example" in running.server.hosts


def test_a_command_is_cancelled(root):
    first = step(root, ADMIN + "add-user").tags[0]
    last = step(root, ADMIN + "add-user", "cancel", first.attr["sessionid"]).tags[0]
    assert last.attr["status"] == "canceled"


# -- what is ours alone --------------------------------------------------------------------

OURS = pytest.mark.ours_alone("Prosody's has it not, or answers with a note")


@OURS
@pytest.mark.parametrize(("node", "fields", "condition"), [
    ("add-user", {"accountjid": "root@localhost", "password": "x"}, "conflict"),
    ("add-user", {"accountjid": "x@second.example", "password": "x"}, "not-allowed"),
    ("add-user", {"accountjid": "x@localhost", "password": "x", "password-verify": "y"},
     "bad-request"),
    ("add-user", {"accountjid": "not @ a jid", "password": "x"}, "bad-request"),
    ("add-user", {"accountjid": "x@localhost"}, "bad-request"),
    ("delete-user", {"accountjids": ["nobody@localhost"]}, "item-not-found"),
    ("change-user-password", {"accountjid": "nobody@localhost", "password": "x"},
     "item-not-found"),
    ("get-user-roster", {"accountjids": ["nobody@localhost"]}, "item-not-found"),
    ("shutdown", {"delay": "-3"}, "bad-request"),
    ("shutdown", {"delay": "soon"}, "bad-request"),
])
def test_errors_are_those_of_section_5(root, node, fields, condition):
    first = step(root, ADMIN + node).tags[0]
    answer = step(root, ADMIN + node, "complete", first.attr["sessionid"], fields)
    assert answer.get_error()[1] == condition
    extra = answer.get_error()[3]
    assert (extra is not None and extra.name == "bad-payload") == (condition == "bad-request")


@OURS
def test_an_account_is_disabled_and_enabled(running, root, juliet):
    run(root, ADMIN + "disable-user", {"accountjids": ["juliet@localhost"]})
    assert juliet.closed_with() == "not-authorized"
    shown = values(run(root, ADMIN + "get-disabled-users-list", {"max_items": "none"}))
    assert shown["disableduserjids"] == ["juliet@localhost"]
    assert values(run(root, ADMIN + "get-disabled-users-num"))["disabledusersnum"] == ["1"]
    run(root, ADMIN + "reenable-user", {"accountjids": ["juliet@localhost"]})
    assert running.client("juliet").jid


@OURS
@pytest.mark.parametrize(("node", "name", "number"), [
    ("get-registered-users-num", "registeredusersnum", 2), ("get-idle-users-num",
                                                           "idleusersnum", 0),
    ("get-online-users-num", "onlineusersnum", 2), ("get-active-users-num", "activeusersnum", 2),
])
def test_users_are_counted(root, juliet, node, name, number):
    (count,) = values(run(root, ADMIN + node))[name]
    assert int(count) == number or (number and int(count) >= number)


@OURS
def test_a_list_is_cut_where_it_is_wanted(running, root):
    for number in range(30):
        running.user(f"user{number}", host="localhost")
    last = run(root, ADMIN + "get-registered-users-list", {"max_items": "25"})
    assert len(values(last)["registereduserjids"]) == 25 and note(last)[0] == "warn"
    last = run(root, ADMIN + "get-registered-users-list", {"max_items": "none"})
    assert len(values(last)["registereduserjids"]) > 30


@OURS
def test_a_roster_is_shown_as_the_xep_shows_it(running, root, juliet):
    juliet.iq("set", "<query xmlns='jabber:iq:roster'><item jid='romeo@localhost' name='R'>"
              "<group>Friends</group></item></query>")
    last = run(root, ADMIN + "get-user-roster", {"accountjids": ["juliet@localhost"]})
    form = last.get_child("x", "jabber:x:data")
    item = form.get_child("query", "jabber:iq:roster").get_child("item")
    assert (item.attr["jid"], item.attr["name"]) == ("romeo@localhost", "R")
    assert item.get_child_text("group") == "Friends"
    assert values(last)["accountjids"] == ["juliet@localhost"]


@OURS
def test_commands_come_and_go_with_the_modules_that_do_the_work(running, root, juliet):
    modules = running.server.modules
    assert ADMIN + "set-motd" not in listed(root)
    assert step(root, ADMIN + "set-motd").get_error()[1] == "item-not-found"
    modules.load("localhost", "motd")
    modules.reload("localhost", "motd")
    run(root, ADMIN + "set-motd", {"motd": ["To be,", "or not"]})
    first = step(root, ADMIN + "edit-motd").tags[0]
    assert values(first)["motd"] == ["To be,", "or not"]
    juliet.available()
    assert juliet.message().get_child_text("body") == "To be,\nor not"
    modules.reload("localhost", "motd")
    assert values(step(root, ADMIN + "edit-motd").tags[0])["motd"] == ["To be,", "or not"]
    assert run(root, ADMIN + "delete-motd").attr["status"] == "completed"
    modules.unload("localhost", "motd")
    assert ADMIN + "set-motd" not in listed(root)


@OURS
def test_welcome_announcement_and_activity(running, root, juliet):
    for name in ("welcome", "announce", "account_activity"):
        running.server.modules.load("localhost", name)
    run(root, ADMIN + "set-welcome", {"welcome": ["Hi $username"]})
    assert values(step(root, ADMIN + "set-welcome").tags[0])["welcome"] == ["Hi $username"]
    assert run(root, ADMIN + "delete-welcome").attr["status"] == "completed"
    juliet.available()
    kind, text = note(run(root, ADMIN + "announce", {"subject": "Night",
                                                     "announcement": ["Good", "night"]}))
    assert kind == "info" and text.endswith("online users")
    message = juliet.message()
    assert message.attr["type"] == "headline" and message.get_child_text("subject") == "Night"
    assert message.get_child_text("body") == "Good\nnight"
    running.client("paris")
    wait_until(lambda: running.server.storage.open(
        "localhost", "account_activity", "keyval").get("paris"))
    shown = values(run(root, ADMIN + "get-user-lastlogin", {"accountjids": ["paris@localhost"]}))
    assert shown["lastlogin"][0].endswith("Z")
    for name in ("welcome", "announce", "account_activity"):
        running.server.modules.unload("localhost", name)


@OURS
def test_administrators_are_made_and_unmade(running, root, juliet):
    first = step(root, ADMIN + "edit-admin").tags[0]
    assert values(first)["adminjids"] == ["root@localhost"]
    run(root, ADMIN + "edit-admin", {"adminjids": ["root@localhost", "juliet@localhost"]})
    juliet.closed_with()
    again = running.client("juliet")
    assert ADMIN + "add-user" in listed(again) and ADMIN + "shutdown" not in listed(again)
    assert step(again, ADMIN + "shutdown").get_error()[1] == "forbidden"
    note(run(again, ADMIN + "add-user", {"accountjid": "nurse@localhost", "password": "x"}))
    assert users.user_exists(running.server, "nurse", "localhost")
    run(root, ADMIN + "edit-admin", {"adminjids": ["root@localhost"]})
    assert ADMIN + "add-user" not in listed(running.client("juliet"))


@OURS
def test_an_administrator_of_a_host_acts_on_that_host_alone(running, warden):
    warden = running.client("warden", host="second.example")
    nodes = listed(warden, "second.example")
    assert ADMIN + "add-user" in nodes
    assert not nodes & {ADMIN + "shutdown", MODULES + "load", HOSTS + "deactivate"}
    assert listed(warden, "localhost") == set()
    assert step(warden, ADMIN + "add-user", to="localhost").get_error()[1] == "forbidden"
    first = step(warden, ADMIN + "add-user", to="second.example").tags[0]
    answer = step(warden, ADMIN + "add-user", "complete", first.attr["sessionid"],
                  {"accountjid": "eve@localhost", "password": "x"}, to="second.example")
    assert answer.get_error()[1] == "not-allowed"
    assert not users.user_exists(running.server, "eve", "localhost")


@OURS
def test_a_session_with_a_lesser_role_administers_nothing(running):
    root = running.client("root")
    session = running.server.full_sessions[root.jid]
    assert ADMIN + "shutdown" in listed(root)
    session.role = Role(running.server, "localhost", "prosody:restricted")
    assert listed(root) == set()
    for to in ("localhost", "second.example"):
        for node in (ADMIN + "add-user", ADMIN + "shutdown", "urn:prosody-py:commands#host:list"):
            assert step(root, node, to=to).get_error()[1] == "forbidden"


@OURS
def test_the_service_is_shut_down(start_server, monkeypatch):
    running = start_server(["adhoc", "admin_adhoc"], admins=["root@localhost"])
    ended = []
    running.server.shutdown = lambda reason, code: ended.append((reason, code))
    root = running.client("root").available()
    answer = run(root, ADMIN + "shutdown", {"delay": "0", "announcement": ["Good night"]})
    assert note(answer)[0] == "info"
    wait_until(lambda: ended == [("Good night", 0)])
