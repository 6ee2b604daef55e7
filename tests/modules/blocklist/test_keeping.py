"""mod_blocklist: lists in the store, which outlive reloads and not their accounts."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.testing.blocking import XMLNS, block, blocked, unblock

pytestmark = pytest.mark.twins("blocklist")

PING = "<ping xmlns='urn:xmpp:ping'/>"


def test_the_store_has_prosodys_form(couple, server):
    juliet = couple[0]
    block(juliet, "romeo@montague.net")
    stored = server.server.storage.open("localhost", "blocklist").get(
        juliet.bare_jid.partition("@")[0])
    assert set(stored) == {False, "romeo@montague.net"}
    assert stored["romeo@montague.net"] == stored[False]["modified"] >= stored[False]["created"]


def test_lists_that_prosody_has_kept_count(people, server):
    server.server.storage.open("localhost", "blocklist").set(
        people.name("juliet"), {"x.lit": True, False: {"created": 5}})
    assert blocked(people.login("juliet")) == ["x.lit"]


def test_the_default_privacy_list_is_taken_over_once(start_server):
    running = start_server(["blocklist"])
    items = [{"order": 1, "type": "jid", "value": "iago@x.lit", "action": "deny"},
             {"order": 2, "type": "jid", "value": "good@x.lit", "action": "allow"},
             {"order": 4, "type": "group", "value": "Enemies", "action": "deny"}]
    running.server.storage.open("localhost", "privacy").set("juliet", {
        "default": "main", "lists": {"main": {"name": "main", "items": items}}})
    juliet = running.client("juliet")
    assert blocked(juliet) == ["iago@x.lit"]
    unblock(juliet)
    juliet.close()
    assert blocked(running.client("juliet")) == []


@pytest.mark.ours_alone("Debian's takes over what is denied in part, and cannot be told not to")
@pytest.mark.parametrize(("migrate", "wanted"), [(True, ["iago@x.lit"]), (False, [])])
def test_privacy_lists_are_taken_over_if_so_wished(start_server, migrate, wanted):
    running = start_server(["blocklist"], migrate_legacy_blocking=migrate)
    running.server.storage.open("localhost", "privacy").set("juliet", {
        "default": "a", "lists": {"a": {"items": [
            {"order": 1, "type": "jid", "value": "iago@x.lit", "action": "deny"},
            {"order": 2, "type": "jid", "value": "half@x.lit", "action": "deny",
             "presence-out": True}]}}})
    assert blocked(running.client("juliet")) == wanted


def test_a_block_holds_after_a_reload_and_pushes_go_on(couple, server):
    juliet, romeo = couple
    blocked(juliet)
    block(juliet, romeo.bare_jid)
    server.server.modules.reload("localhost", "blocklist")
    romeo.flush()
    assert romeo.iq("get", PING, juliet.jid).get_error()[1] == "service-unavailable"
    juliet.flush()
    juliet.send(f"<iq type='set' id='u'><unblock xmlns='{XMLNS}'/></iq>")
    types = [found.attr["type"] for found in juliet.flush() if found.name == "iq"]
    assert sorted(types) == ["result", "set"]


def test_nothing_is_left_of_an_account_that_is_removed(couple, server):
    juliet = couple[0]
    name = juliet.bare_jid.partition("@")[0]
    block(juliet, "x.lit")
    users.delete_user(server.server, name, "localhost")
    assert blocked(server.client(name)) == []


@pytest.mark.ours_alone("Debian's reads the whole list, and writes it")
def test_two_sessions_that_block_at_the_same_time_lose_nothing(start_server):
    running = start_server(["blocklist"], storage="sqlite")
    desk, phone = running.client("juliet", "desk"), running.client("juliet", "phone")
    wanted = set()
    for number in range(20):
        for client in (desk, phone):
            address = f"{client.jid.rpartition('/')[2]}{number}@x.lit"
            wanted.add(address)
            client.send(f"<iq type='set' id='{number}'><block xmlns='{XMLNS}'>"
                        f"<item jid='{address}'/></block></iq>")
    desk.flush(), phone.flush()
    assert set(blocked(desk)) == wanted
    running.server.modules.reload("localhost", "blocklist")
    assert set(blocked(phone)) == wanted
