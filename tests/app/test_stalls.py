"""The watch on the event loop."""

import time

import gevent
import pytest

from prosody_py.app.stalls import StallWatch


@pytest.fixture
def watch():
    watch = StallWatch(patience=0.2)
    yield watch
    watch.stop()


def keep_everybody_waiting(watch):
    """Block the loop until that has been seen."""
    deadline = time.monotonic() + 60
    while watch.caught is None and time.monotonic() < deadline:
        time.sleep(0.01)


def test_code_that_does_not_give_way_is_told_with_its_place(watch, caplog):
    gevent.sleep(0)
    keep_everybody_waiting(watch)
    assert watch.caught
    with gevent.Timeout(60):
        while "Nobody was served" not in caplog.text:
            gevent.sleep(0.01)
    told = next(record.getMessage() for record in caplog.records
                if "Nobody was served" in record.getMessage())
    assert "in keep_everybody_waiting" in told and "test_stalls.py" in told
    assert told.count("did not give way") == 1
