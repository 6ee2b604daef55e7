"""Errors that are shown to people as they are, without a traceback."""

from __future__ import annotations


class StartupError(Exception):
    """The server cannot start; the text says why and what to do."""


class CommandError(Exception):
    """A command of the command line failed; the text says why and what to do."""


class CommandFailed(CommandError):
    """The running server has answered that a command could not be done."""
