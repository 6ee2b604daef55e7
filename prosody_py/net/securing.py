"""TLS on a connection: from STARTTLS, or from the first byte, to the end of the handshake."""

from __future__ import annotations

from OpenSSL import SSL

from prosody_py.concurrency import workers
from prosody_py.net.tls import TlsConnection
from prosody_py.net.tls_io import tls_reason

WRITE = 2


class Securing:
    """The handshake of a Connection; mixed into it."""

    __slots__ = ()

    def starttls(self, context: SSL.Context) -> None:
        """Write what is queued, then expect a TLS handshake; onconnect is called after it.

        A peer that has not read what came before gets no TLS: what is left would go out encrypted.
        """
        self.flush()
        if self.pending:
            self.destroy("the peer does not read what is sent to it")
        else:
            self._begin_tls(context)

    def _begin_tls(self, context: SSL.Context) -> None:
        self.tls = self._new_tls(context)
        self.extras["starttls"] = False  # so that modules in Lua see that it is too late for it
        self._handshaking = True
        self._loop.run_callback(self._continue_handshake)

    def _new_tls(self, context: SSL.Context) -> TlsConnection:
        tls = TlsConnection(context, self.sock)
        tls.set_accept_state()
        return tls

    def _continue_handshake(self) -> None:
        self._busy = False
        if self.sock is not None and self._closing is None:
            self._reader.start(self._readable)
            self._step_handshake()

    def _step_handshake(self) -> None:
        if self.sock is None:
            return
        try:
            self.tls.do_handshake()
        except SSL.WantReadError:
            self._rest_writer()
            return
        except SSL.WantWriteError:
            if self._writer is None:
                self._writer = self._loop.io(self.sock.fileno(), WRITE)
            self._writer.start(self._step_handshake)
            return
        except SSL.SysCallError:
            self.destroy("connection closed during the TLS handshake")
            return
        except SSL.Error as error:
            self.destroy("TLS handshake failed: " + tls_reason(error))
            return
        self._rest_writer()
        self._handshaking = self._queued = False
        self.secure = True
        workers.run(self._secured)

    def _secured(self) -> None:
        self._work(self.listener.onconnect, self)
        if self._out and not self._queued:
            self.flush()
