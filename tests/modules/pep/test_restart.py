"""What clients want to be told outlives a restart with their sessions."""

from __future__ import annotations

from prosody_py.testing.managed import Managed
from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, event_ids
from prosody_py.testing.server import TestServer

MODULES = ["smacks", "pep", "presence", "message"]


def test_a_session_that_waits_is_told_after_a_restart(tmp_path):
    tune = Wanting("tune")
    running = TestServer(tmp_path, MODULES, storage="sqlite")
    try:
        people = People(running)
        romeo, benvolio = (Managed(running, people.name(name)) for name in ("romeo", "benvolio"))
        for name, friend in (("romeo", romeo), ("benvolio", benvolio)):
            people.befriend("juliet", name)
            tune.announce(friend.client)
        node = romeo.session.extras["caps_node"]
    finally:
        running.stop()
    running = TestServer(tmp_path, MODULES, storage="sqlite")
    try:
        queries = [running.server.full_sessions[friend.jid].extras["caps_cache"]
                   for friend in (romeo, benvolio)]
        assert queries[0] is queries[1] and queries[0].attr["node"] == node
        Asking(running.client(people.name("juliet"))).publish("tune", "1")
        romeo.come_back(0, running)
        assert event_ids(romeo.client.flush()) == [("tune", "1")]
        assert node in running.server.modules.get_module("localhost", "cache_c2s_caps").known
    finally:
        running.stop()
