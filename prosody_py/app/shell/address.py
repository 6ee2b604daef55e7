"""The address of the admin socket: a path in the file system, of any length.

The kernel takes paths of at most 107 bytes; longer ones go by way of the folder's descriptor.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST = 107


@contextmanager
def _short(path: str) -> Iterator[str]:
    """Give a form of the path that the kernel takes, for as long as it is needed."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"
    finally:
        os.close(folder)


def connect(path: str, timeout: float | None = None) -> socket.socket:
    """Return a connection to the server at `path`; raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.settimeout(timeout)
    try:
        with _short(path) as address:
            sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def answers(path: str) -> bool:
    """Whether a server listens at `path`."""
    try:
        connect(path, 2).close()
    except OSError:
        return False
    return True


def listen(path: str) -> socket.socket:
    """Return a socket that listens at `path`, for the owner alone; raises OSError.

    What a server that was killed has left there is replaced; one that answers is not.
    """
    if answers(path):
        raise FileExistsError(errno.EADDRINUSE, "another server listens there", path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        remove(path)
        umask = os.umask(0o177)  # never open to others, not even for a moment
        try:
            with _short(path) as address:
                sock.bind(address)
        finally:
            os.umask(umask)
        sock.listen(16)
    except OSError:
        sock.close()
        raise
    return sock


def remove(path: str) -> None:
    """Remove the socket's file; raises OSError when that is not possible or it is no socket."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(errno.EEXIST, "there is a file that is no socket", path)
        os.unlink(path)
    except FileNotFoundError:
        pass  # nothing to remove, or its owner was faster


def peer_of(sock: socket.socket) -> tuple[int, int, int]:
    """Return (process, user, group) of the other side, as the kernel knows them."""
    size = struct.calcsize("3i")
    return struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
