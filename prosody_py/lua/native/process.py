"""Facts about this process and its machine."""

import errno
import os
import resource
from collections.abc import Callable


def uname() -> tuple[bytes, ...]:
    """Return sysname, nodename, release, version and machine."""
    return tuple(os.fsencode(field) for field in os.uname())


def memory() -> tuple[int, int]:
    """Return the resident and the largest resident size of this process in bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    try:
        with open("/proc/self/statm", "rb", buffering=0) as statm:
            resident = int(statm.read().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        resident = largest
    return resident, largest


def limits(name: bytes) -> tuple[int | bytes, int | bytes] | tuple[None, bytes]:
    """Return the soft and hard limit of a resource such as b"NOFILE"; b"unlimited" for none."""
    number = getattr(resource, "RLIMIT_" + name.decode("ascii", "replace"), None)
    if number is None:
        return None, b"invalid-resource"
    soft, hard = resource.getrlimit(number)
    unlimited = resource.RLIM_INFINITY
    return (b"unlimited" if soft == unlimited else soft,
            b"unlimited" if hard == unlimited else hard)


def functions() -> dict[str, Callable | int]:
    """Return the functions and constants of util.pposix that only read."""
    return {
        "getpid": os.getpid, "getuid": os.getuid, "getgid": os.getgid, "uname": uname,
        "memory": memory, "limits": limits, "ENOENT": errno.ENOENT,
        "isatty": lambda number: os.isatty(number) if isinstance(number, int) else False,
    }
