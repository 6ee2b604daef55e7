"""A node with many subscribers: all are told, in order, and others are served meanwhile."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.testing.pubsub import event_ids
from prosody_py.xmpp.stanza import Stanza

MANY = 1200


@pytest.fixture
def crowded(hamlet, node, server):
    """Return a node with many subscribers who are not there, before one who is."""
    hamlet.create(node, max_items=50)
    service = server.server.hosts[hamlet.to].modules["pubsub"].exports.service
    kept = service.nodes[node]
    kept.subscribers = {f"nobody{number}@localhost": True for number in range(MANY)}
    return node


def test_nobody_has_to_wait_and_nothing_overtakes(hamlet, francisco, crowded, server):
    francisco.subscribe(crowded)
    service = server.server.hosts[hamlet.to].modules["pubsub"].exports.service
    turns = []

    def look():
        while len(turns) < 10_000:
            turns.append(None)
            gevent.sleep(0)

    looking = gevent.spawn(look)
    publishing = [gevent.spawn(service.publish, crowded, "hamlet@localhost", str(number),
                               Stanza("x", {"xmlns": "urn:x"})) for number in range(5)]
    gevent.joinall(publishing, raise_error=True)
    looking.kill()
    assert len(turns) > 5  # the loop has turned between the parts
    assert event_ids(francisco.client.flush()) == [(crowded, str(number)) for number in range(5)]
