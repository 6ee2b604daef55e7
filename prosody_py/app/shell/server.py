"""The server's side of the admin socket: who may connect, and lines in and out.

Data and owner: `AdminServer` owns the listening socket and its connections. What a question means
is not known here: `answer(question, peer, say)` gives the answer, and may be replaced while
connections are open.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from gevent import socket
from gevent.pool import Pool
from gevent.select import select
from gevent.server import StreamServer

from prosody_py.app.shell import address
from prosody_py.app.shell.protocol import MAX_LINE, ProtocolError, decode, encode

log = logging.getLogger("admin_socket")
MAX_CONNECTIONS = 32
_GOODBYE = 1  # seconds that a client who is refused may take to read why

Say = Callable[[dict[str, Any]], Any]
Answer = Callable[[dict[str, Any], tuple[int, int, int], Say], dict[str, Any]]


class AdminServer:
    """Listens at `path`; raises OSError when that is not possible."""

    def __init__(self, path: str, answer: Answer):
        self.path = path
        self.answer = answer
        plain = address.listen(path)
        listener = socket.socket(plain.family, plain.type, 0, fileno=plain.detach())
        self._inode = os.stat(path).st_ino
        self._server = StreamServer(listener, self._serve, spawn=Pool(MAX_CONNECTIONS))
        self._server.start()

    def close(self) -> None:
        """Stop listening and remove the socket; questions under way are still answered."""
        self._server.close()
        try:
            if os.stat(self.path).st_ino == self._inode:
                address.remove(self.path)
        except OSError:
            pass  # somebody has removed it before us

    def _serve(self, sock, _address) -> None:
        """Talk with one client until it goes."""
        process, user, group = address.peer_of(sock)

        def say(message: dict[str, Any]) -> None:
            sock.sendall(encode(message))

        try:
            if user not in (0, os.geteuid()):
                log.warning("Refused process %d of user %d: only this server's user and root may "
                            "administer it", process, user)
                say({"id": None, "ok": False, "error": "Only the user that the server runs as, "
                     "and root, may use this socket"})
                # Closing with a question unread would take the answer away from the client.
                sock.settimeout(_GOODBYE)
                sock.recv(MAX_LINE)
                return
            self._talk(sock, (process, user, group), say)
        except OSError:
            pass  # the client went away in the middle; it has lost only its answer
        finally:
            sock.close()

    def _talk(self, sock, peer: tuple[int, int, int], say: Say) -> None:
        rest = b""
        while True:
            line, found, rest = rest.partition(b"\n")
            if not found:
                if len(line) > MAX_LINE:
                    say({"id": None, "ok": False, "error": f"a line has at most {MAX_LINE} bytes"})
                    return
                data = sock.recv(65536)
                if not data:
                    return
                rest = line + data
                continue
            try:
                question = decode(line)
            except ProtocolError as error:
                say({"id": None, "ok": False, "error": str(error)})
                return
            id = question.get("id")
            answer = self.answer(question, peer, Progress(sock, say, id))
            say({"id": id, **answer})


class Progress:
    """Says something meanwhile to who has asked a question."""

    def __init__(self, sock, say: Say, id: Any):
        self._sock, self._say, self._id = sock, say, id

    def __call__(self, message: dict[str, Any]) -> bool:
        """Send a message; False when who has asked is gone (most commands still go on)."""
        try:
            self._say({"id": self._id, **message})
        except OSError:
            return False
        return True

    def alive(self) -> bool:
        """Whether who has asked is still there."""
        try:
            readable = select([self._sock], [], [], 0)[0]
            return not readable or bool(self._sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False
