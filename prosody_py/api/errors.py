"""What goes wrong with modules."""

from __future__ import annotations


class LoadError(Exception):
    """A module could not be loaded, reloaded or unloaded.

    `code` is Prosody's short name of the failure where it has one ("module-not-loaded",
    "module-already-loaded", "unknown-host", "save-state-failed" ...).
    """

    def __init__(self, message: str, code: str | None = None):
        super().__init__(message)
        self.code = code or message
