"""Debian's modules that look into clients' sessions: limits, throttles, silence for sleepers."""

from __future__ import annotations

from time import monotonic

import pytest

from prosody_py.hosts.roster import RosterItem, commit, load_roster
from prosody_py.lua.runtime import KINDS

ACTIVE, INACTIVE = (f"<{state} xmlns='urn:xmpp:csi:0'/>" for state in ("active", "inactive"))
PING = "<ping xmlns='urn:xmpp:ping'/>"


def befriend(running, one, two):
    """Let two accounts see each other's presence."""
    for account, contact in ((one, two), (two, one)):
        running.user(account)
        roster = load_roster(running.server, account, "localhost")
        with roster.lock:
            commit(running.server, roster, f"{contact}@localhost", RosterItem("both"))


def names(elements):
    return [element.name for element in elements]


def test_too_many_connections_of_an_address_are_closed(start_debian):
    running = start_debian("c2s_conn_throttle", cthrottler_logins_count=3, cthrottler_time=60)
    running.user("juliet")
    for _ in range(3):
        assert running.connect().open().name == "features"
    client = running.connect()
    client.send("<stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
                "xmlns:stream='http://etherx.jabber.org/streams'>")
    assert client.closed_with() == "policy-violation"


def test_presence_waits_while_nobody_looks(start_debian):
    running = start_debian("throttle_presence")
    befriend(running, "juliet", "romeo")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))
    juliet.flush()
    juliet.send(INACTIVE).flush()
    for status in ("one", "two"):
        romeo.send(f"<presence><status>{status}</status></presence>").flush()
    assert names(juliet.flush()) == []
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>x</body></message>").flush()
    presence, message = juliet.flush()  # of who says something, what waits comes first
    assert presence.get_child_text("status") == "two"
    assert message.get_child_text("body") == "x"
    romeo.send("<presence><status>three</status></presence>").flush()
    assert names(juliet.flush()) == []
    juliet.send(ACTIVE)
    assert [element.get_child_text("status") for element in juliet.flush()] == ["three"]
    assert running.server.full_sessions[juliet.jid].filters is None
    romeo.send("<presence><status>four</status></presence>").flush()
    assert names(juliet.flush()) == ["presence"]


def test_what_is_unimportant_waits_to_save_the_battery(start_debian):
    running = start_debian("csi_battery_saver")
    befriend(running, "juliet", "romeo")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))
    juliet.flush()
    state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"

    def say(inside):
        romeo.send(f"<message to='{juliet.jid}' type='chat'>{inside}</message>").flush()

    juliet.send(INACTIVE).flush()
    romeo.send("<presence><status>busy</status></presence>").flush()
    say(state)
    kept = running.server.full_sessions[juliet.jid].extras["pump"]
    assert kept.count(kept) == 2
    say("<body>important</body>")
    presence, composing, message = [juliet.receive() for _ in range(3)]
    assert (presence.name, message.get_child_text("body")) == ("presence", "important")
    for element in (presence, composing):
        assert element.get_child("delay", "urn:xmpp:delay").attr["from"] == "juliet@localhost"
    assert message.get_child("delay", "urn:xmpp:delay") is None
    say(state)
    juliet.send(ACTIVE)
    assert names(juliet.flush()) == ["message"]
    say(state)
    assert names(juliet.flush()) == ["message"]


@pytest.fixture(params=KINDS)
def start_global(request, start_server, debian_module, tmp_path, guarded):
    """Return a function that starts a server with one global module of Debian's."""
    def start(name, before="", **options):
        folder = tmp_path / "plugins"
        folder.mkdir()
        (folder / debian_module(name).name).symlink_to(debian_module(name))
        (folder / "mod_before.lua").write_text("module:set_global(); " + before)
        running = start_server(["before", name], plugin_paths=[str(folder)],
                               lua_runtime=request.param, **options)
        module = running.server.modules.get_module("*", name)
        assert module is not None and module.path.startswith(str(folder))
        return running

    return start


def seconds_for(client, size):
    """Return how long it takes until the server has worked off so many bytes."""
    begin = monotonic()
    client.send(f"<message to='nobody@localhost'><body>{'x' * size}</body></message>").flush()
    return monotonic() - begin


def test_clients_that_send_too_fast_are_read_slowly(start_global):
    running = start_global("limits", limits={"c2s": {"rate": "40kb/s", "burst": "1s"}},
                           limits_resolution=0.2, unlimited_jids=["root@localhost"])
    juliet, root = running.client("juliet"), running.client("root")
    assert seconds_for(juliet, 10) < 0.5
    assert seconds_for(juliet, 70_000) > 0.4
    assert seconds_for(root, 200_000) < 0.4


# The module is older than Prosody 0.12, where it fails for want of this global variable.
OLD_GLOBAL = "rawset(_G, 'configmanager', require 'core.configmanager');"


def test_filtered_servers_are_not_reached(start_global):
    running = start_global("host_guard", OLD_GLOBAL, host_guard_selective=["localhost"],
                           host_guard_blacklist=["evil.example"])
    juliet = running.client("juliet")
    assert juliet.iq("get", PING, "evil.example").get_error()[1] == "policy-violation"
    assert juliet.iq("get", PING, "good.example").get_error()[1] == "not-allowed"
    running.server.modules.unload("*", "host_guard")
    assert juliet.iq("get", PING, "evil.example").get_error()[1] == "not-allowed"


def test_hosts_can_be_closed_to_the_outside(start_global):
    running = start_global("host_guard", OLD_GLOBAL, host_guard_blockall=["localhost"],
                           host_guard_blockall_exceptions=["good.example"])
    juliet = running.client("juliet")
    assert juliet.iq("get", PING, "any.example").get_error()[1] == "policy-violation"
    assert juliet.iq("get", PING, "good.example").get_error()[1] == "not-allowed"
    assert juliet.iq("get", PING, "localhost").attr["type"] == "result"
