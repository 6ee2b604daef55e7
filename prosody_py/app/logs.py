"""The log: lines for people on a terminal, JSON for machines, each with its module and session.

Option `log`: {level: info, format: text|json, to: console|syslog|path, modules: {mod_x: debug}}.
Writing to a file never switches greenlets, so any code may log.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
from typing import Any

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
        source = record.name
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


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": _NAMES.get(record.levelno, record.levelname.lower()),
            "source": record.name,
            "message": record.getMessage(),
        }
        if (session := getattr(record, "session", None)) is not None:
            entry["session"] = session
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Keep what a peer has sent from forging lines of its own."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else
                   "\n    " if char == "\n" else repr(char)[1:-1] for char in text)


def set_up(config, base: str) -> None:
    """Make the log what the option `log` says; may be called again after a reload."""
    option = config.get("*", "log") or {}
    if isinstance(option, str):
        option = {"to": option}
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    handler = _handler(option.get("to", "console"), base)
    if option.get("format") == "json":
        handler.setFormatter(JsonFormatter())
    else:
        stream = getattr(handler, "stream", None)
        colour = bool(stream is not None and stream.isatty()) and "NO_COLOR" not in os.environ
        handler.setFormatter(TextFormatter(colour))
    root.addHandler(handler)
    root.setLevel(LEVELS.get(option.get("level", "info"), logging.INFO))
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in (option.get("modules") or {}).items():
        logging.getLogger(name).setLevel(LEVELS.get(level, logging.INFO))


def _handler(to: str, base: str) -> logging.Handler:
    if to in ("console", "*console", "stderr"):
        return logging.StreamHandler(sys.stderr)
    if to == "stdout":
        return logging.StreamHandler(sys.stdout)
    if to in ("syslog", "*syslog"):
        return logging.handlers.SysLogHandler("/dev/log")
    # Reopens the file when it was moved away, so that logrotate needs no signal.
    return logging.handlers.WatchedFileHandler(os.path.join(base, to), encoding="utf-8")
