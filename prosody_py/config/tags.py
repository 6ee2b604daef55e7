"""Values from elsewhere: `!env NAME`, `!file PATH` and `!credential NAME`.

They keep secrets out of the configuration file. What they give is always text, and is marked as
secret, so no message shows it.
"""

from __future__ import annotations

import os
import stat

MAX_FILE_SIZE = 64 * 1024
"""Largest file that `!file` and `!credential` read, in bytes."""

CREDENTIALS = "CREDENTIALS_DIRECTORY"
TAGS = ("!env", "!file", "!credential")


class TagError(ValueError):
    """A tag's value cannot be had; `hint` says what to do."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


def resolve(tag: str, argument: str, directory: str) -> str:
    """Return the text that a tag stands for.

    `tag` is one of TAGS; a relative path of `!file` starts at `directory`. Raises TagError.
    """
    if not argument:
        raise TagError(f"{tag} needs a name", f"write {tag} NAME")
    if "\0" in argument:
        raise TagError(f"{tag}: the name has a NUL character in it")
    if tag == "!env":
        return _from_environment(argument)
    if tag == "!file":
        return _read(os.path.join(directory, argument), f"!file {argument}")
    return _from_credentials(argument)


def _from_environment(name: str) -> str:
    # The process may live in an 8-bit locale; such bytes arrive as lone surrogates.
    value = os.environ.get(name)
    if value is None:
        raise TagError(
            f"!env {name}: the environment has no variable of this name",
            "set it before the server starts, in its unit file for instance",
        )
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise TagError(f"!env {name}: the value is not UTF-8")
    return value


def _from_credentials(name: str) -> str:
    if "/" in name or name in (".", ".."):
        raise TagError(f"!credential {name}: this is a path", "a credential has a plain name")
    directory = os.environ.get(CREDENTIALS)
    if not directory:
        raise TagError(
            f"!credential {name}: the server was started without credentials",
            f"{CREDENTIALS} is not set; add LoadCredential={name}:PATH to the systemd unit",
        )
    return _read(os.path.join(directory, name), f"!credential {name}")


def _read(path: str, what: str) -> str:
    try:
        data = read_regular(path, MAX_FILE_SIZE)
    except (OSError, ValueError) as error:
        raise TagError(f"{what}: {reason(error)}") from None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise TagError(f"{what}: the file is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")


def read_regular(path: str, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; raises OSError or ValueError.

    A pipe or a device is refused before it is opened for good: reading one could wait for ever.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("this is not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"the file is larger than {limit // 1024} KB")
    return data


def reason(error: Exception) -> str:
    """Say in a few words why a file could not be read."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)
