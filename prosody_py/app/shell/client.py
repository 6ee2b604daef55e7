"""The client's side of the admin socket, for the command line: plain blocking sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from prosody_py.app.errors import CommandError, CommandFailed
from prosody_py.app.shell.address import connect
from prosody_py.app.shell.protocol import decode, encode

__all__ = ["AdminClient", "CommandFailed", "NotRunning", "Unreachable"]


class NotRunning(CommandError):
    """No server answers at the admin socket; the text says where it was looked for."""


class Unreachable(CommandError):
    """There may be a server at the admin socket, but this user cannot talk to it."""


class AdminClient:
    """A connection to a running server; raises NotRunning or Unreachable."""

    def __init__(self, path: str):
        self.path = path
        self._last = 0
        self.renew()

    def renew(self) -> None:
        """Connect, anew if need be: whatever was asked before is not waited for any more."""
        path = self.path
        if self._last:
            self.close()
        try:
            self._sock = connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning(f"No server is running here: nobody answers at {path}") from None
        except OSError as error:
            raise Unreachable(f"Cannot reach the server at {path}: {error.strerror}. Only the user "
                              "that it runs as, and root, may.") from None
        self._file = self._sock.makefile("rb")

    def ask(self, question: dict[str, Any],
            progress: Callable[[str], None] = print) -> dict[str, Any]:
        """Return the answer to a question; lines that come before it go to `progress`.

        Raises CommandFailed with the server's words, or when the server goes away.
        """
        self._last += 1
        try:
            with suppress(BrokenPipeError):  # the server has said why before it went
                self._sock.sendall(encode({"id": self._last, **question}))
            while line := self._file.readline():
                answer = decode(line)
                if "line" in answer:
                    progress(answer["line"])
                elif answer.get("ok"):
                    return answer
                else:
                    raise CommandFailed(answer.get("error") or "Failed")
        except (OSError, ValueError):
            pass  # told below, in the same words as an end of the connection
        raise CommandFailed("The server ended the connection before it had answered")

    def run(self, words: list[str], progress: Callable[[str], None] = print) -> dict[str, Any]:
        """Run a command; see `ask`."""
        return self.ask({"words": words}, progress)

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        with suppress(OSError):  # the server was faster
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
