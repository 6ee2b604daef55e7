"""XEP-0386: a resource is bound with the login."""

from __future__ import annotations

import pytest

from prosody_py.api import StanzaError
from prosody_py.testing.client import wait_until
from prosody_py.testing.sasl2 import AGENT, BIND, bind, connect
from prosody_py.xmpp import ns

OTHER_AGENT = "0aa1d2bb-4f64-4e93-9e2d-0e1b3c1c0a11"
CSI = "urn:xmpp:csi:0"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["sasl2_bind2", "csi"])
    running.user("juliet")
    yield running
    running.stop()


@pytest.fixture
def client(server):
    return connect(server)


def bound(client, inside="", tag="Phone", username="juliet"):
    """Log in and bind; return what is told of the binding."""
    answer = client.plain(username, bind(inside, tag))
    client.succeeded(answer)
    result = answer.get_child("bound", BIND)
    if result is not None:
        assert client.receive().name == "features"
    return result


def session_of(server, client):
    return server.server.full_sessions[client.jid]


def test_it_is_offered_with_what_can_be_enabled(client):
    inline = client.inline["bind"].get_child("inline", BIND)
    assert client.inline["bind"].attr["xmlns"] == BIND
    assert [tag.attr["var"] for tag in inline.tags] == [CSI]  # carbons are not loaded


def test_the_client_gets_a_full_address_and_no_further_binding(client):
    answer = client.plain("juliet", bind())
    client.succeeded(answer)
    assert client.jid.startswith("juliet@localhost/Phone/")
    assert answer.get_child("bound", BIND) is not None
    features = client.receive()
    assert features.name == "features" and features.get_child("bind", ns.BIND) is None
    client.available()
    assert client.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_without_a_tag_the_resource_is_the_servers(client):
    bound(client, tag=None)
    assert "/" not in client.jid.partition("/")[2] and AGENT[:8] not in client.jid


def test_the_resource_stays_that_of_client_and_tag_and_tells_no_id(server):
    jids = {}
    for agent in (AGENT, OTHER_AGENT):
        for tag in ("Phone", "Pad"):
            for _ in range(2):
                client = connect(server, agent=agent)
                bound(client, tag=tag)
                jids.setdefault((agent, tag), set()).add(client.jid)
    assert all(len(found) == 1 for found in jids.values())
    assert len(set.union(*jids.values())) == 4
    assert not any(agent in jid for (agent, _tag), found in jids.items() for jid in found)


def test_without_an_id_each_login_has_a_resource_of_its_own(server):
    first, second = connect(server, agent=None), connect(server, agent=None)
    bound(first), bound(second)
    assert first.jid != second.jid and first.iq("get", "<ping xmlns='urn:xmpp:ping'/>")


@pytest.mark.parametrize("tag", ["Phone", "Pad"])
def test_the_earlier_session_of_the_client_ends(server, tag):
    first, other = connect(server), connect(server, agent=OTHER_AGENT)
    bound(first), bound(other)
    bound(connect(server), tag=tag)
    assert first.closed_with() == "conflict"
    assert other.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_the_earlier_session_ends_also_where_conflicts_are_refused(start_server):
    running = start_server(["sasl2_bind2"], conflict_resolve="kick_new")
    running.user("juliet")
    first, second = connect(running), connect(running)
    bound(first)
    assert bound(second) is not None and second.jid == first.jid
    assert first.closed_with() == "conflict"


def test_nothing_is_bound_by_a_login_that_fails(server, client):
    answer = client.plain("juliet", bind(), password="wrong")
    assert answer.name == "failure" and answer.get_child("bound", BIND) is None
    client.succeeded(client.plain("juliet"))  # and the request is forgotten
    assert client.jid == "juliet@localhost"
    assert client.receive().get_child("bind", ns.BIND) is not None


def test_a_binding_that_is_refused_can_be_tried_anew(server, client):
    def refuse(event):
        event.error = StanzaError("not-allowed", "Not now")
        return False

    events = server.server.hosts["localhost"].events
    events.add_handler("pre-resource-bind", refuse)
    try:
        assert bound(client) is None and client.jid == "juliet@localhost"
    finally:
        events.remove_handler("pre-resource-bind", refuse)
    assert client.receive().get_child("bind", ns.BIND) is not None
    assert client.bind("balcony").jid == "juliet@localhost/balcony"


