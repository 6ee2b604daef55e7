"""A server with a module whose handlers do what a stanza's <do/> says, and two clients."""

import textwrap

import pytest

from prosody_py.testing.server import TestServer

MODULE = """
    from prosody_py.api import StanzaError, hook, stanza
    from prosody_py.storage.interface import StorageError

    EVENTS = [prefix + name + "/" + kind for prefix in ("", "pre-")
              for name in ("message", "presence", "iq") for kind in ("full", "bare", "host")]
    EVENTS += ["message/self", "presence/self", "iq/self", "pre-stanza"]

    def load(module):
        module.seen = []
        for event in EVENTS:
            module.hook(event, lambda data, event=event: work(module, event, data), 100)

    def work(module, event, data):
        wish = data.stanza.get_child("do", "urn:test:router")
        if wish is None:
            return None
        module.seen.append((event, data.to_self))
        wanted, act = wish.attr.get("on"), wish.attr.get("act")
        if wanted != event:
            return None
        if act == "error":
            raise StanzaError("gone", "It was here", type="modify",
                              extra=stanza.stanza("moved", xmlns="urn:test:extra"))
        if act == "fault":
            raise ValueError("broken on purpose")
        if act and act.startswith("store:"):
            raise StorageError(act[6:], "a secret of the administrator")
        return {"stop": True, "false": False}.get(act)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server with the module "obedient"."""
    plugins = tmp_path_factory.mktemp("plugins")
    (plugins / "mod_obedient.py").write_text(textwrap.dedent(MODULE))
    running = TestServer(tmp_path_factory.mktemp("server"), ["obedient"],
                         plugin_paths=[str(plugins)],
                         hosts={"localhost": {}, "other.localhost": {}})
    yield running
    running.stop()


@pytest.fixture
def obedient(running):
    """The module, which notes in `seen` what events came with <do/>."""
    module = running.server.modules.get_module("localhost", "obedient")
    module.seen.clear()
    return module


@pytest.fixture
def romeo(running):
    """A client."""
    client = running.client("romeo", "orchard")
    yield client
    client.close()


@pytest.fixture
def juliet(running):
    """Another client, available, who gets what the first one sends."""
    client = running.client("juliet", "balcony").available()
    yield client
    client.close()
