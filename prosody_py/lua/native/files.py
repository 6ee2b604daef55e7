"""The file system, as far as LuaFileSystem shows it."""

import errno
import os
import stat
from collections.abc import Callable
from functools import wraps

_MODES = {
    stat.S_IFREG: b"file", stat.S_IFDIR: b"directory", stat.S_IFLNK: b"link",
    stat.S_IFSOCK: b"socket", stat.S_IFIFO: b"named pipe", stat.S_IFCHR: b"char device",
    stat.S_IFBLK: b"block device",
}

Failure = tuple[None, bytes, int]


def _failure(path: bytes, error: OSError) -> Failure:
    number = error.errno or errno.EINVAL
    return None, path + b": " + os.strerror(number).encode(), number


def _reporting(function: Callable) -> Callable:
    """Return (None, reason, errno) instead of raising an OSError or for a NUL in a path."""
    @wraps(function)
    def call(path: bytes, *rest: object) -> object:
        try:
            return function(path, *rest)
        except OSError as error:
            return _failure(path, error)
        except ValueError:
            return None, b"invalid file name", errno.EINVAL

    return call


@_reporting
def attributes(path: bytes, follow: bool) -> tuple | Failure:
    """Return the 14 attributes in the order of lfs.lua; times in seconds since 1970."""
    info = os.stat(path, follow_symlinks=bool(follow))
    return (
        _MODES.get(stat.S_IFMT(info.st_mode), b"other"), info.st_dev, info.st_ino, info.st_nlink,
        info.st_uid, info.st_gid, info.st_rdev, int(info.st_atime), int(info.st_mtime),
        int(info.st_ctime), info.st_size, info.st_blocks, info.st_blksize,
        stat.filemode(info.st_mode)[1:].encode(),
    )


@_reporting
def entries(path: bytes) -> bytes | Failure:
    """Return the names in a folder, each followed by a NUL, "." and ".." first."""
    return b"".join([name + b"\0" for name in (b".", b"..", *os.listdir(path))])


def _done(function: Callable) -> Callable:
    @_reporting
    def call(path: bytes, *rest: object) -> bool:
        function(path, *rest)
        return True

    return call


def _touch(path: bytes, accessed: float | None = None, modified: float | None = None) -> None:
    if accessed is None:
        os.utime(path)
    else:
        os.utime(path, (accessed, accessed if modified is None else modified))


def _link(target: bytes, name: bytes, symbolic: object = None) -> None:
    (os.symlink if symbolic else os.link)(target, name)


def functions() -> dict[str, Callable]:
    """Return the functions behind lfs.lua."""
    return {
        "attributes": attributes, "entries": entries, "mkdir": _done(os.mkdir),
        "rmdir": _done(os.rmdir), "chdir": _done(os.chdir), "currentdir": os.getcwdb,
        "touch": _done(_touch), "link": _done(_link), "readlink": _reporting(os.readlink),
        "remove": _done(os.remove), "rename": _done(os.rename),
    }
