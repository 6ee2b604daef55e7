"""A thread that works for greenlets: they hand it calls, it takes all that wait at once.

A hand-over between threads costs far more than the work (the GIL has to change hands twice), so
there is one for a batch in each direction: the thread is woken at the end of a turn of the hub's
loop, and the hub by one async watcher for all answers of a batch.
"""

from __future__ import annotations

import _thread
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from gevent import get_hub
from gevent.hub import Waiter
from gevent.lock import Semaphore

from prosody_py.storage.interface import StorageError

MAX_BATCH = 512


class Call:
    """One piece of work: `operation(resource, [arguments, ...]) -> [result, ...]`.

    `done(call)` runs on the hub before the caller goes on, also when the caller was killed.
    """

    __slots__ = ("operation", "arguments", "done", "waiter", "result", "error", "finished")

    def __init__(self, operation: Callable | None = None, arguments: tuple = (),
                 done: Callable[[Call], None] | None = None):
        self.operation = operation
        self.arguments = arguments
        self.done = done
        self.waiter: Waiter | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.finished = False


class Lane:
    """One worker thread with a resource that it opens, uses and closes.

    The constructor returns when the resource is open; it raises what `open_resource` raised.

    Args:
        name: of the thread.
        open_resource: called in the thread.
        run_batch: `run_batch(resource, calls)`, in the thread; sets `result` or `error` of each.
        max_waiting: calls that may wait; further callers wait for room.
    """

    def __init__(self, name: str, open_resource: Callable[[], Any],
                 run_batch: Callable[[Any, list[Call]], None], max_waiting: int):
        self._open_resource = open_resource
        self._run_batch = run_batch
        self._room = Semaphore(max_waiting)
        self._queue: deque[Call] = deque()
        self._finished: deque[list[Call]] = deque()
        self._expected = 0
        self._wake_scheduled = False
        self._opening = Call()
        self._closing: Call | None = None
        self.calls = 0
        self.batches = 0
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self._loop = get_hub().loop
        self._answers = self._loop.async_()
        self._answers.start(self._deliver)
        self._answers.ref = False  # an idle lane does not keep the loop alive
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()
        try:
            self._wait_for(self._opening)
        except BaseException:
            self._closing = self._opening
            self._end()
            raise

    def call(self, operation: Callable, arguments: tuple,
             done: Callable[[Call], None] | None = None) -> Any:
        """Have `operation` run and return its result; raises StorageError.

        Waits for room first when too many calls wait already. `done` runs in any case, once.
        """
        call = Call(operation, arguments, done)
        submitted = False
        try:
            with self._room:
                self._submit(call)
                submitted = True
                return self._wait_for(call)
        except BaseException as error:
            if not submitted and done is not None:
                call.error = error
                done(call)
            raise

    def begin(self, operation: Callable, arguments: tuple,
              done: Callable[[Call], None] | None = None) -> Call:
        """Have `operation` run, for `finish` to wait for.

        However many calls wait already: who begins calls has to bound their number.
        """
        call = Call(operation, arguments, done)
        self._submit(call)
        self._expect()
        return call

    def finish(self, call: Call) -> Any:
        """Return the result of a call that was begun, once; raises StorageError."""
        if not call.finished:
            call.waiter = Waiter()
            call.waiter.get()
        if call.error is not None:
            raise call.error
        return call.result

    def post(self, operation: Callable, arguments: tuple, done: Callable[[Call], None]) -> None:
        """Have `operation` run without waiting for it."""
        self.begin(operation, arguments, done)

    def close(self) -> None:
        """Finish all calls, then close the resource. Returns when the thread has ended."""
        if self._closing is None:
            self._closing = closing = Call()
            self._wake_thread()
            self._wait_for(closing)
            self._end()

    # -- on the hub ------------------------------------------------------------------------

    def _submit(self, call: Call) -> None:
        if self._closing is not None:
            raise StorageError("internal-server-error", "the storage is closed")
        self._queue.append(call)
        self.calls += 1
        if not self._wake_scheduled:
            self._wake_scheduled = True
            self._loop.run_callback(self._wake_thread)

    def _wake_thread(self) -> None:
        self._wake_scheduled = False
        if self._wake.locked():
            self._wake.release()

    def _expect(self) -> None:
        self._expected += 1
        if self._expected == 1:
            self._answers.ref = True

    def _wait_for(self, call: Call) -> Any:
        self._expect()
        return self.finish(call)

    def _deliver(self) -> None:
        while self._finished:
            calls = self._finished.popleft()
            self._expected -= len(calls)
            if not self._expected:
                self._answers.ref = False
            for call in calls:
                call.finished = True
                if call.done is not None:
                    call.done(call)
            for call in calls:
                if call.waiter is not None:
                    call.waiter.switch(None)

    def _end(self) -> None:
        self._thread.join()  # it has nothing left to do but to return
        self._answers.stop()
        self._answers.close()

    # -- in the thread ---------------------------------------------------------------------

    def _work(self) -> None:
        try:
            resource = self._open_resource()
        except Exception as error:
            self._opening.error = error
            self._finish([self._opening])
            return
        self._finish([self._opening])
        while True:
            self._wake.acquire()
            closing = self._closing  # read first: nothing comes into the queue after it is set
            while self._queue:
                self._run(resource)
            if closing is not None:
                break
        try:
            resource.close()
        except Exception as error:
            closing.error = error
        self._finish([closing])

    def _run(self, resource: Any) -> None:
        calls = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_BATCH))]
        self.batches += 1
        try:
            self._run_batch(resource, calls)
        except Exception as error:
            for call in calls:
                call.error = StorageError("internal-server-error",
                                          f"{type(error).__name__}: {error}")
        self._finish(calls)

    def _finish(self, calls: list[Call]) -> None:
        self._finished.append(calls)
        self._answers.send()
