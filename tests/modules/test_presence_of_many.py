"""Presence to and from many contacts: nobody else waits for it, and the client gets all of it."""

import gevent
import pytest
from gevent import socket

from prosody_py.concurrency import turns
from prosody_py.hosts.roster import RosterItem
from prosody_py.hosts.users import create_user
from prosody_py.testing.client import wait_until


@pytest.fixture
def server(start_server):
    return start_server(["offline"], c2s_max_send_buffer="512 KB")


@pytest.mark.parametrize(("subscription", "ask"), [
    ("none", "subscribe"), ("from", None), ("to", None)], ids=["asks", "tells", "probes"])
def test_others_have_their_turn(server, monkeypatch, subscription, ask):
    """A turn is over at once here, so that the others come in between each two contacts."""
    monkeypatch.setattr(turns, "AT_ONCE", 0)
    server.user("romeo")
    juliet, romeo = server.client("juliet"), server.client("romeo")
    roster = server.server.full_sessions[romeo.jid].roster
    for number in range(200):
        create_user(server.server, f"user{number}", None, "localhost")
        roster[f"user{number}@localhost"] = RosterItem(subscription, ask)
    session = server.server.full_sessions[romeo.jid]
    romeo.send("<presence/>")
    wait_until(lambda: session.in_hand is not None)
    for _ in range(3):
        juliet.flush()
        assert session.in_hand is not None, "juliet was served meanwhile"
    romeo.flush()


def test_a_session_that_ends_meanwhile_is_not_told_to_the_rest(server, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 0)
    people = [server.client(f"user{number}").available() for number in range(5)]
    romeo = server.client("romeo")
    session = server.server.full_sessions[romeo.jid]
    for person in people:
        session.roster[person.bare_jid] = RosterItem("from")
    romeo.send("<presence/>")
    people[0].presence()
    session.close("conflict")
    wait_until(lambda: session.in_hand is None)
    for person in people:
        told = [element.attr.get("type") for element in person.flush()]
        assert told in ([], ["unavailable"], [None, "unavailable"])


def test_much_presence_at_once_arrives_whole(server):
    """More than the connection may queue: a contact has many resources that say a lot."""
    juliet = [server.client("juliet", f"r{number}").available(f"<status>{'x' * 200_000}</status>")
              for number in range(6)]
    romeo = server.client("romeo")
    session = server.server.full_sessions[romeo.jid]
    session.conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    session.roster["juliet@localhost"] = RosterItem("both")
    server.server.full_sessions[juliet[0].jid].roster["romeo@localhost"] = RosterItem("both")
    romeo.send("<presence/>")
    gevent.sleep(0.02)  # begins to read a little later
    came = {romeo.presence().attr["from"] for _ in range(7)}
    assert came == {romeo.jid, *(client.jid for client in juliet)}
