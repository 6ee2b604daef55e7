"""What is under way when the server stops is brought to its end."""

from __future__ import annotations

import gevent
import pytest

from prosody_py.app import run
from prosody_py.testing.client import wait_until

SLOW = '''
import gevent
from prosody_py.api import iq

def load(module):
    module.store = module.open_store("slow")
    module.begun, module.go_on = gevent.event.Event(), gevent.event.Event()

@iq("set", "urn:example:slow", "slow", to="self")
def slow(module, event):
    """Write twice, and wait in between."""
    module.store.set("first", {"n": 1})
    module.begun.set()
    module.go_on.wait(module.get_option_number("slow_seconds", 0.2))
    module.store.set("second", {"n": 2})
'''


@pytest.fixture
def begin(start_server, tmp_path):
    """Return a function that starts a server with a slow request; gives it and the module."""
    (tmp_path / "mod_slow.py").write_text(SLOW)

    def begin(**options):
        running = start_server(["slow"], plugin_paths=[str(tmp_path)], storage="sqlite",
                               data_path=str(tmp_path / "data"), **options)
        client = running.client("juliet")
        client.send("<iq type='set' id='1'><slow xmlns='urn:example:slow'/></iq>")
        module = running.server.hosts["localhost"].modules["slow"]
        module.begun.wait()
        return running, module

    return begin


def stored(start_server, tmp_path):
    again = start_server([], data_path=str(tmp_path / "data"), storage="sqlite")
    return set(again.server.storage.open("localhost", "slow").users())


def test_a_request_under_way_is_done_before_the_storage_closes(begin, start_server, tmp_path):
    running, _module = begin()
    running.stop()
    assert stored(start_server, tmp_path) == {"first", "second"}


def test_a_request_without_end_holds_nobody_up_for_ever(begin, monkeypatch, caplog):
    monkeypatch.setattr(run, "PATIENCE", 0.1)
    running, module = begin(slow_seconds=60)
    with gevent.Timeout(20):
        running.stop()
    assert "Stopping, though 1 requests are still under way" in caplog.text
    module.go_on.set()
    wait_until(lambda: "Error in a handler" in caplog.text)  # the storage is closed
