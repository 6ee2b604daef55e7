"""The server's own secret, from which others are derived: salts of unknown users, and the like."""

from __future__ import annotations

import hmac
import os
import secrets


class ServerSecret:
    """32 random bytes in a file that only the server may read; made at the first start."""

    def __init__(self, path: str):
        try:
            with open(path, "rb") as file:
                self._key = file.read()
        except FileNotFoundError:
            self._key = secrets.token_bytes(32)
            descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._key)
                file.flush()
                os.fsync(file.fileno())
            os.replace(path + ".new", path)
        if len(self._key) < 16:
            raise ValueError(f"{path} is damaged: it must hold 32 bytes. Remove it to have a new "
                             "one made.")

    def __call__(self, purpose: str) -> bytes:
        """Return the secret for one purpose; the same after a restart."""
        return hmac.digest(self._key, purpose.encode(), "sha256")
