"""One TCP connection: bytes in, bytes out, TLS.

Data and owner: a `Connection` owns its socket, two event-loop watchers and the queue of output.
It knows nothing of XMPP: a `listener` object gets `onconnect(conn)`, `onincoming(conn, data)`,
`ondisconnect(conn, reason)`, `onreadtimeout(conn)` and, where it has them, `onpredrain(conn)` and
`ondrain(conn)`, which are called by the loop before and after the queue is written, and
`onaccept(conn)`, which comes before the handshake of direct TLS, as in Prosody's net.server.

Reading: the loop's callback hands a readable socket to a worker greenlet (concurrency/workers),
which reads once and calls `onincoming`. As long as that has not returned, this connection is not
read again, so what a peer sends is worked off in order and a slow handler slows down only its
peer.

Writing: `write` only queues. At the end of the loop's turn everything queued for a connection
goes out in one call, so many stanzas in one turn cost one system call and one TLS record. What
the socket does not take waits, up to `max_send_buffer` bytes; beyond that the peer is too slow
and the connection ends. `write` never blocks and never raises.

Closing: after the last byte only our side is closed, and for at most `linger` seconds the peer is
waited for, so that it gets that byte (net/lingering).
"""

from __future__ import annotations

import socket
import time
from typing import Protocol

from gevent import get_hub, sleep
from OpenSSL import SSL

from prosody_py.concurrency import workers
from prosody_py.net.lingering import Lingering
from prosody_py.net.outbox import Outbox
from prosody_py.net.securing import WRITE, Securing
from prosody_py.net.tls import TlsConnection
from prosody_py.net.tls_io import receive, transmit

READ = 1
_READ_SIZE = 64 * 1024
_CLOSE_TIMEOUT = 5  # seconds that a closed connection may take to drain its output
_LINGER = 5  # seconds that the peer may take to close its side after that


class Listener(Protocol):
    """What a connection calls; all but ondrain run in a worker greenlet and may block."""

    def onconnect(self, conn: Connection) -> None: ...
    def onincoming(self, conn: Connection, data: bytes) -> None: ...
    def ondisconnect(self, conn: Connection, reason: str | None) -> None: ...
    def onreadtimeout(self, conn: Connection) -> bool | None: ...


_outbox = Outbox()


