"""The part of the module API that deals with events."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from prosody_py.api.registrations import HandlerEntry, WrapperEntry
from prosody_py.events import catalogue
from prosody_py.events.bus import Events
from prosody_py.xmpp.stanza import Stanza


class BoundHandler:
    """A function of a module as a handler: what the log and the statistics know it by."""

    __slots__ = ("function", "module")

    def __init__(self, module, function: Callable[[Any], Any]):
        self.module = module
        self.function = function

    def __call__(self, event: Any) -> Any:
        return self.function(event)

    def __repr__(self) -> str:
        return f"<{getattr(self.function, '__name__', self.function)} of {self.module}>"


class Hooking:
    """`module.hook` and its kin; mixed into Module."""

    def hook(self, event: str, handler: Callable, priority: float = 0) -> None:
        """Call `handler(event)` for an event of the module's host (of the server when global)."""
        self.hook_object_event(self.events, event, handler, priority)

    def hook_global(self, event: str, handler: Callable, priority: float = 0) -> None:
        """Call `handler(event)` for an event of the server."""
        self.hook_object_event(self.server.events, event, handler, priority)

    def hook_object_event(self, events: Events, event: str, handler: Callable,
                          priority: float = 0) -> None:
        """Call `handler(event)` for an event of any events object."""
        if (meant := catalogue.slip_of(event, events.index)) is not None:
            self.log("warn", "hooks the event %r, which nothing fires; did you mean %r?",
                     event, meant)
        if not callable(handler):
            raise TypeError(f"the handler of {event!r} is not a function: {handler!r}")
        if not isinstance(priority or 0, int | float):
            raise TypeError(f"the priority of a handler of {event!r} is not a number: {priority!r}")
        bound = handler if hasattr(handler, "module") or isinstance(handler, partial) \
            else BoundHandler(self, handler)
        self.registrations.add(HandlerEntry(events, event, bound, priority or 0, handler))

    def hook_tag(self, xmlns: str | None, name: str, handler: Callable,
                 priority: float = 0) -> None:
        """Call `handler(session, stanza, event)` for an element that is not a routed stanza."""
        event = f"stanza/{xmlns}:{name}" if xmlns else "stanza/" + name
        self.hook(event, lambda data: handler(data.origin, data.stanza, data), priority)

    def unhook(self, event: str, handler: Callable) -> None:
        """Take back a handler of the module's host."""
        self.unhook_object_event(self.events, event, handler)

    def unhook_object_event(self, events: Events, event: str, handler: Callable) -> None:
        """Take back a handler of any events object."""
        for entry in self.registrations.entries:
            if (isinstance(entry, HandlerEntry) and entry.events is events
                    and entry.name == event and entry.function == handler):
                self.registrations.remove(entry)
                return

    def wrap_event(self, event: str | None, wrapper: Callable) -> None:
        """Run `wrapper(fire, name, data)` around an event of the host; None wraps all."""
        self.wrap_object_event(self.events, event, wrapper)

    def wrap_global(self, event: str | None, wrapper: Callable) -> None:
        """Run `wrapper(fire, name, data)` around an event of the server; None wraps all."""
        self.wrap_object_event(self.server.events, event, wrapper)

    def wrap_object_event(self, events: Events, event: str | None, wrapper: Callable) -> None:
        """Run `wrapper(fire, name, data)` around an event of any events object."""
        self.registrations.add(WrapperEntry(events, event, wrapper))

    def fire_event(self, event: str, data: Any = None) -> Any:
        """Fire an event of the module's host (of the server when global)."""
        return self.events.fire_event(event, data)


def answer_iq(module, function: Callable, passed: Any, event: Any) -> bool | None:
    """Run an @iq function and send what it returns (see prosody_py.api.marks.iq)."""
    result = function(module, event)
    if result is passed:
        return None
    stanza = event.stanza
    if result is not None and result.name == "iq":
        event.origin.send(result)
        return True
    attr = {"type": "result", "id": stanza.attr.get("id")}
    if (sender := stanza.attr.get("from")) is not None:
        attr["to"] = sender
    if (to := stanza.attr.get("to")) is not None:
        attr["from"] = to
    reply = Stanza("iq", attr)
    if result is not None:
        reply.children.append(result)
    event.origin.send(reply)
    return True
