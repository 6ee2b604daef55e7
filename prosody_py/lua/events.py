"""Lua functions as handlers of events, and the data of events in Lua.

While a Lua handler works with an event of Python's, the event is *open*: its fields are in a Lua
table, and what Lua changes there is written back when the handler returns and before anybody
else can look (border/event.lua).
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from prosody_py.api.effort import Effort
from prosody_py.events.bus import Event, StanzaEvent
from prosody_py.lua.references import LuaData, LuaReference
from prosody_py.lua.stanzas import LuaStanza
from prosody_py.lua.values import decode, encode


class LuaHandler:
    """A Lua function on the bus; equal to any other handler of the same function."""

    __slots__ = ("module", "effort", "callable", "_border", "_raw", "_enter_stanza", "_account")

    def __init__(self, border, function: LuaReference, module: Any = None):
        self.module = module
        self.effort = (module.effort if module is not None
                       else getattr(function, "effort", None) or Effort())
        self.callable = function
        self._border = border
        self._account = border.account
        self._raw = function.raw
        self._enter_stanza = border.enter_stanza

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, LuaHandler) and other.callable is self.callable
                and other.module is self.module)

    def __hash__(self) -> int:
        return id(self.callable)

    def __call__(self, event: Any) -> Any:
        border, account, effort = self._border, self._account, self.effort
        below = account.effort
        account.effort = effort
        if type(event) is not StanzaEvent or len(event.__dict__) != 3:
            return border.run_handler(self._raw, event, effort, below)
        stanza = event.stanza
        key = id(event)
        opened = border.open_events
        outermost = key not in opened
        opened[key] = event
        start = perf_counter()
        try:
            if type(stanza) is not LuaStanza:
                result = border.stanzas.enter(self._raw, key, event)
            else:
                border.epoch += 1
                result = self._enter_stanza(self._raw, key, stanza.lua.table, id(event.origin),
                                            event.to_self)
            if type(result) is tuple:
                result = border.driver.work(result, effort, start, below)
                border.leave_event(key, outermost)
            else:
                account.effort = below
                effort.calls += 1  # as Effort.note does, which would cost a call
                spent = perf_counter() - start
                effort.seconds += spent
                if spent > effort.worst:
                    effort.worst = spent
                face = stanza.lua
                if result is None and face.as_made and face.parent is None:
                    # Lua has compared it before it came back.
                    face.epoch = border.epoch
        except BaseException:
            account.effort = below
            if outermost:
                border.forget_event(key)
            raise
        finally:
            if outermost:
                del opened[key]
        if result is None or result is True:
            return result
        return border.to_python(result[0] if type(result) is tuple else result)

    def __repr__(self) -> str:
        return f"<Lua function {self._border.describe_function(self._raw)} of {self.module}>"


class Handlers:
    """The part of the runtime that deals with events; mixed into it."""

    def run_handler(self, raw: Any, event: Any, effort: Any, below: Any) -> Any:
        """Call a Lua handler with any data of an event.

        `effort` is the handler's, which the border has already; `below` what it had before.
        """
        start = perf_counter()
        key, outermost = None, False
        try:
            if isinstance(event, Event):
                key = id(event)
                outermost = key not in self.open_events
                self.open_events[key] = event
                fields = self.event_fields(key)
                self.epoch += 1  # not before: what becomes a table now is known as it is now
                result = self.enter_event(raw, key, *fields)
            else:
                data = event.raw if isinstance(event, LuaData) else self.to_lua(event)
                self.epoch += 1
                result = self.driver.enter(raw, data)
            if type(result) is tuple:
                result = self.driver.work(result, effort, start, below)
                if key is not None:
                    self.leave_event(key, outermost)
            else:
                self.account.effort = below
                effort.note(perf_counter() - start)
        except BaseException:
            self.account.effort = below
            if outermost:
                self.forget_event(key)
            raise
        finally:
            if outermost:
                del self.open_events[key]
        return self.to_python(result[0] if type(result) is tuple else result)

    def stanza_changed(self, number: int) -> None:
        """Note that a stanza is not any more what its table was made of."""
        stanza = self.identities.get(number)
        if stanza is not None:
            stanza.lua.as_made = False

    def event_fields(self, key: int) -> tuple:
        """Return the fields of an open event: name, value, name, value ..."""
        fields: list[Any] = []
        for name, value in self.open_events[key].__dict__.items():
            if value is not None:
                fields += (encode(name), self.to_lua(value))
        return tuple(fields)

    def event_field(self, key: int, name: bytes) -> Any:
        """Return one field of an open event."""
        return self.to_lua(getattr(self.open_events[key], decode(name), None))

    def set_event_field(self, key: int, name: Any, raw: Any) -> None:
        """Write a field of an open event."""
        event = self.open_events.get(key)
        if event is not None:
            setattr(event, str(self.to_python(name)), self.to_python(raw))
