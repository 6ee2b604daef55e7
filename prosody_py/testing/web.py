"""A web client for tests: one connection, on which it says exactly what it is told.

It runs on gevent sockets in the same process as the server under test, or against any server.
"""

from __future__ import annotations

from dataclasses import dataclass

import h11
from gevent import socket, ssl


@dataclass
class Answer:
    """An answer: header names are in small letters, those of several headers joined by commas."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class WebClient:
    """A connection to a web server; with `tls` the certificate is not looked at."""

    def __init__(self, address: tuple[str, int], host: str = "localhost", tls: bool = False,
                 timeout: float = 20):
        self.host = host
        self.sock = socket.create_connection(address, timeout)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2", "http/1.1"])
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
        self.sock.settimeout(timeout)
        self._received = b""

    def send(self, data: bytes | str) -> WebClient:
        """Send bytes as they are."""
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None,
            body: bytes | None = None) -> WebClient:
        """Send a request; a body gets its Content-Length."""
        given = {"Host": self.host, **(headers or {})}
        if body is not None and "Transfer-Encoding" not in given:
            given.setdefault("Content-Length", str(len(body)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return self.send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
                         + (body or b""))

    def answer(self, method: str = "GET") -> Answer:
        """Return the next answer, which is one to a request with `method`."""
        protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        protocol.send(h11.Request(method=method, target="/", headers=[("Host", self.host)]))
        protocol.send(h11.EndOfMessage())
        if self._received:
            protocol.receive_data(self._received)
        head, body = None, []
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(self.sock.recv(65536))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionError("the connection was closed before an answer")
        self._received = protocol.trailing_data[0]
        headers: dict[str, str] = {}
        for name, value in head.headers:
            name, text = name.decode(), value.decode("latin-1")
            headers[name] = f"{headers[name]},{text}" if name in headers else text
        return Answer(head.status_code, headers, b"".join(body))

    def request(self, method: str, path: str, headers: dict[str, str] | None = None,
                body: bytes | None = None) -> Answer:
        """Send a request and return its answer."""
        return self.ask(method, path, headers, body).answer(method)

    def get(self, path: str, **headers: str) -> Answer:
        """Return the answer to a GET; `if_range` is the header If-Range."""
        return self.request("GET", path, {name.replace("_", "-"): value
                                          for name, value in headers.items()})

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        data, self._received = [self._received], b""
        try:
            while chunk := self.sock.recv(65536):
                data.append(chunk)
        except ConnectionResetError:
            data.append(b"")
        return b"".join(data)

    def is_open(self) -> bool:
        """Whether the server has neither closed the connection nor said anything."""
        self.sock.settimeout(0.05)
        try:
            return self.sock.recv(1) != b"" and False
        except TimeoutError:
            return True
        except OSError:
            return False
        finally:
            self.sock.settimeout(20)

    def close(self) -> None:
        """Close the connection."""
        self.sock.close()
