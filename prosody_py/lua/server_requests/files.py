"""Requests: files that a library of Lua reads and writes as a whole (datamanager.files).

The disk is waited for in a thread. What has been answered with true is on the disk.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Any

from gevent import get_hub

_LOCKS = tuple(threading.Lock() for _ in range(64))  # one call at a time for each file
Failure = tuple[None, bytes, int]


def _in_thread(work: Callable[..., Any]) -> Callable[..., Any]:
    """Make a request of a function of (path, ...); an OSError is answered nil, text, number."""

    def locked(path: bytes, *rest: Any) -> Any:
        with _LOCKS[hash(path) % len(_LOCKS)]:
            try:
                return work(path, *rest)
            except OSError as error:
                number = error.errno or errno.EIO
                return None, path + b": " + os.strerror(number).encode(), number
            except ValueError:  # a NUL in the path
                return None, b"invalid file name", errno.EINVAL

    def request(_border, _server, *raw: Any) -> Any:
        return get_hub().threadpool.apply(locked, raw)

    return request


def _sync_folder(path: bytes) -> None:
    folder = os.open(os.path.dirname(path) or b".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _write(path: bytes, data: bytes) -> bool:
    """Replace a file, which is either the old or the new one whatever happens."""
    scratch = path + b"~"
    try:
        with open(scratch, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(scratch, path)
    except OSError:
        if os.path.exists(scratch):
            os.unlink(scratch)
        raise
    _sync_folder(path)
    return True


def _append(path: bytes, data: bytes) -> tuple[bool, int]:
    """Add to a file, all or nothing; return true and where the new part begins."""
    with open(path, "ab") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, size)
            raise
    if not size:
        _sync_folder(path)
    return True, size


def _remove(path: bytes) -> bool:
    """Remove a file; one that is not there counts as removed."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return True
    _sync_folder(path)
    return True


REQUESTS: dict[str, Callable[..., Any]] = {
    "file_read": _in_thread(_read), "file_write": _in_thread(_write),
    "file_append": _in_thread(_append), "file_remove": _in_thread(_remove),
}
