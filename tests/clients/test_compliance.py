"""XEP-0479, Compliance Suites 2023: what the sample configuration announces to a client.

The parts that come by other ways (HTTP, components, other servers) are not among it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from prosody_py.testing.server import TestServer

SAMPLE = yaml.safe_load((Path(__file__).parents[2] / "prosody.cfg.yaml").read_text())
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
PUBSUB = "http://jabber.org/protocol/pubsub"
BEFORE_LOGIN = {"urn:ietf:params:xml:ns:xmpp-tls", "urn:ietf:params:xml:ns:xmpp-sasl",
                "urn:xmpp:sasl:2"}
BEFORE_BINDING = {"http://jabber.org/protocol/caps",
                  "urn:xmpp:sm:3", "urn:xmpp:csi:0", "urn:ietf:params:xml:ns:xmpp-bind",
                  "urn:xmpp:features:rosterver", "urn:xmpp:features:pre-approval"}
OF_THE_HOST = {
    INFO, ITEMS, "urn:xmpp:ping", "urn:xmpp:carbons:2", "urn:xmpp:blocking", "vcard-temp",
    "jabber:iq:private", "jabber:iq:register", "msgoffline",
    "http://jabber.org/protocol/commands",
}
OF_AN_ACCOUNT = {
    "urn:xmpp:mam:2", "urn:xmpp:mam:2#extended", "urn:xmpp:sid:0",
    "urn:xmpp:push:0", "urn:xmpp:bookmarks:1#compat", "urn:xmpp:pep-vcard-conversion:0",
    f"{PUBSUB}#publish-options", f"{PUBSUB}#persistent-items", f"{PUBSUB}#access-whitelist",
    f"{PUBSUB}#filtered-notifications", f"{PUBSUB}#auto-create", f"{PUBSUB}#access-presence",
}
OF_THE_ROOMS = {"http://jabber.org/protocol/muc", "urn:xmpp:occupant-id:0",
                "http://jabber.org/protocol/muc#self-ping-optimization", INFO, ITEMS}
OF_A_ROOM = {"http://jabber.org/protocol/muc", "urn:xmpp:mam:2", "urn:xmpp:sid:0",
             "urn:xmpp:message-moderate:1", "http://jabber.org/protocol/muc#stable_id"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    names = ("modules_enabled", "hosts", "components", "authentication", "allow_registration")
    server = TestServer(tmp_path_factory.mktemp("server"), c2s_require_encryption=False,
                        **{name: SAMPLE[name] for name in names})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def juliet(running):
    return running.client("juliet").available()


def disco(client, to, kind=INFO):
    answer = client.iq("get", f"<query xmlns='{kind}'/>", to)
    assert answer.attr["type"] == "result", str(answer)
    return answer.get_child("query", kind)


def features(query):
    return {child.attr["var"] for child in query.childtags("feature")}


def identities(query):
    return {(child.attr["category"], child.attr["type"]) for child in query.childtags("identity")}


def offered(stream_features):
    return {child.attr.get("xmlns") for child in stream_features.tags}


def test_the_stream_offers_it_in_time(running):
    running.user("romeo")
    client = running.connect()
    before = offered(client.open())
    assert BEFORE_LOGIN - before - {"urn:xmpp:sasl:2"} == set()
    client.starttls()
    assert "urn:xmpp:sasl:2" in offered(client.open())
    client.authenticate("romeo", "secret")
    assert BEFORE_BINDING - offered(client.open()) == set()


@pytest.mark.parametrize("to, kinds, wanted", [
    ("localhost", {("server", "im")}, OF_THE_HOST),
    ("juliet@localhost", {("account", "registered"), ("pubsub", "pep")}, OF_AN_ACCOUNT),
    ("rooms.localhost", {("conference", "text")}, OF_THE_ROOMS),
])
def test_it_is_announced(juliet, to, kinds, wanted):
    query = disco(juliet, to)
    assert kinds - identities(query) == set()
    assert wanted - features(query) == set()


def test_rooms_are_found_and_have_an_archive(juliet):
    items = {child.attr["jid"] for child in disco(juliet, "localhost", ITEMS).childtags("item")}
    assert "rooms.localhost" in items
    juliet.send("<presence to='hall@rooms.localhost/j'>"
                "<x xmlns='http://jabber.org/protocol/muc'/></presence>")
    juliet.receive_until(lambda one: one.name == "message")  # the subject
    juliet.iq("set", "<query xmlns='http://jabber.org/protocol/muc#owner'>"
                     "<x xmlns='jabber:x:data' type='submit'/></query>", "hall@rooms.localhost")
    assert OF_A_ROOM - features(disco(juliet, "hall@rooms.localhost")) == set()
