"""A web server for tests of what asks others: it answers by path, in this process, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gevent.server

Answer = bytes | Callable[[Any], Any]


def ok(body: bytes = b"hello", head: bytes = b"") -> bytes:
    """Return an answer with status 200; `head` are further header lines."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body)


class Web:
    """Answers with the bytes that belong to a path, or lets a function do it to the socket.

    After no bytes, a function, or an answer that says so, the connection is closed. `requests` has
    (head, body) of each request, `connections` their number. `tls` is a context of gevent.ssl.
    """

    def __init__(self, answers: Mapping[str, Answer], tls: Any = None):
        self.answers = answers
        self.requests: list[tuple[str, bytes]] = []
        self.connections = 0
        options = {} if tls is None else {"ssl_context": tls}
        self._server = gevent.server.StreamServer(("127.0.0.1", 0), self._serve, **options)
        self._server.start()
        self.port = self._server.server_port

    def url(self, path: str, scheme: str = "http", host: str = "127.0.0.1") -> str:
        """Return the address of a path."""
        return f"{scheme}://{host}:{self.port}{path}"

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop(timeout=0)

    def _serve(self, sock: Any, _address: Any) -> None:
        self.connections += 1
        data = b""
        try:
            while True:
                while b"\r\n\r\n" not in data:
                    more = sock.recv(65536)
                    if not more:
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)
                while len(data) < length:
                    data += sock.recv(65536)
                self.requests.append((head.decode("latin-1"), data[:length]))
                data = data[length:]
                if self._answer(sock, head.split()[1].decode("latin-1")):
                    return
        except OSError:
            return
        finally:
            sock.close()

    def _answer(self, sock: Any, target: str) -> bool:
        """Answer one request; return whether that was the connection's last."""
        answer = self.answers.get(target, self.answers.get(target.partition("?")[0], b""))
        if callable(answer):
            answer(sock)
            return True
        sock.sendall(answer)
        return not answer or b"close" in answer.lower().partition(b"\r\n\r\n")[0]
