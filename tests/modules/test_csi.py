"""XEP-0352: the events that tell whether a client is looked at."""

import pytest

pytestmark = pytest.mark.twins("csi")


@pytest.fixture
def server(start_server):
    return start_server(["csi"])


def test_the_feature_is_announced_after_login(server):
    server.user("alice")
    # Debian's announces it when there is somebody to hear of it.
    server.server.hosts["localhost"].events.add_handler("csi-client-active", lambda event: None)
    server.server.modules.load("localhost", "time")
    client = server.connect()
    assert client.open().get_child("csi", "urn:xmpp:csi:0") is None
    client.authenticate("alice", "secret")
    assert client.open().get_child("csi", "urn:xmpp:csi:0") is not None


def test_changes_of_state_are_events(server):
    seen = []
    events = server.server.hosts["localhost"].events
    for state in ("active", "inactive"):
        events.add_handler("csi-client-" + state, lambda event, state=state: seen.append(
            (event.origin.full_jid, event.origin.extras["state"], state)))
    client = server.client("alice", "a")
    client.send("<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>").flush()
    jid = "alice@localhost/a"
    assert seen == [(jid, "inactive", "inactive"), (jid, "active", "active")]


@pytest.mark.ours_alone("Debian's leaves it to the server, which ends the stream")
def test_before_login_the_element_is_harmless(server):
    client = server.connect()
    client.open()
    client.send("<inactive xmlns='urn:xmpp:csi:0'/>")
    server.user("alice")
    assert client.authenticate("alice", "secret")
