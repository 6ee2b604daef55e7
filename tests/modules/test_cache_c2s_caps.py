"""mod_cache_c2s_caps: what clients can do."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.xmpp import caps
from prosody_py.xmpp.stanza import Stanza

DISCO = "http://jabber.org/protocol/disco#info"
NODE = "https://client.example"
INFO = ("<identity category='client' type='pc' name='Test'/>"
        "<feature var='urn:xmpp:ping'/><feature var='urn:xmpp:time'/>")
_QUERY = Stanza("query", {"xmlns": DISCO})
_QUERY.tag("identity", category="client", type="pc", name="Test").up()
_QUERY.tag("feature", var="urn:xmpp:ping").up().tag("feature", var="urn:xmpp:time").up()
VER = caps.verification_string(_QUERY)


@pytest.fixture
def juliet(start_server):
    running = start_server(["presence", "cache_c2s_caps"])
    client = running.client("juliet")
    client.changes = []
    client.session = running.server.full_sessions[client.jid]
    running.server.hosts["localhost"].events.add_handler(
        "c2s-capabilities-changed", lambda event: client.changes.append(event.origin))
    return client


def announce(client, ver=VER, hash="sha-1"):
    client.send(f"<presence><c xmlns='{caps.XMLNS}' node='{NODE}' ver='{ver}' hash='{hash}'/>"
                "</presence>")


def asked(client):
    return client.receive_until(lambda element: element.attr.get("type") == "get")


def answer(client, request, info=INFO):
    node = request.tags[0].attr["node"]
    client.send(f"<iq type='result' to='localhost' id='{request.attr['id']}'>"
                f"<query xmlns='{DISCO}' node='{node}'>{info}</query></iq>").flush()


def test_a_client_is_asked_once(juliet):
    announce(juliet)
    request = asked(juliet)
    assert request.tags[0].attr == {"xmlns": DISCO, "node": f"{NODE}#{VER}"}
    answer(juliet, request)
    wait_until(lambda: juliet.changes == [juliet.session])
    kept = juliet.session.extras["caps_cache"]
    assert kept.attr["node"] == f"{NODE}#{VER}"
    assert [tag.attr["var"] for tag in kept.childtags("feature")] == [
        "urn:xmpp:ping", "urn:xmpp:time"]
    announce(juliet)
    assert [element.name for element in juliet.flush() if element.name == "iq"] == []


def test_what_is_not_as_promised_is_not_kept(juliet):
    announce(juliet)
    answer(juliet, asked(juliet), INFO + "<feature var='urn:xmpp:more'/>")
    assert "caps_cache" not in juliet.session.extras and juliet.changes == []


def test_a_client_that_says_nothing_more_is_forgotten(juliet):
    announce(juliet)
    answer(juliet, asked(juliet))
    wait_until(lambda: juliet.changes)
    juliet.send("<presence/>").flush()
    assert "caps_cache" not in juliet.session.extras and len(juliet.changes) == 2


@pytest.mark.parametrize(("ver", "hash"), [(VER, "md5"), ("x" * 1000, "sha-1"), ("", "sha-1")])
def test_other_announcements_are_not_followed(juliet, ver, hash):
    announce(juliet, ver, hash)
    assert [element for element in juliet.flush() if element.name == "iq"] == []


def test_who_announces_a_lot_keeps_nobody_else_from_being_asked(start_server):
    running = start_server(["presence", "cache_c2s_caps"])
    mallory, juliet = running.client("mallory"), running.client("juliet")
    for number in range(400):
        announce(mallory, f"ver-{number}")
    mallory.flush()
    announce(juliet)
    answer(juliet, asked(juliet))
    wait_until(lambda: "caps_cache" in running.server.full_sessions[juliet.jid].extras)
