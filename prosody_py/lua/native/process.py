"""Facts about this process and its machine, and what a module may change of them.

What is changed is the whole server's: mask, user and limits are those of the process.
"""

import errno
import grp
import os
import pwd
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


def set_limits(name: bytes, soft: int | None, hard: int | None) -> tuple[bool, bytes] | bool:
    """Change the limits of a resource; -1 is none at all, None what it is.

    Returns True, or False and b"invalid-resource" or b"setrlimit-failed".
    """
    number = getattr(resource, "RLIMIT_" + name.decode("ascii", "replace"), None)
    if number is None:
        return False, b"invalid-resource"
    now = resource.getrlimit(number)
    try:
        resource.setrlimit(number, (now[0] if soft is None else soft,
                                    now[1] if hard is None else hard))
    except (OSError, ValueError, OverflowError):
        return False, b"setrlimit-failed"
    return True


def set_user(wanted: bytes | float) -> tuple[bool, bytes] | bool:
    """Become the user of a name or number.

    Returns True, or False and b"no-such-user", b"invalid-uid", b"permission-denied" or
    b"unknown-error".
    """
    return _become(wanted, lambda name: pwd.getpwnam(name).pw_uid, os.setuid, b"user", b"uid")


def set_group(wanted: bytes | float) -> tuple[bool, bytes] | bool:
    """Become one of the group of a name or number; the results are those of `set_user`."""
    return _become(wanted, lambda name: grp.getgrnam(name).gr_gid, os.setgid, b"group", b"gid")


def _become(wanted: bytes | float, number_of: Callable, change: Callable, what: bytes,
            short: bytes) -> tuple[bool, bytes] | bool:
    try:
        number = number_of(os.fsdecode(wanted)) if isinstance(wanted, bytes) else int(wanted)
    except (KeyError, ValueError, OverflowError):
        return False, (b"no-such-" + what if isinstance(wanted, bytes) else b"invalid-" + short)
    try:
        if number < 0:
            return False, b"invalid-" + short
        change(number)
    except OverflowError:
        return False, b"invalid-" + short
    except OSError as error:
        return False, {errno.EINVAL: b"invalid-" + short,
                       errno.EPERM: b"permission-denied"}.get(error.errno, b"unknown-error")
    return True


def set_groups_of(name: bytes, group: float | None) -> tuple[bool | None, bytes | None]:
    """Become one of all groups of a user, and of `group` (his own one if None).

    Returns (True, None), or None and b"no-such-user", b"permission-denied" and so on.
    """
    try:
        user = pwd.getpwnam(os.fsdecode(name))
    except (KeyError, ValueError):
        return None, b"no-such-user"
    try:
        os.initgroups(user.pw_name, user.pw_gid if group is None else int(group))
    except (OverflowError, ValueError):
        return None, b"invalid-gid"
    except OSError as error:
        return None, {errno.ENOMEM: b"no-memory",
                      errno.EPERM: b"permission-denied"}.get(error.errno, b"unknown-error")
    return True, None


def set_variable(name: bytes, value: bytes | None) -> tuple[None, bytes] | bool:
    """Set a variable of the environment, None removes it; True, or None and why not."""
    try:
        if value is None:
            os.environb.pop(name, None)
        else:
            os.environb[name] = value
    except (OSError, ValueError):
        return None, os.strerror(errno.EINVAL).encode()
    return True


def make_folder(path: bytes) -> tuple[bool, bytes] | bool:
    """Make a folder with the mode 775 less the mask; True, or False and why not."""
    try:
        os.mkdir(path, 0o775)
    except (OSError, ValueError) as error:
        return False, os.strerror(getattr(error, "errno", None) or errno.EINVAL).encode()
    return True


def functions() -> dict[str, Callable | int]:
    """Return what util.pposix is made of."""
    return {
        "getpid": os.getpid, "getppid": os.getppid, "umask": os.umask, "set_user": set_user,
        "set_group": set_group, "set_groups_of": set_groups_of, "set_limits": set_limits,
        "set_variable": set_variable, "make_folder": make_folder,
        "getuid": os.getuid, "getgid": os.getgid, "uname": uname,
        "memory": memory, "limits": limits, "ENOENT": errno.ENOENT,
        "isatty": lambda number: os.isatty(number) if isinstance(number, int) else False,
    }
