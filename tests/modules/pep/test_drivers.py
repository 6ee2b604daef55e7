"""Nodes and items in Prosody's own storage modules."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import Asking, payload

pytestmark = pytest.mark.slow
HOST = "pubsub.localhost"


@pytest.mark.parametrize("driver", ["internal", "sql"])
def test_prosodys_storage_modules_keep_nodes(start_server, debian_module, tmp_path, driver):
    path = debian_module("storage_" + driver)
    (tmp_path / path.name).symlink_to(path)
    running = start_server(["pep", "presence"], plugin_paths=[str(tmp_path)], storage=driver,
                           components={HOST: {"module": "pubsub"}}, admins=["juliet@localhost"])
    juliet = running.client("juliet").available()
    for to, host, name in ((None, "localhost", "pep"), (HOST, HOST, "pubsub")):
        own = Asking(juliet, to)
        own.create("node", max_items=2, title="T")
        for id in "abcb":
            own.publish("node", id, payload(id))
        own.subscribe("node")
        assert own.items("node") == ["c", "b"] and own.items("node", max_items=1) == ["b"]
        running.server.modules.reload(host, name)
        assert own.items("node") == ["c", "b"]
        assert len(own.get("<subscriptions/>").tags) == 1
        own.set("<retract node='node'><item id='c'/></retract>")
        own.set("<delete node='node'><redirect uri='xmpp:x'/></delete>", owner=True)
        assert own.refused("get", "<items node='node'/>")[1] == "gone"
        own.create("node")
        assert own.items("node") == []
