"""The log: lines for people on a terminal, JSON for machines, each with its module and session.

Option `log`: {level: info, format: text|json, to: console|syslog|path, modules: {mod_x: debug}}.
On a console that is the journal of systemd, lines carry their level and leave the time to it.
Writing to a file never switches greenlets, so any code may log.
"""

from __future__ import annotations

import errno
import json
import logging
import logging.handlers
import os
import sys
from typing import Any

from prosody_py.app.errors import StartupError

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING,
          "warning": logging.WARNING, "error": logging.ERROR}
_COLOURS = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31"}
_NAMES = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn",
          logging.ERROR: "error", logging.CRITICAL: "error"}


class TextFormatter(logging.Formatter):
    """One line: time, level, source and session in columns, then the text."""

    def __init__(self, colour: bool = False):
        super().__init__(datefmt="%b %d %H:%M:%S")
        self.colour = colour

    def format(self, record: logging.LogRecord) -> str:
        source = _source(record)
        if (session := getattr(record, "session", None)) is not None:
            source = f"{source} {session}"
        level = _NAMES.get(record.levelno, record.levelname.lower())
        text = _one_line(record.getMessage())
        line = f"{self.formatTime(record, self.datefmt)} {source:<24} {level:<5} {text}"
        if self.colour and record.levelno in _COLOURS:
            line = f"\x1b[{_COLOURS[record.levelno]}m{line}\x1b[0m"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JournalFormatter(TextFormatter):
    """One line for the journal: the level as sd-daemon(3) writes it, no time."""

    _PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4}

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"<{self._PRIORITIES.get(record.levelno, 3)}>"

    def format(self, record: logging.LogRecord) -> str:
        first, *more = super().format(record).split("\n")
        priority = first.partition(">")[0]
        # Each line is an entry of its own there, and needs its level.
        return "\n".join([first, *(f"{priority}> {line}" for line in more)])


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": _NAMES.get(record.levelno, record.levelname.lower()),
            "source": _source(record),
            "message": record.getMessage(),
        }
        if (session := getattr(record, "session", None)) is not None:
            entry["session"] = session
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _source(record: logging.LogRecord) -> str:
    """Return who wrote a line; of a session's lines, the module that was at work."""
    return record.module if record.name == "session" else record.name


def _one_line(text: str) -> str:
    """Keep what a peer has sent from forging lines of its own."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else
                   "\n    " if char == "\n" else repr(char)[1:-1] for char in text)


_installed: list[logging.Handler] = []


def set_up(config, base: str) -> None:
    """Make the log what the option `log` says; may be called again after a reload.

    Raises StartupError when it cannot be opened; then the log stays what it was.
    """
    option = config.get("*", "log") or {}
    if isinstance(option, str):
        option = {"to": option}
    try:
        handler = _handler(option.get("to") or "console", base)
    except OSError as error:
        raise StartupError(f"Cannot write the log to {option['to']}: {error.strerror}. See the "
                           "option log.") from None
    handler.setFormatter(_formatter(option, getattr(handler, "stream", None)))
    take_down()
    _installed.append(handler)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(LEVELS.get(option.get("level", "info"), logging.INFO))
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in (option.get("modules") or {}).items():
        logging.getLogger(name).setLevel(LEVELS.get(level, logging.INFO))


def take_down() -> None:
    """Close the log that `set_up` has opened; handlers of others stay."""
    while _installed:
        handler = _installed.pop()
        logging.getLogger().removeHandler(handler)
        handler.close()


def _formatter(option: dict[str, Any], stream: Any) -> logging.Formatter:
    if option.get("format") == "json":
        return JsonFormatter()
    if stream is not None and _is_journal(stream):
        return JournalFormatter()
    colour = bool(stream is not None and stream.isatty()) and "NO_COLOR" not in os.environ
    return TextFormatter(colour)


def _is_journal(stream: Any) -> bool:
    """Whether what we write goes to the journal: $JOURNAL_STREAM names its device and inode."""
    try:
        stat = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


_STANDARD_ERROR = ("console", "*console", "stderr")
_DEV_LOG = "/dev/log"
_SYSLOG = ("syslog", "*syslog")


def file_of(option: Any, base: str) -> str | None:
    """Return the path of the file that an option `log` names, None when it names none."""
    to = option.get("to") if isinstance(option, dict) else None
    if not isinstance(to, str) or not to or to in (*_STANDARD_ERROR, "stdout", *_SYSLOG):
        return None
    return os.path.join(base, to)


class SyslogHandler(logging.handlers.SysLogHandler):
    """Lines for the syslog of the machine; while nobody listens there, for the standard error."""

    def handleError(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


def _syslog() -> logging.Handler:
    if not os.path.exists(_DEV_LOG):
        raise OSError(errno.ENOENT, f"no syslog service listens on {_DEV_LOG}")
    return SyslogHandler(_DEV_LOG)


def _handler(to: str, base: str) -> logging.Handler:
    if to in _STANDARD_ERROR:
        return logging.StreamHandler(sys.stderr)
    if to == "stdout":
        return logging.StreamHandler(sys.stdout)
    if to in _SYSLOG:
        return _syslog()
    # Reopens the file when it was moved away, so that logrotate needs no signal.
    return logging.handlers.WatchedFileHandler(os.path.join(base, to), encoding="utf-8")