@pytest.mark.parametrize("tag", ["\u0378", "x" * 1000, "  "])
def test_a_strange_tag_does_no_harm(server, client, tag):
    if bound(client, tag=tag) is None:  # not to be had as a resource: bind as of old
        assert client.jid == "juliet@localhost"
    else:
        assert len(client.jid) < 400


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_a_session_begins_in_the_state_of_its_client(server, client, state):
    seen = []
    events = server.server.hosts["localhost"].events

    def note(event):
        seen.append(event.origin.full_jid)

    events.add_handler(f"csi-client-{state}", note)
    try:
        bound(client, f"<{state} xmlns='{CSI}'/>")
    finally:
        events.remove_handler(f"csi-client-{state}", note)
    assert seen == [client.jid] and session_of(server, client).extras["state"] == state


def test_the_session_has_a_roster_and_gets_messages(server, client):
    bound(client)
    assert session_of(server, client).roster is not None
    romeo = server.client("romeo")
    romeo.send(f"<message to='{client.jid}'><body>hello</body></message>")
    assert client.message().get_child_text("body") == "hello"


def test_many_resources_are_refused_as_ever(start_server):
    running = start_server(["sasl2_bind2"])
    running.user("juliet")
    clients = [connect(running, agent=None) for _ in range(65)]
    results = [bound(client) for client in clients]
    assert sum(result is None for result in results) == 1
    wait_until(lambda: len(running.server.full_sessions) == 64)


# -- the archive ---------------------------------------------------------------------------


@pytest.fixture
def archiving(start_server):
    running = start_server(["sasl2_bind2", "sasl2_sm", "mam"])
    running.user("juliet")
    return running


def say(sender, to, body, inside=""):
    sender.send(f"<message to='{to}' type='chat'><body>{body}</body>{inside}</message>").flush()


def bodies(client):
    return [element.get_child_text("body") for element in client.flush()
            if element.name == "message"]


def stored(running):
    """Return the texts in the offline store."""
    store = running.server.storage.open("localhost", "offline", "archive")
    return [item[1].get_child_text("body") for item in store.find("juliet")[0]]


def test_the_client_hears_where_the_archive_begins_and_ends(archiving):
    metadata = bound(connect(archiving)).get_child("metadata", "urn:xmpp:mam:2")
    assert metadata.tags == []
    romeo = archiving.client("romeo")
    for body in ("one", "two"):
        say(romeo, "juliet@localhost", body)
    archive = archiving.server.storage.open("localhost", "archive", "archive")
    ids = [item[0] for item in archive.find("juliet")[0]]
    metadata = bound(connect(archiving)).get_child("metadata", "urn:xmpp:mam:2")
    assert [(tag.name, tag.attr["id"]) for tag in metadata.tags] == [
        ("start", ids[0]), ("end", ids[1])]


def test_what_is_in_the_archive_is_not_delivered_beside_it(archiving):
    romeo = archiving.client("romeo")
    say(romeo, "juliet@localhost", "archived")
    say(romeo, "juliet@localhost", "not archived",
        "<no-permanent-store xmlns='urn:xmpp:hints'/>")
    assert stored(archiving) == ["archived", "not archived"]
    client = connect(archiving)
    bound(client)
    assert stored(archiving) == ["not archived"]
    client.send("<presence/>")
    assert bodies(client) == ["not archived"]


def test_what_was_not_acknowledged_is_not_kept_beside_the_archive(archiving):
    client = connect(archiving)
    bound(client, "<enable xmlns='urn:xmpp:sm:3'/>")
    client.send("<presence/>").flush()
    session = session_of(archiving, client)
    say(archiving.client("romeo"), client.jid, "one")
    client.sock.close()
    wait_until(lambda: session.destroyed and session.type == "c2s_destroyed")
    assert stored(archiving) == []
