"""The process around the server: its user, its files' permissions, its limits, its id in a file."""

from __future__ import annotations

import fcntl
import os
import pwd
import resource

from prosody_py.app.errors import StartupError
from prosody_py.app.places import data_folder
from prosody_py.config.config import GLOBAL, Config


def refuse_root(config: Config) -> None:
    """Raise StartupError when the user is root and the option `run_as_root` does not allow it."""
    if os.geteuid() == 0 and config.get(GLOBAL, "run_as_root") is not True:
        raise StartupError(
            "prosody-py does not run as root, so that a mistake in it cannot cost the whole "
            "machine. Start it as a user of its own ('useradd --system prosody-py', then "
            "'runuser -u prosody-py -- prosody-py run'), or set 'run_as_root: true'.")


def become_owner(config: Config) -> None:
    """When root, go on as the owner of the data folder, so that no file there is root's."""
    folder = data_folder(config)
    if os.geteuid() != 0 or not os.path.isdir(folder):
        return
    stat = os.stat(folder)
    if stat.st_uid == 0:
        return
    try:
        name = pwd.getpwuid(stat.st_uid).pw_name
        os.initgroups(name, stat.st_gid)
    except KeyError:
        os.setgroups([])
    os.setgid(stat.st_gid)
    os.setuid(stat.st_uid)


def set_umask(config: Config) -> None:
    """Take from new files the permissions that the option `umask` names (default 027)."""
    given = config.get(GLOBAL, "umask")
    text = "027" if given is None else str(given)
    try:
        mask = int(text, 8)
    except ValueError:
        mask = -1
    if not 0 <= mask <= 0o777:
        raise StartupError(f"umask: {text!r} is not an octal number from 000 to 777; write for "
                           "instance 'umask: \"027\"'.")
    os.umask(mask)


def raise_file_limit() -> int:
    """Allow as many open files (connections) as the system lets us; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            pass  # some systems refuse their own limit; the old one stays
    return soft


class PidFile:
    """A file with the process id, locked as long as the process lives."""

    def __init__(self, path: str):
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StartupError(f"Cannot write the pidfile {path}: {error.strerror}.") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(self._file, 32).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StartupError(f"A server runs already: process {pid} holds {path}.") from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def remove(self) -> None:
        """Remove the file; the process is about to end."""
        try:
            os.unlink(self.path)
        except OSError:
            pass  # somebody has tidied up before us
        os.close(self._file)


def running_pid(path: str | None) -> int | None:
    """Return the id of the live process that holds a pidfile, None when there is none."""
    if path is None:
        return None
    try:
        with open(path, encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    except (OSError, UnicodeDecodeError):
        return None
    else:
        return None  # nobody holds it: left over from a process that was killed
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read(32))
    except (OSError, ValueError):
        return None
