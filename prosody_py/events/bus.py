"""Events: named chains of handlers, the only way in which features meet.

Semantics are Prosody's: handlers run in order of priority, highest first, and the first result
that is not None ends the chain and is the event's result. Two things are settled that Prosody
leaves open: handlers of equal priority run in the order of their registration, and an error in
a handler stays with it (see `Events.failed`).

The chain of an event is compiled when it changes, not when it is fired, and a firing works on
the chain as it was when it began. An event that nobody handles has no entry at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any], Any]
FireEvent = Callable[[str, Any], Any]
Wrapper = Callable[[FireEvent, str, Any], Any]
log = logging.getLogger("events")


def log_failure(handler: Handler, name: str, data: Any, error: Exception) -> None:
    """Log the error of a handler and go on with the next handler."""
    log.error("Error in handler %r of event %s", handler, name, exc_info=error)


class Events:
    """A set of event chains: one for the server, one for each host, and for whoever needs some.

    `index` maps an event's name to its compiled chain; those who fire often may look there
    whether anybody listens before they make the event's data. `failed(handler, name, data,
    error)` is called for an error in a handler; what it returns counts as the handler's result.
    """

    __slots__ = ("index", "failed", "wrapped", "_chains", "_wrappers", "_order", "_dress")

    def __init__(self, failed: Callable[[Handler, str, Any, Exception], Any] = log_failure):
        self.index: dict[str, tuple[Handler, ...]] = {}
        self.failed = failed
        self.wrapped = False
        self._dress: Callable[[Handler], Handler] | None = None
        self._chains: dict[str, list[tuple[float, int, Handler]]] = {}
        self._wrappers: dict[str | None, list[Wrapper]] = {}
        self._order = 0

    def add_handler(self, name: str, handler: Handler, priority: float = 0) -> None:
        """Add `handler(data)` to the chain of `name`; adding it again changes its priority."""
        chain = [entry for entry in self._chains.get(name, ()) if entry[2] != handler]
        self._order += 1
        chain.append((-(priority or 0), self._order, handler))
        chain.sort(key=lambda entry: entry[:2])
        self._compile(name, chain)

    def remove_handler(self, name: str, handler: Handler) -> None:
        """Take `handler` out of the chain of `name`; nothing happens when it is not in it."""
        chain = [entry for entry in self._chains.get(name, ()) if entry[2] != handler]
        self._compile(name, chain)

    def replace_handler(self, name: str, old: Handler, new: Handler) -> None:
        """Put `new` at the place of `old`: same priority, same position among equals."""
        chain = [(priority, order, new if handler == old else handler)
                 for priority, order, handler in self._chains.get(name, ())]
        self._compile(name, chain)

    def _compile(self, name: str, chain: list[tuple[float, int, Handler]]) -> None:
        if chain:
            self._chains[name] = chain
            handlers = [handler for _priority, _order, handler in chain]
            self.index[name] = tuple(map(self._dress, handlers) if self._dress else handlers)
        else:
            self._chains.pop(name, None)
            self.index.pop(name, None)

    def dress_handlers(self, dress: Callable[[Handler], Handler] | None) -> None:
        """Run `dress(handler)` in the place of each handler; None runs them as they are.

        So handlers can be measured, at no cost when they are not.
        """
        self._dress = dress
        for name, chain in self._chains.items():
            self._compile(name, chain)

    def get_handlers(self, name: str) -> tuple[Handler, ...]:
        """Return the chain of `name` in the order in which it runs."""
        return self.index.get(name, ())

    def describe(self) -> dict[str, list[tuple[float, Handler]]]:
        """Return all chains as {name: [(priority, handler), ...]}."""
        return {name: [(-priority, handler) for priority, _order, handler in chain]
                for name, chain in self._chains.items()}

    def add_wrapper(self, name: str | None, wrapper: Wrapper) -> None:
        """Run `wrapper(fire, name, data)` around the chain of `name`, or around all for None.

        A wrapper calls `fire(name, data)` to go on. The last one added is outermost; those of
        one event stand outside those of all events.
        """
        self._wrappers.setdefault(name or None, []).append(wrapper)
        self.wrapped = True

    def remove_wrapper(self, name: str | None, wrapper: Wrapper) -> None:
        """Take away a wrapper; nothing happens when it is not there."""
        wrappers = self._wrappers.get(name or None, [])
        if wrapper in wrappers:
            wrappers.remove(wrapper)
            if not wrappers:
                del self._wrappers[name or None]
        self.wrapped = bool(self._wrappers)

    def fire_event(self, name: str, data: Any = None) -> Any:
        """Run the chain of `name` with `data`; return the first result that is not None."""
        if self.wrapped:
            return self._fire_wrapped(name, data)
        for handler in self.index.get(name, ()):
            try:
                result = handler(data)
            except RecursionError:  # each level that went on would double the work
                raise
            except Exception as error:
                result = self.failed(handler, name, data, error)
            if result is not None:
                return result
        return None

    def _run(self, name: str, data: Any) -> Any:
        # The same loop once more: the way without wrappers has no call to spare.
        for handler in self.get_handlers(name):
            try:
                result = handler(data)
            except RecursionError:  # each level that went on would double the work
                raise
            except Exception as error:
                result = self.failed(handler, name, data, error)
            if result is not None:
                return result
        return None

    def _fire_wrapped(self, name: str, data: Any) -> Any:
        fire: FireEvent = self._run
        for wrapper in [*self._wrappers.get(None, ()), *self._wrappers.get(name, ())]:
            fire = self._around(wrapper, fire)
        return fire(name, data)

    def _around(self, wrapper: Wrapper, inner: FireEvent) -> FireEvent:
        """Return `inner` in its wrapper, whose errors stay with it; the chain runs once."""
        def fire(name: str, data: Any) -> Any:
            results: list[Any] = []

            def go_on(name: str, data: Any) -> Any:
                results.append(inner(name, data))
                return results[-1]

            try:
                return wrapper(go_on, name, data)
            except RecursionError:
                raise
            except Exception as error:
                if results:  # what had to be done is done, also the answer
                    log.error("Error in a wrapper of event %s: %s", name, error,
                              exc_info=None if hasattr(error, "lua_traceback") else error)
                    return results[-1]
                answer = self.failed(wrapper, name, data, error)
                return inner(name, data) if answer is None else answer

        return fire


class Event:
    """The data of an event: an open object, as it is an open table in Lua.

    The fields of each event are named in the catalogue; handlers may add others for those that
    come after them.
    """

    def __init__(self, **fields: Any):
        self.__dict__.update(fields)

    def __repr__(self) -> str:
        return f"Event({', '.join(fields_of(self))})"


class StanzaEvent(Event):
    """The data of all events about a stanza that is being handled."""

    __slots__ = ("origin", "stanza", "to_self")  # what handlers add is in `__dict__`

    def __init__(self, origin, stanza, to_self: bool = False):
        self.origin = origin
        self.stanza = stanza
        self.to_self = to_self


def fields_of(event: Event) -> dict[str, Any]:
    """Return the fields of an event with their values."""
    if not isinstance(event, StanzaEvent):
        return event.__dict__
    return {"origin": event.origin, "stanza": event.stanza, "to_self": event.to_self,
            **event.__dict__}