class Connection(Securing):
    """A connected, non-blocking socket; see the module's text.

    `read_size` is how many bytes are read at most at a time, `extras` what modules that are
    written in Lua keep in it.
    """

    __slots__ = ("sock", "listener", "peer", "server_port", "tls", "session", "last_read",
                 "max_send_buffer", "linger", "secure", "read_size", "extras", "created",
                 "_held", "_rate", "_reader", "_writer", "_timer", "_timeout",
                 "_out", "_out_size", "_last", "_queued", "_busy", "_paused", "_handshaking",
                 "_closing", "_loop", "_stalled", "_lingering", "__weakref__")

    def __init__(self, sock: socket.socket, listener: Listener, peer: tuple | str,
                 server_port: int = 0, max_send_buffer: int = 1024 * 1024,
                 read_timeout: float = 840):
        self.sock: socket.socket | None = sock
        self.listener = listener
        self.peer = peer
        self.server_port = server_port
        self.max_send_buffer = max_send_buffer
        self.linger: float = _LINGER
        self.tls: TlsConnection | None = None
        self.secure = False
        self.session = None
        self.read_size = _READ_SIZE
        self.extras: dict = {}
        self.created = time.time()
        self.last_read = time.monotonic()
        self._loop = get_hub().loop
        self._reader = self._loop.io(sock.fileno(), READ)
        self._writer = None
        self._timer = None
        self._timeout = read_timeout
        self._out: list[bytes] = []
        self._out_size = 0
        self._last: bytes | None = None
        self._queued = self._busy = self._paused = self._stalled = False
        self._handshaking = self._held = False
        self._rate = 0.0
        self._closing: str | None = None
        self._lingering: Lingering | None = None

    # -- facts -----------------------------------------------------------------------------

    def ip(self) -> str:
        """Return the peer's address as text."""
        return self.peer[0] if isinstance(self.peer, tuple) else self.peer

    def port(self) -> int:
        """Return the peer's port."""
        return self.peer[1] if isinstance(self.peer, tuple) else 0

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self.sock is None

    destroyed = closed

    @property
    def pending(self) -> int:
        """Bytes that wait to be written."""
        return self._out_size

    # -- life ------------------------------------------------------------------------------

    def start(self, context: SSL.Context | None = None) -> None:
        """Begin to read; with `context` after a TLS handshake (direct TLS)."""
        self.set_read_timeout(self._timeout)
        self._reader.start(self._readable)
        if context is not None:
            self._busy = True
            if hasattr(self.listener, "onaccept"):
                workers.run(self.listener.onaccept, self)
            if self.sock is not None:
                self._begin_tls(context)
        else:
            workers.run(self._work, self.listener.onconnect, self)

    def set_read_timeout(self, seconds: float) -> None:
        """Call the listener's onreadtimeout after so many seconds of silence; 0 for never."""
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._timeout = seconds
        if seconds and self.sock is not None:
            self._timer = self._loop.timer(seconds)
            self._timer.start(self._check_silence)

    def _check_silence(self) -> None:
        # Reading only notes the time; so one timer lasts for the whole life of a connection.
        left = self.last_read + self._timeout - time.monotonic()
        self._timer.close()
        self._timer = None
        if left > 0.01:
            self._timer = self._loop.timer(left)
            self._timer.start(self._check_silence)
        else:
            self.last_read = time.monotonic()
            self.set_read_timeout(self._timeout)
            workers.run(self._read_timeout)

    def _read_timeout(self) -> None:
        if self.sock is not None and not self.listener.onreadtimeout(self):
            self.close("read timeout")

    def pause(self) -> None:
        """Stop reading, so that the peer is slowed down by TCP."""
        self._paused = True
        self._reader.stop()

    def resume(self) -> None:
        """Go on reading."""
        if self._paused and self.sock is not None:
            self._paused = False
            if self._busy:
                self._stalled = True  # read on when the work is done
            elif self._closing is None:
                self._start_reading()

    def close(self, reason: str | None = None) -> None:
        """Write what is queued, then end the connection; `reason` goes to ondisconnect."""
        if self.sock is None or self._closing is not None:
            return
        if self._handshaking:  # nothing can be written any more
            self.destroy(reason)
            return
        self._closing = reason or ""
        held, self._held = self._held, False
        self._reader.stop()
        if not self._out:
            self._half_close()
            return
        if self._timer is not None:
            self._timer.close()
        self._timer = self._loop.timer(_CLOSE_TIMEOUT)
        self._timer.start(self._finish)
        if held or not self._queued:
            self.flush()

    def destroy(self, reason: str | None = None) -> None:
        """End the connection at once; queued output is lost."""
        if self.sock is None:
            return
        self._closing = reason or ""
        self._finish()

    def _half_close(self) -> None:
        """Close our side, and wait for the peer to close its own."""
        try:
            if self.tls is not None:
                self.tls.shutdown()
            self.sock.shutdown(socket.SHUT_WR)
        except (SSL.Error, OSError):
            self._finish()  # the peer is gone already
            return
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        if self.linger:
            self._lingering = Lingering(self.sock, self.linger, self._finish)
        else:
            self._finish()

    def _finish(self) -> None:
        if self.sock is None:
            return
        sock, self.sock = self.sock, None
        for watcher in (self._reader, self._writer, self._timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._reader = self._writer = self._timer = None
        self._out.clear()
        self._out_size = 0
        if self._lingering is not None:
            self._lingering.stop()
        elif self.tls is not None and not self._handshaking:
            try:
                self.tls.shutdown()
            except (SSL.Error, OSError):
                pass  # the peer is gone already; there is nobody to tell
        sock.close()
        workers.run(self.listener.ondisconnect, self, self._closing or None)

    # -- reading ---------------------------------------------------------------------------

    def _readable(self) -> None:
        if self._busy:
            self._stalled = True
            self._reader.stop()
        elif self._handshaking:
            self._step_handshake()
        else:
            workers.run(self._read)

    def _start_reading(self) -> None:
        self._reader.start(self._readable)
        if self.tls is not None and not self._handshaking and self.tls.pending():
            self._loop.run_callback(workers.run, self._read)

    def _read(self) -> None:
        if self._busy or self._paused or self.sock is None or self._closing is not None:
            return
        try:
            data = self._recv()
        except OSError as error:
            self.destroy(error.strerror or str(error))
            return
        if data is None:
            return
        if not data:
            self.destroy("connection closed")
            return
        self.last_read = time.monotonic()
        self._work(self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        self.listener.onincoming(self, data)
        if self._rate:
            sleep(len(data) / self._rate)  # it counts as being worked off, so nothing is read

    def limit_rate(self, bytes_per_second: float) -> None:
        """Read no more than so many bytes a second on average; 0 for no limit."""
        self._rate = bytes_per_second

    def _recv(self) -> bytes | None:
        """Return what has come, b"" at the end, None when nothing is complete yet."""
        if self.tls is None:
            try:
                return self.sock.recv(self.read_size)
            except BlockingIOError:
                return None
        return receive(self.tls, self.read_size)

    def _work(self, function, *args) -> None:
        """Run a listener's function; this connection is not read meanwhile."""
        self._busy = True
        try:
            function(*args)
        finally:
            self._busy = False
            if self._stalled:
                self._stalled = False
                if self.sock is not None and not self._paused and self._closing is None:
                    self._start_reading()
            elif (self.tls is not None and self.sock is not None and not self._handshaking
                  and self._closing is None and self.tls.pending()):
                self._loop.run_callback(workers.run, self._read)

    # -- writing ---------------------------------------------------------------------------

    def write(self, data: bytes) -> bool:
        """Queue `data`; False when the connection is closing or its peer too slow."""
        if self._closing is not None:
            return False
        self._out.append(data)
        self._out_size += len(data)
        if not self._queued:
            self._queued = True
            _outbox.add(self)
        elif self._out_size > self.max_send_buffer:
            self.flush()
            if self._out_size > self.max_send_buffer:
                self.destroy("the peer does not read what is sent to it")
                return False
        return True

    def write_last(self, data: bytes | None) -> None:
        """Write `data` behind what is queued when that goes out; None takes it back.

        What is queued later in the same turn of the loop still goes before it.
        """
        self._last = data

    def pause_writes(self) -> None:
        """Keep what is written in the queue."""
        self._held = True

    def resume_writes(self) -> None:
        """Write what is in the queue."""
        if self._held:
            self._held = False
            if self._out and not self._handshaking:
                self._queued = True
                _outbox.add(self)

    def flush(self) -> None:
        """Write what is queued, as far as the socket takes it (called by the loop)."""
        out = self._out
        if self.sock is None or self._handshaking or self._held or not out:
            self._queued = self._handshaking or self._held
            if not self._handshaking:  # then it has the writer
                self._rest_writer()
            return
        if hasattr(self.listener, "onpredrain"):
            self.listener.onpredrain(self)
            if self.sock is None:
                return
        if self._last is not None and self._closing is None:
            out.append(self._last)
            self._out_size += len(self._last)
            self._last = None
        data = out[0] if len(out) == 1 else b"".join(out)
        try:
            sent = self._send(data)
        except OSError as error:
            self.destroy(error.strerror or str(error))
            return
        if sent == len(data):
            out.clear()
            self._out_size = 0
            self._queued = False
            self._rest_writer()
            if self._closing is not None:
                self._half_close()
            elif hasattr(self.listener, "ondrain"):
                self.listener.ondrain(self)
            return
        out[:] = [data[sent:]]
        self._out_size = len(data) - sent
        self._queued = True  # the watcher flushes, not the outbox
        if self._writer is None:
            self._writer = self._loop.io(self.sock.fileno(), WRITE)
        self._writer.start(self.flush)

    def _rest_writer(self) -> None:
        """Nothing is to be written now; a socket that can be written to would keep us awake."""
        if self._writer is not None:
            self._writer.stop()

    def _send(self, data: bytes) -> int:
        if self.tls is None:
            try:
                return self.sock.send(data)
            except BlockingIOError:
                return 0
        return transmit(self.tls, data)
