"""Requests: programs that a module runs (os.execute, io.popen), in a thread of their own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

from gevent.threadpool import ThreadPool

_AT_ONCE = 8  # programs; further ones wait for these, and nothing else waits with them
_OUTPUT = 16 * 1024 * 1024  # bytes that a module gets of what a program prints

_threads: ThreadPool | None = None


def _pool() -> ThreadPool:
    global _threads
    if _threads is None:
        _threads = ThreadPool(_AT_ONCE)
    return _threads


def _run(command: str, given: bytes | None, wants_output: bool) -> tuple[bytes, int]:
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            ["/bin/sh", "-c", command], check=False, input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            stdout=output if wants_output else None)
        output.seek(0)
        return output.read(_OUTPUT), done.returncode


def run_command(border, server, command: bytes, given: Any = None,
                wants_output: Any = False) -> tuple[bytes, bytes, int]:
    """Run a command of the shell to its end; return output, "exit" or "signal", and its number.

    command: for /bin/sh. given: bytes for its standard input, which is empty without them.
    """
    output, code = _pool().apply(
        _run, (border.to_python(command), given, bool(wants_output)))
    return output, b"exit" if code >= 0 else b"signal", abs(code)


REQUESTS: dict[str, Callable[..., Any]] = {"run_command": run_command}
