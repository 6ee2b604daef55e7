"""Modules that exist twice: those of Debian behave as those that come with this server."""

from __future__ import annotations

import platform
from datetime import UTC, datetime, timedelta

import pytest

from prosody_py.events.bus import Event

DISCO_INFO = "http://jabber.org/protocol/disco#info"
PING = "<ping xmlns='urn:xmpp:ping'/>"
VERSION = "<query xmlns='jabber:iq:version'/>"


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


def features(client):
    query = client.iq("get", f"<query xmlns='{DISCO_INFO}'/>", "localhost").tags[0]
    return {tag.attr.get("var") for tag in query.tags if tag.name == "feature"}


# -- ping, uptime, time, version -----------------------------------------------------------


@pytest.mark.parametrize("to", [None, "localhost", "juliet@localhost"])
def test_ping_gets_an_empty_result(start_each, to):
    client = start_each("ping").client("juliet")
    answer = client.iq("get", PING, to)
    assert answer.attr["type"] == "result" and answer.tags == []
    assert "urn:xmpp:ping" in features(client)


def test_uptime_tells_the_seconds_since_the_start(start_each):
    client = start_each("uptime", needs=["adhoc"]).client("juliet")
    query = client.iq("get", "<query xmlns='jabber:iq:last'/>", "localhost").tags[0]
    assert query.name == "query" and 0 <= int(query.attr["seconds"]) < 30
    assert "jabber:iq:last" in features(client)


@pytest.mark.parametrize("to", ["localhost", None])
@pytest.mark.parametrize(("request_", "pattern"), [
    ("<time xmlns='urn:xmpp:time'/>", "%Y-%m-%dT%H:%M:%SZ"),
    ("<query xmlns='jabber:iq:time'/>", "%Y%m%dT%H:%M:%S")])
def test_time_is_told_in_utc(start_each, to, request_, pattern):
    answer = start_each("time").client("juliet").iq("get", request_, to).tags[0]
    told = datetime.strptime(answer.get_child_text("utc"), pattern).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=10)
    assert answer.get_child_text("tzo") == ("+00:00" if answer.name == "time" else None)


def test_version_tells_name_version_and_system(start_each):
    running = start_each("version")
    query = running.client("juliet").iq("get", VERSION, "localhost").tags[0]
    told = {tag.name: tag.get_text() for tag in query.tags}
    assert told.pop("name").lower().startswith("prosody")
    assert told == {"version": running.server.version, "os": platform.system()}


def test_version_hides_the_system_on_wish(start_each):
    running = start_each("version", hide_os_type=True)
    query = running.client("juliet").iq("get", VERSION, "localhost").tags[0]
    assert [tag.name for tag in query.tags] == ["name", "version"]
    answer = running.client("romeo").iq("get", VERSION, "juliet@localhost")
    assert answer.get_error()[1] == "service-unavailable"


# -- motd, welcome, announce ---------------------------------------------------------------


def test_motd_is_sent_once_to_who_becomes_available(start_each):
    client = start_each("motd", motd_text="\n    Hello\n      there\n    ",
                        motd_jid="news@localhost").client("juliet")
    assert messages(client) == []
    client.send("<presence/>")
    (message,) = messages(client)
    assert (message.attr["from"], message.attr["to"]) == ("news@localhost", client.jid)
    assert message.get_child_text("body").startswith("Hello\n")
    client.send("<presence><show>away</show></presence>")
    assert messages(client) == []


@pytest.mark.parametrize(("options", "text"), [
    ({}, "Hello juliet, welcome to the localhost IM server!"),
    ({"welcome_message": "$host has $username"}, "localhost has juliet")])
def test_welcome_is_sent_to_a_new_account(start_each, options, text):
    running = start_each("welcome", **options)
    client = running.client("juliet").available()
    running.server.hosts["localhost"].events.fire_event(
        "user-registered", Event(username="juliet", host="localhost", source="test"))
    message = client.message()
    assert message.attr["from"] == "localhost" and message.get_child_text("body") == text


def test_announcement_of_an_administrator_goes_to_everybody_connected(start_each):
    running = start_each("announce", needs=["adhoc"], admins=["root@localhost"])
    root = running.client("root").available()
    others = [running.client(name).available() for name in ("juliet", "romeo")]
    announce = "<message to='localhost/announce/online'><body>Good night</body></message>"
    root.send(announce).flush()
    for client in others:
        assert [(message.attr["from"], message.get_child_text("body"))
                for message in messages(client)] == [("localhost", "Good night")]
    others[0].send(announce)
    (answer,) = messages(others[0])
    assert answer.attr["type"] == "error" and messages(others[1]) == []


def test_modules_of_debian_can_be_reloaded_while_clients_stay(start_debian):
    running = start_debian("version", "ping")
    client = running.client("juliet")
    modules = running.server.modules
    before = modules.get_module("localhost", "version")
    modules.reload("localhost", "version")
    assert modules.get_module("localhost", "version") is not before
    assert client.iq("get", VERSION, "localhost").attr["type"] == "result"
    modules.unload("localhost", "version")
    assert client.iq("get", VERSION, "localhost").get_error()[1] == "service-unavailable"
