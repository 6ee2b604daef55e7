"""Debian's modules with our stream management: what they call, hook and read of it."""

from __future__ import annotations

import base64

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.managed import SM, Managed, bodies, handled, say
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamOpen

SASL2, BIND2, PUSH = "urn:xmpp:sasl:2", "urn:xmpp:bind:0", "urn:xmpp:push:0"


def authenticate(running, inside, username="juliet"):
    """Log in by SASL2 with something inlined; return the client and the <success/>."""
    client = running.connect()
    client.send("<?xml version='1.0'?><stream:stream to='localhost' version='1.0' "
                f"xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'>")
    assert isinstance(client.receive(), StreamOpen)
    client.features = client.receive()
    initial = base64.b64encode(f"\0{username}\0secret".encode()).decode()
    client.send(f"<authenticate xmlns='{SASL2}' mechanism='PLAIN'><initial-response>{initial}"
                f"</initial-response>{inside}</authenticate>")
    success = client.receive()
    assert success.name == "success", str(success)
    return client, success


def bind(inside=""):
    return f"<bind xmlns='{BIND2}'><tag>Phone</tag>{inside}</bind>"


@pytest.fixture
def sasl2(start_debian):
    running = start_debian("sasl2", "sasl2_bind2", "sasl2_sm", modules=["smacks"],
                           allow_unencrypted_plain_auth=True)
    running.user("juliet")
    return running


def test_a_session_is_managed_from_its_login_on(sasl2):
    client, success = authenticate(sasl2, bind(f"<enable xmlns='{SM}' resume='true'/>"))
    enabled = success.get_child("bound", BIND2).get_child("enabled", SM)
    assert enabled.attr["id"] and enabled.attr["max"] == "600"
    client.jid = success.get_child_text("authorization-identifier")
    romeo = sasl2.client("romeo").available()
    say(romeo, client.jid, "one")
    assert bodies([client.message()]) == ["one"] and client.receive().name == "r"
    client.send("<message to='romeo@localhost'/>")
    assert handled(client) == 1


def test_a_session_goes_on_with_the_login(sasl2):
    juliet, romeo = Managed(sasl2), sasl2.client("romeo").available()
    session = juliet.cut()
    say(romeo, juliet.jid, "one")
    client, success = authenticate(
        sasl2, f"<resume xmlns='{SM}' h='0' previd='{juliet.token}'/>" + bind())
    assert success.get_child("resumed", SM).attr == {
        "xmlns": SM, "previd": juliet.token, "h": "0"}
    assert success.get_child("bound", BIND2) is None
    assert bodies([client.message()]) == ["one"]
    say(client, romeo.jid, "two")
    assert romeo.message().attr["from"] == juliet.jid and juliet.session is session


def test_a_session_that_is_over_is_bound_anew_with_the_login(sasl2):
    client, success = authenticate(
        sasl2, f"<resume xmlns='{SM}' h='0' previd='unknown'/>" + bind())
    failed = success.get_child("failed", SM)
    assert failed.get_error()[1] == "item-not-found"
    assert success.get_child("bound", BIND2) is not None
    assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_push_modules_of_debian_notice_who_waits(start_debian):
    running = start_debian("cloud_notify", modules=["smacks"], push_max_hibernation_timeout=7200)
    service, romeo = (running.client(name).available() for name in ("service", "romeo"))
    juliet = Managed(running)
    juliet.client.iq("set", f"<enable xmlns='{PUSH}' jid='{service.jid}' node='n'/>")
    session = juliet.cut()
    say(romeo, juliet.jid, "one")
    request = service.receive_until(lambda element: element.name == "iq")
    assert request.tags[0].get_child("publish").attr["node"] == "n"
    service.send(f"<iq type='result' id='{request.attr['id']}' to='localhost'/>")
    wait_until(lambda: session.extras["hibernating_watchdog"].left is None)  # it is one in Lua
    assert juliet.come_back(1).name == "resumed"  # with the answer to <enable/>
    assert bodies(juliet.client.flush()) == ["one"]
    assert session.extras.get("hibernating_watchdog") is None


READER = """
    local st = require "util.stanza";
    module:hook("iq-get/host/urn:test:smacks:look", function (event)
        local session = prosody.full_sessions[event.stanza.tags[1].attr.jid];
        local queue = session.outgoing_stanza_queue;
        event.origin.send(st.reply(event.stanza):tag("look", {
            xmlns = "urn:test:smacks", smacks = session.smacks,
            token = session.resumption_token, waiting = tostring(session.hibernating ~= nil),
            handled = ("%d"):format(session.handled_stanza_count),
            unacked = ("%d"):format(queue:count_unacked()),
            acked = ("%d"):format(queue:count_acked()),
            resumable = tostring(queue:resumable()),
            first = queue:table()[1] and queue:table()[1].name,
            known = tostring(module:shared("/*/smacks/resumption-tokens")[
                "juliet@localhost/" .. session.resumption_token] == session) }));
        return true;
    end);
    module:hook("delivery/success", function (event)
        prosody.events.fire_event("test-success", event.session.full_jid .. event.stanza.name);
    end);
"""


def test_modules_in_lua_read_what_a_session_has(start_server, tmp_path, guarded):
    (tmp_path / "mod_reader.lua").write_text(READER)
    running = start_server(["smacks", "reader"], plugin_paths=[str(tmp_path)])
    juliet, romeo = Managed(running), running.client("romeo").available()

    def look():
        return romeo.iq("get", f"<look xmlns='urn:test:smacks' jid='{juliet.jid}'/>",
                        to="localhost").tags[0].attr

    assert look() == {"xmlns": "urn:test:smacks", "smacks": SM, "token": juliet.token,
                      "waiting": "false", "handled": "0", "unacked": "0", "acked": "0",
                      "resumable": "true", "known": "true"}
    say(romeo, juliet.jid, "one")
    told = []
    running.server.events.add_handler("test-success", told.append)
    juliet.client.send(f"<a xmlns='{SM}' h='1'/>").flush()
    juliet.cut()
    say(romeo, juliet.jid, "two")
    found = look()
    assert (found["unacked"], found["acked"], found["handled"], found["waiting"]) == (
        "2", "1", "1", "true")
    assert found["first"] == "iq" and told == [juliet.jid + "message"]
