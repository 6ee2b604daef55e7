"""The events of requests: names such as "GET example.com/path/*", where `/*` stands for the rest.

Handlers of the exact name come first, then those of the longest pattern that fits, and so on;
among handlers of one name the priority counts, as everywhere.
"""

from __future__ import annotations

from typing import Any

from prosody_py.events.bus import Events, Handler


class HttpEvents(Events):
    """An events object whose names may end with `/*`."""

    __slots__ = ()

    def get_handlers(self, name: str) -> tuple[Handler, ...]:
        """Return all handlers whose name fits, in the order in which they run."""
        index = self.index
        found = index.get(name, ())
        end = name.rfind("/")
        while end >= 0:
            more = index.get(name[:end] + "/*")
            if more and name[end:] != "/*":
                found += more
            end = name.rfind("/", 0, end)
        return found

    def fire_event(self, name: str, data: Any = None) -> Any:
        """Run the handlers of `name` with `data`; return the first result that is not None."""
        return self._fire_wrapped(name, data) if self.wrapped else self._run(name, data)
