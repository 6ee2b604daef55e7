"""Log sinks of Lua modules: functions `(source, level, format, ...)` that get the log's lines.

`log: {sinks: [{to: NAME, level: info, ...}]}` asks for them; a module that calls
`core.loggingmanager.register_sink_type(NAME, maker)` provides them. A line may be written while
Lua runs, so lines wait in a queue, and the sink is called when nothing else is under way.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from gevent import get_hub

from prosody_py.concurrency import workers

MAX_WAITING = 10_000
"""Lines that may wait for one sink; more are dropped, the oldest first."""

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING,
           "error": logging.ERROR}
_NAMES = {number: name for name, number in _LEVELS.items()}
log = logging.getLogger("log")


class LuaSink(logging.Handler):
    """One sink: gives lines of at least its level to a function, one after the other."""

    def __init__(self, name: str, function: Callable[..., Any], level: int):
        super().__init__(level)
        self.name_of_type = name
        self._function = function
        self._lines: deque[tuple[str, str, str]] = deque(maxlen=MAX_WAITING)
        self._busy = self._scheduled = False
        self._loop = get_hub().loop  # lines may come from threads, which have hubs of their own

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line. What the sink itself logs does not come back to it."""
        if self._busy:
            return
        level = _NAMES.get(record.levelno, "error" if record.levelno > logging.WARNING else "info")
        self._lines.append((record.name, level, record.getMessage()))
        if not self._scheduled:
            self._scheduled = True
            self._loop.run_callback_threadsafe(workers.run, self.flush_lines)

    def flush_lines(self) -> None:
        """Give the waiting lines to the function."""
        self._scheduled = False
        if self._busy:
            return
        self._busy = True
        try:
            while self._lines:
                source, level, text = self._lines.popleft()
                self._function(source, level, "%s", text)
        except Exception as error:
            logging.getLogger().removeHandler(self)
            log.error("The log sink %s fails and gets no more lines: %s", self.name_of_type,
                      getattr(error, "lua_traceback", None) or error)
        finally:
            self._busy = False


def open_all(server, border, name: str) -> None:
    """Make the sinks of one type that the option `log` asks for; called with no Lua below."""
    maker = server.extras["log_sink_makers"][name]
    option = server.config.get("*", "log")
    wanted = option.get("sinks") if isinstance(option, dict) else None
    for config in wanted or ():
        if config.get("to") != name:
            continue
        function = maker(border.to_python(border.copy_to_lua(config)))
        if not callable(function):
            log.error("The log sink %s cannot be made: its module gave no function", name)
            continue
        sink = LuaSink(name, function, _LEVELS.get(config.get("level", "info"), logging.INFO))
        server.extras.setdefault("log_sinks", []).append(sink)
        logging.getLogger().addHandler(sink)


def close(server, name: str | None = None) -> None:
    """End the sinks of a type; of all types without a name."""
    kept = []
    for sink in server.extras.get("log_sinks", ()):
        if name is None or sink.name_of_type == name:
            logging.getLogger().removeHandler(sink)
        else:
            kept.append(sink)
    server.extras["log_sinks"] = kept
