"""Debian's modules that are used by ad-hoc commands (XEP-0050, XEP-0133)."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import wait_until

COMMANDS, ADMIN = "http://jabber.org/protocol/commands", "http://jabber.org/protocol/admin"
DISCO = "http://jabber.org/protocol/disco"


def command(client, node, action="execute", session=None, fields=None, form_type=ADMIN):
    """Send one step of a command; return the answer to it."""
    inside = ""
    if fields is not None:
        inside = ("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
                  f"<value>{form_type}</value></field>" + "".join(
                      f"<field var='{name}'>" + "".join(f"<value>{value}</value>" for value in (
                          [values] if isinstance(values, str) else values)) + "</field>"
                      for name, values in fields.items()) + "</x>")
    sessionid = f" sessionid='{session}'" if session else ""
    return client.iq("set", f"<command xmlns='{COMMANDS}' node='{node}' action='{action}'"
                     f"{sessionid}>{inside}</command>", "localhost")


def run(client, node, fields, form_type=ADMIN):
    """Go through a command that asks once; return its last <command/>."""
    first = command(client, node).get_child("command", COMMANDS)
    assert first.attr["status"] == "executing" and first.get_child("x", "jabber:x:data")
    last = command(client, node, "complete", first.attr["sessionid"], fields,
                   form_type).get_child("command", COMMANDS)
    assert last.attr["status"] == "completed"
    return last


def note(result):
    found = result.get_child("note")
    return found.attr["type"], found.get_text()


def values(result):
    form = result.get_child("x", "jabber:x:data")
    return {field.attr["var"]: [tag.get_text() for tag in field.tags if tag.name == "value"]
            for field in form.tags if field.name == "field"}


def listed(client):
    answer = client.iq("get", f"<query xmlns='{DISCO}#items' node='{COMMANDS}'/>", "localhost")
    return {item.attr["node"] for item in answer.tags[0].tags}


@pytest.fixture
def running(start_debian):
    return start_debian("adhoc", "admin_adhoc", "announce", "adhoc_blacklist", "uptime",
                        admins=["root@localhost"])


def test_commands_are_listed_for_who_may_use_them(running):
    root, juliet = running.client("root"), running.client("juliet")
    for name in ("add-user", "announce", "edit-blacklist"):
        assert f"{ADMIN}#{name}" in listed(root)
    assert listed(juliet) == {"uptime"}
    answer = command(juliet, f"{ADMIN}#add-user")
    assert answer.get_error()[:2] == ("auth", "forbidden")
    info = f"<query xmlns='{DISCO}#info' node='uptime'/>"
    (identity,) = [tag for tag in juliet.iq("get", info, "localhost").tags[0].tags
                   if tag.name == "identity"]
    assert (identity.attr["category"], identity.attr["type"]) == ("automation", "command-node")
    kind, text = note(command(juliet, "uptime").get_child("command", COMMANDS))
    assert kind == "info" and text.startswith("This server has been running for ")


def test_administrators_make_change_and_delete_accounts(running):
    root = running.client("root")
    account = {"accountjid": "juliet@localhost", "password": "first"}
    assert note(run(root, f"{ADMIN}#add-user", {**account, "password-verify": "other"}))[0] == (
        "error")
    good = {**account, "password-verify": "first"}
    assert note(run(root, f"{ADMIN}#add-user", good)) == ("info", "Account successfully created")
    assert note(run(root, f"{ADMIN}#add-user", good)) == ("error", "Account already exists")
    juliet = running.connect().login("juliet", "first")
    assert note(run(root, f"{ADMIN}#change-user-password",
                    {**account, "password": "second"}))[0] == "info"
    second = running.connect().login("juliet", "second")
    kind, text = note(run(root, f"{ADMIN}#delete-user", {"accountjids": [
        "juliet@localhost", "nobody@localhost"]}))
    assert kind == "info" and text.index("juliet@localhost") < text.index("nobody@localhost")
    assert not users.user_exists(running.server, "juliet", "localhost")
    for client in (juliet, second):
        assert client.closed_with() is not None


def test_a_form_that_lacks_something_is_refused(running):
    root = running.client("root")
    kind, text = note(run(root, f"{ADMIN}#change-user-password", {"accountjid": "not @ a jid"}))
    assert kind == "error" and "accountjid" in text and "password" in text


def test_commands_can_be_cancelled(running):
    root = running.client("root")
    first = command(root, f"{ADMIN}#add-user").get_child("command", COMMANDS)
    last = command(root, f"{ADMIN}#add-user", "cancel", first.attr["sessionid"])
    assert last.get_child("command", COMMANDS).attr["status"] == "canceled"


def test_administrators_see_and_end_sessions(running):
    root, juliet = running.client("root"), running.client("juliet", "balcony").available()
    stats = values(run(root, f"{ADMIN}#user-stats", {"accountjid": "juliet@localhost"}))
    assert stats["onlineresources"] == ["balcony"] and stats["rostersize"] == ["0"]
    assert stats["ipaddresses"] == ["127.0.0.1"]
    online = values(run(root, f"{ADMIN}#get-online-users-list", {"max_items": "all",
                                                                 "details": "1"}))
    lines = online["onlineuserjids"]
    assert "juliet@localhost" in lines
    assert " - balcony: available(0), IP: [127.0.0.1]" in lines
    kind, text = note(run(root, f"{ADMIN}#end-user-session", {"accountjids": "juliet@localhost"}))
    assert kind == "info" and "successfully disconnected" in text
    juliet.closed_with()
    wait_until(lambda: "juliet@localhost" not in running.server.bare_sessions)


def test_administrators_read_rosters(running):
    root, juliet = running.client("root"), running.client("juliet")
    juliet.iq("set", "<query xmlns='jabber:iq:roster'><item jid='romeo@localhost' name='R'>"
              "<group>Friends</group></item></query>")
    result = run(root, f"{ADMIN}#get-user-roster", {"accountjid": "juliet@localhost"})
    form = result.get_child("x", "jabber:x:data")
    item = form.get_child("query", "jabber:iq:roster").get_child("item")
    assert (item.attr["jid"], item.attr["name"]) == ("romeo@localhost", "R")
    assert item.get_child_text("group") == "Friends"


def test_administrators_announce_something_to_everybody_connected(running):
    root, juliet = running.client("root"), running.client("juliet").available()
    kind, text = note(run(root, f"{ADMIN}#announce", {"subject": "Night",
                                                      "announcement": ["Good", "night"]}))
    assert kind == "info" and text.endswith("2 online users")
    message = juliet.message()
    assert message.attr["type"] == "headline" and message.get_child_text("subject") == "Night"
    assert message.get_child_text("body") == "Good\nnight"


def test_administrators_load_reload_and_unload_modules(running):
    root = running.client("root")
    modules, prefix = running.server.modules, "http://prosody.im/protocol/modules"
    assert note(run(root, f"{prefix}#load", {"module": "version"}, f"{prefix}#load"))[0] == "info"
    before = modules.get_module("localhost", "version")
    shown = values(command(root, f"{prefix}#list").get_child("command", COMMANDS))
    assert "version" in shown["modules"]
    run(root, f"{prefix}#reload", {"modules": ["version"]}, f"{prefix}#reload")
    assert modules.get_module("localhost", "version") not in (None, before)
    kind, text = note(run(root, f"{prefix}#unload", {"modules": ["version"]}, f"{prefix}#unload"))
    assert kind == "info" and "version" in text
    assert modules.get_module("localhost", "version") is None


def test_servers_on_the_blacklist_are_not_reached(running):
    root, juliet = running.client("root"), running.client("juliet")
    ping = "<ping xmlns='urn:xmpp:ping'/>"
    run(root, f"{ADMIN}#edit-blacklist", {"blacklistjids": ["evil.example"]})
    texts = [juliet.iq("get", ping, host).get_error()[2] for host in ("evil.example", "ok.example")]
    assert "domain" in texts[0] and texts[0] != texts[1]
    first = command(root, f"{ADMIN}#edit-blacklist").get_child("command", COMMANDS)
    assert values(first)["blacklistjids"] == ["evil.example"]
