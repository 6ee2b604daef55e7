"""Modules of Debian's prosody-modules: what each one does for real clients."""

from __future__ import annotations

import logging

import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts.roster import RosterItem, commit, load_roster
from prosody_py.testing.client import wait_until
from prosody_py.xmpp import ns

CHATSTATES = "http://jabber.org/protocol/chatstates"
ACTIVE, INACTIVE = (f"<{state} xmlns='urn:xmpp:csi:0'/>" for state in ("active", "inactive"))


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


def bodies(client):
    return [message.get_child_text("body") for message in messages(client)]


def test_broadcast_sends_a_message_to_everybody_connected(start_debian):
    # On the host of its users the module would take its own messages for new ones.
    running = start_debian("broadcast", host="news.localhost",
                           broadcast_senders=["root@localhost"])
    root, juliet = (running.client(name).available() for name in ("root", "juliet"))
    root.send("<message to='all@news.localhost'><body>Good night</body></message>")
    assert root.message().get_child_text("body") == "Good night"
    (message,) = messages(juliet)
    assert message.attr["from"] == root.jid
    assert message.get_child_text("body") == "Good night"
    juliet.send("<message to='all@news.localhost'><body>Good day</body></message>")
    assert juliet.message().attr["type"] == "error" and bodies(root) == []


def test_strangers_are_blocked_and_contacts_are_not(start_debian):
    running = start_debian("block_strangers")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))
    for to in (juliet.bare_jid, juliet.jid):
        romeo.send(f"<message to='{to}' type='chat'><body>stranger</body></message>")
    answer = romeo.iq("get", "<query xmlns='jabber:iq:version'/>", juliet.jid)
    assert answer.get_error()[1] == "service-unavailable"
    assert bodies(juliet) == []
    roster = load_roster(running.server, "juliet", "localhost")
    with roster.lock:
        commit(running.server, roster, "romeo@localhost", RosterItem("from"))
    romeo.send(f"<message to='{juliet.bare_jid}' type='chat'><body>friend</body></message>"
               ).flush()
    assert bodies(juliet) == ["friend"]


def test_who_got_directed_presence_is_no_stranger(start_debian):
    running = start_debian("block_strangers")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))
    juliet.send(f"<presence to='{romeo.bare_jid}'/>").flush()
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>met</body></message>").flush()
    assert bodies(juliet) == ["met"]


def test_new_account_and_support_are_in_each_others_roster(start_debian):
    running = start_debian("support_contact", support_contact="help@localhost",
                           support_contact_nick="Help", support_contact_group="Guests")
    support = running.client("help").available()
    support.iq("get", f"<query xmlns='{ns.ROSTER}'/>")
    running.user("juliet")
    running.server.hosts["localhost"].events.fire_event(
        "user-registered", Event(username="juliet", host="localhost", source="test"))
    push = support.receive_until(lambda element: element.attr.get("type") == "set")
    (item,) = push.tags[0].tags
    assert item.attr["jid"] == "juliet@localhost" and item.attr["subscription"] == "both"
    assert item.get_child_text("group") == "Guests"
    (item,) = running.client("juliet").iq("get", f"<query xmlns='{ns.ROSTER}'/>").tags[0].tags
    assert (item.attr["jid"], item.attr["name"], item.attr["subscription"]) == (
        "help@localhost", "Help", "both")
    store = running.server.storage.open("localhost", "roster")
    assert store.get("help")["juliet@localhost"]["groups"] == {"Guests": True}


@pytest.mark.parametrize(("mode", "seen"), [
    ("all", ["Failed", "Successful"]), ("failure", ["Failed"]), ("success", ["Successful"])])
def test_logins_are_logged(start_debian, caplog, mode, seen):
    running = start_debian("log_auth", log_auth_ips=mode)
    running.user("juliet")
    client = running.connect()
    client.open()
    with caplog.at_level(logging.INFO):
        client.sasl_auth("PLAIN", b"\0juliet\0wrong")
        assert client.receive().name == "failure"
        running.client("juliet")
    lines = [record.getMessage() for record in caplog.records
             if record.getMessage().endswith("from IP: 127.0.0.1")]
    assert [line.partition(" ")[0] for line in lines] == seen
    assert all("juliet@localhost" in line for line in lines if line.startswith("Successful"))


def test_plain_text_is_refused_where_otr_is_required(start_debian):
    running = start_debian("require_otr")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>plain</body></message>")
    assert romeo.message().get_error()[:2] == ("modify", "policy-violation")
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>?OTR:abc</body></message>").flush()
    assert bodies(juliet) == ["?OTR:abc"]


def test_chat_states_wait_while_nobody_looks(start_debian):
    running = start_debian("filter_chatstates")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))

    def write(body=""):
        romeo.send(f"<message to='{juliet.jid}' type='chat'>{body}"
                   f"<composing xmlns='{CHATSTATES}'/></message>").flush()
        return [[tag.name for tag in message.tags] for message in messages(juliet)]

    assert write() == [["composing"]]
    juliet.send(INACTIVE).flush()
    assert write() == []
    assert write("<body>x</body>") == [["body"]]
    juliet.send(ACTIVE).flush()
    assert write() == [["composing"]]
    assert running.server.full_sessions[juliet.jid].filters is None


def test_last_login_and_logout_are_stored_and_told(start_debian, capfd):
    running = start_debian("lastlog2", lastlog_ip_address=True)
    store = running.server.storage.open("localhost", "lastlog2")
    client = running.client("juliet")
    wait_until(lambda: store.get("juliet"))
    login = store.get("juliet")["login"]
    assert login["ip"] == "127.0.0.1" and login["timestamp"] > 0
    client.close()
    wait_until(lambda: "logout" in store.get("juliet"))
    code = running.server.modules.get_module("localhost", "lastlog2").code
    capfd.readouterr()
    assert code.call("command", ["juliet@localhost"]) == 0
    assert code.call("command", ["nobody@localhost"]) == 1
    assert code.call("command", []) == 1
    flush_lua(running)
    told = capfd.readouterr().out
    assert "Last login: " in told and "Last logout: " in told
    assert "No record found" in told and "Usage: " in told


def flush_lua(running):
    """Write out what Lua's print has buffered."""
    runtime = running.server.lua
    runtime.driver.call(runtime.lua.eval(b"function() io.stdout:flush() end"))


def test_module_that_answers_itself_without_end_is_stopped(start_debian):
    running = start_debian("broadcast", broadcast_senders=["root@localhost"])
    root, juliet = (running.client(name).available() for name in ("root", "juliet"))
    root.send("<message to='juliet@localhost'><body>x</body></message>")
    assert root.receive_until(lambda element: element.attr.get("type") == "error"
                              ).get_error()[1] == "internal-server-error"
    assert juliet.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
