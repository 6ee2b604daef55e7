"""mod_blocklist: what it costs, in memory and per presence."""

from __future__ import annotations

import pytest

from prosody_py.testing.blocking import block, say
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("blocklist")


def lists_of(running):
    return running.server.modules.get_module("localhost", "blocklist").lists


@pytest.mark.ours_alone("it is about the inside")
def test_memory_keeps_connected_accounts_and_some_others(start_server):
    running = start_server(["blocklist"], blocklist_cache_size=2)
    lists, juliet = lists_of(running), running.client("juliet")
    for name in ("a", "b", "c"):
        running.user(name)
        say(juliet, f"{name}@localhost")
    juliet.flush()
    assert [name for name in ("a", "b", "c", "juliet") if lists.known(name) is not None] == [
        "b", "c", "juliet"]
    juliet.close()
    say(running.client("romeo"), "d@localhost")
    assert running.clients[-1].message().get_error()
    assert lists.known("a") is None and not lists._locks


@pytest.mark.ours_alone("it is about the inside")
def test_presence_of_who_has_no_list_goes_from_session_to_session(people, server, monkeypatch):
    people.befriend("juliet", "romeo")
    people.set("juliet", people.jid("nobody"), "both")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    posted = []
    post = server.server.post_stanza
    monkeypatch.setattr(server.server, "post_stanza", lambda origin, stanza, *more: (
        posted.append(stanza.attr.get("to")), post(origin, stanza, *more)))
    juliet.send("<presence><show>away</show></presence>").flush()
    assert romeo.jid not in posted and romeo.bare_jid not in posted
    assert people.jid("nobody") not in posted
    assert (juliet.jid, None) in kinds(romeo.flush())
    block(juliet, romeo.bare_jid)
    juliet.send("<presence/>").flush()
    assert romeo.bare_jid in posted
