"""Lua functions as handlers of events, and the data of events in Lua.

While a Lua handler works with an event of Python's, the event is *open*: its fields are in a Lua
table, and what Lua changes there is written back when the handler returns and before anybody
else can look (border/event.lua).
"""

from __future__ import annotations

from sys import getrefcount
from time import perf_counter
from typing import Any
from weakref import ref

from prosody_py.api.effort import Effort
from prosody_py.events.bus import Event, StanzaEvent, fields_of
from prosody_py.lua.references import SWEEP, LuaData, LuaReference
from prosody_py.lua.shapes import UNSHARED
from prosody_py.lua.stanzas import LuaStanza
from prosody_py.lua.values import decode, encode
from prosody_py.lua.views import Face
from prosody_py.xmpp.stanza import Stanza


class LuaHandler:
    """A Lua function on the bus; equal to any other handler of the same function."""

    __slots__ = ("module", "effort", "callable", "_border", "_raw", "_account", "_heads",
                 "_identities")

    def __init__(self, border, function: LuaReference, module: Any = None):
        self.module = module
        self.effort = (module.effort if module is not None
                       else getattr(function, "effort", None) or Effort())
        self.callable = function
        self._border = border
        self._account = border.account
        self._heads = border.stanzas.shapes.heads
        self._identities = border.identities
        self._raw = function.raw

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, LuaHandler) and other.callable is self.callable
                and other.module is self.module)

    def __hash__(self) -> int:
        return id(self.callable)

    def __call__(self, event: Any) -> Any:
        if type(event) is not StanzaEvent or event.__dict__:
            return self._border.run_handler(self._raw, event, self.effort)
        # What each message costs that goes through Lua: its table is made in the call that runs the
        # handler. In one function: calls of others cost 300 instructions, a step of it 27.
        border, stanza, key = self._border, event.stanza, id(event)
        opened = border.open_events
        if type(stanza) is not Stanza or key in opened:
            return self._call_again(event)
        children, attr, identities = stanza.children, stanza.attr, self._identities
        if stanza._cursor or getrefcount(children) > UNSHARED:
            del children  # it would count as held by somebody
            return self._call_again(event)
        first = children[0].name if children and type(children[0]) is not str else None
        number = identities.next_id
        for shape in self._heads.get((stanza.name, len(attr), len(children), first), ()):
            take = shape.take
            arguments = take(stanza, children, attr, self._raw, key, id(event.origin),
                             event.to_self, number)
            if arguments is not None:
                break
        else:
            del children
            return self._call_again(event)
        identities.next_id = number + 1
        identities.refs[number] = ref(stanza)
        if not number & SWEEP:
            identities.sweep()
        # As new_face does, which would cost a call.
        stanza.lua = face = Face()
        face.border, face.number, face.known, face.epoch = border, number, attr, -1  # stale
        face.as_made, face.taken, face.parent, face.name = True, None, None, None
        stanza.__class__ = LuaStanza
        opened[key] = event
        account, effort, run = self._account, self.effort, shape.run
        below, account.effort = account.effort, effort
        border.epoch += 1
        start = perf_counter()
        try:
            result = run(*arguments)
            if type(result) is not tuple:  # the table alone: the handler has returned nothing
                face.taken, result = result, None
                face.epoch = border.epoch  # Lua has compared it before it came back
            elif len(result) == 2:
                face.taken, result = result
            else:
                face.taken = result[0]
                return self._work_on(key, result[1:], start, below)
            account.effort = below
            effort.calls += 1  # as Effort.note does, which would cost a call
            spent = perf_counter() - start
            effort.seconds += spent
            if spent > effort.worst:
                effort.worst = spent
        except BaseException:
            self._failed(key, stanza, below)
            raise
        finally:
            del opened[key]
        return result if result is None or result is True else border.to_python(result)

    def _failed(self, key: int, stanza: LuaStanza, below: Any) -> None:
        """Take back what has been prepared for a first call."""
        self._account.effort = below
        self._border.forget_event(key)
        if stanza.lua.table is None:  # Lua has not even made it
            stanza.__class__, stanza.lua = Stanza, None

    def _work_on(self, key: int, result: tuple, start: float, below: Any) -> Any:
        """Go on with a handler that has not ended at once."""
        border = self._border
        result = border.driver.work(result, self.effort, start, below)
        border.leave_event(key, True)
        return border.to_python(result[0] if type(result) is tuple else result)

    def _call_again(self, event: StanzaEvent) -> Any:
        """Call it with a stanza that is Lua's already, or an event that is open."""
        border, account, effort = self._border, self._account, self.effort
        below, account.effort = account.effort, effort
        stanza, opened, key = event.stanza, border.open_events, id(event)
        outermost = key not in opened
        opened[key] = event
        start = perf_counter()
        try:
            table = stanza.lua.taken if type(stanza) is LuaStanza else None
            if table is None:
                table = border.to_lua(stanza)
            border.epoch += 1  # not before: what becomes a table now is known as it is now
            result = border.enter_stanza(self._raw, key, table, id(event.origin), event.to_self)
            if type(result) is tuple:
                result = border.driver.work(result, effort, start, below)
                border.leave_event(key, outermost)
                if type(result) is tuple:
                    result = result[0]
            else:
                account.effort = below
                effort.calls += 1
                spent = perf_counter() - start
                effort.seconds += spent
                if spent > effort.worst:
                    effort.worst = spent
                if result is None and type(stanza) is LuaStanza:
                    face = stanza.lua
                    if face.as_made and face.parent is None:
                        face.epoch = border.epoch  # Lua has compared it before it came back
        except BaseException:
            account.effort = below
            if outermost:
                border.forget_event(key)
            raise
        finally:
            if outermost:
                del opened[key]
        return result if result is None or result is True else border.to_python(result)

    def __repr__(self) -> str:
        return f"<Lua function {self._border.describe_function(self._raw)} of {self.module}>"


class Handlers:
    """The part of the runtime that deals with events; mixed into it."""

    def run_handler(self, raw: Any, event: Any, effort: Any) -> Any:
        """Call a Lua handler with any data of an event; `effort` is the handler's."""
        below, self.account.effort = self.account.effort, effort
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
        for name, value in fields_of(self.open_events[key]).items():
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
