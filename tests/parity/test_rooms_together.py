"""Our rooms among all that Debian's packages have for rooms and for clients: nothing goes wrong."""

from __future__ import annotations

import logging

import pytest

from prosody_py.testing.rooms import HOST, Party, error, item

ROOMS = ["muc_mam", "muc_moderation", "muc_restrict_media", "vcard_muc", "muc_log", "pastebin"]
CLIENTS = ["carbons", "mam", "smacks", "csi_simple", "blocklist", "track_muc_joins"]
CARBONS, FORWARD = "urn:xmpp:carbons:2", "urn:xmpp:forward:0"


@pytest.fixture
def party(start_hosts):
    """Return a room on a server with all of them."""
    running = start_hosts(*ROOMS, *CLIENTS, modules=["disco", "http", *CLIENTS], components={
        HOST: {"module": "muc", "modules_enabled": ROOMS}}, muc_log_all_rooms=True,
        http_ports=[0], https_ports=[])
    assert running.server.modules.get_module(HOST, "muc").code.language == "python"
    return Party(running)


def test_a_conversation_with_everything(party, caplog):
    with caplog.at_level(logging.ERROR):
        juliet = party.guest("juliet", available=True)
        other = party.guest("juliet", resource="other", available=True)
        for guest in (juliet, other):
            assert guest.client.iq("set", f"<enable xmlns='{CARBONS}'/>").attr["type"] == "result"
        juliet.join()
        assert juliet.configure(roomname="All", persistentroom="1").attr["type"] == "result"
        romeo = party.guest("romeo", available=True)
        romeo.join()
        juliet.flush()
        other.flush()
        for number in range(5):
            romeo.say(f"line {number}")
        heard = [juliet.message().get_child_text("body") for _ in range(5)]
        assert heard == [f"line {number}" for number in range(5)]
        juliet.admin("set", nick="Romeo", role="moderator")
        assert item(romeo.presence_of("Romeo"))["role"] == "moderator"
        romeo.whisper("Juliet", "psst")
        assert juliet.message().get_child_text("body") == "psst"
        romeo.leave()
        assert error(romeo.say().message())[1] == "not-acceptable"
        lines = [one.get_child_text("body") for one in romeo.join() if one.name == "message"]
        assert lines[:5] == [f"line {number}" for number in range(5)]
        juliet.iq("set", "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>")
        assert romeo.presence_of("Romeo").attr["type"] == "unavailable"
        # What was said in the room was for the session in it alone.
        assert all(one.name != "message" or one.get_child("received", CARBONS) is None
                   or one.get_child("received", CARBONS).get_child("forwarded", FORWARD)
                   .get_child("message").attr.get("type") != "groupchat"
                   for one in other.client.flush())
    assert [record.getMessage() for record in caplog.records
            if record.levelno >= logging.ERROR] == []
