"""The thread that works for greenlets."""

import threading

import gevent
import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.storage.lane import Lane


class Resource:
    def __init__(self):
        self.thread = threading.current_thread()
        self.closed_in = None

    def close(self):
        self.closed_in = threading.current_thread()


def run_each(resource, calls):
    for call in calls:
        try:
            call.result = call.operation(resource, *call.arguments)
        except StorageError as error:
            call.error = error


@pytest.fixture
def resource():
    return []


@pytest.fixture
def gate():
    return threading.Event()


@pytest.fixture
def lane(resource, gate):
    def open_resource():
        resource.append(Resource())
        return resource[0]

    lane = Lane("test", open_resource, run_each, max_waiting=4)
    yield lane
    gate.set()
    lane.close()


def test_the_resource_lives_in_a_thread_of_its_own(lane, resource):
    used_in = lane.call(lambda _resource: threading.current_thread(), ())
    lane.close()
    assert used_in is resource[0].thread is resource[0].closed_in
    assert used_in is not threading.main_thread()
    assert not used_in.is_alive()


def test_what_opening_raises_is_raised_by_the_constructor():
    def fail():
        raise StorageError("internal-server-error", "no such thing")
    with pytest.raises(StorageError, match="no such thing"):
        Lane("test", fail, run_each, 4)


def test_callers_wait_for_room(lane, gate):
    callers = [gevent.spawn(lane.call, lambda _resource, n: gate.wait() and n, (n,))
               for n in range(10)]
    gevent.sleep(0)
    gevent.sleep(0)
    assert lane.calls == 4
    gate.set()
    gevent.joinall(callers, raise_error=True)
    assert [caller.value for caller in callers] == list(range(10))
    assert lane.calls == 10


def test_calls_that_come_during_a_batch_are_the_next_batch(lane, gate):
    first = gevent.spawn(lane.call, lambda _resource: gate.wait(), ())
    while not lane.batches:
        gevent.sleep(0)
    more = [gevent.spawn(lane.call, lambda _resource, n: n, (n,)) for n in range(3)]
    gevent.sleep(0)
    gate.set()
    gevent.joinall([first, *more], raise_error=True)
    assert lane.batches == 2


def test_an_unforeseen_error_reaches_the_caller_and_the_thread_goes_on(lane):
    with pytest.raises(StorageError, match="ZeroDivisionError"):
        lane.call(lambda _resource: 1 // 0, ())
    assert lane.call(lambda _resource: "alive", ()) == "alive"


def test_done_runs_once_for_every_call(lane, gate):
    done = []
    callers = [gevent.spawn(lane.call, lambda _resource: gate.wait(), (), done.append)
               for _ in range(6)]
    gevent.sleep(0)
    gevent.sleep(0)
    callers[0].kill()   # its call is under way
    callers[5].kill()   # waits for room
    assert len(done) == 1 and done[0].error is not None
    gate.set()
    gevent.joinall(callers)
    lane.call(lambda _resource: None, ())
    assert len(done) == len(set(map(id, done))) == 6


def test_a_call_that_is_begun_is_finished_when_it_is_wanted(lane, gate):
    begun = [lane.begin(lambda _resource: gate.wait(), ()),
             lane.begin(lambda _resource, n: n, (7,))]
    gate.set()
    assert lane.call(lambda _resource: "later", ()) == "later"
    assert lane.finish(begun[1]) == 7
    failing = lane.begin(lambda _resource: 1 // 0, ())
    with pytest.raises(StorageError, match="ZeroDivisionError"):
        lane.finish(failing)
    assert lane.finish(lane.begin(lambda _resource, n: n, (8,))) == 8
