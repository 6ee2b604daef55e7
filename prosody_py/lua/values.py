"""Values across the border.

Text is UTF-8 in Lua. Bytes that are none become surrogate escapes in Python and bytes again on
the way back, so binary strings survive the round trip. Objects cross by reference: a Python
object is a proxy in Lua (prosody_py.lua.proxies), a Lua table or function a reference in Python
(prosody_py.lua.references), and each of them comes home as itself. Data that a store, an option
or a form holds is copied instead.
"""

from __future__ import annotations

from typing import Any

from prosody_py.lua.references import Handle, LuaCallable, LuaData
from prosody_py.lua.table_sessions import LuaSession

_CHUNK = 1000
_SCALAR, _MAP, _LIST, _OTHER = range(4)
_DIRECT = frozenset((type(None), bool, float, bytes))


def encode(text: str) -> bytes:
    """Return text as Lua holds it."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass" if _has_lone(text) else "surrogateescape")


def _has_lone(text: str) -> bool:
    return any("\ud800" <= char <= "\udc7f" or "\udd00" <= char <= "\udfff" for char in text)


def decode(data: bytes) -> str:
    """Return what Lua holds as text; bytes that are not UTF-8 are escaped (PEP 383)."""
    return data.decode("utf-8", "surrogateescape")


def integer(value: int) -> int | float:
    """Return a number that Lua can hold."""
    return value if -(2**63) <= value < 2**63 else float(value)


class Copying:
    """Copies of plain data; mixed into the border."""

    def copy_to_lua(self, value: Any) -> Any:
        """Return a new Lua table for nested dicts, lists and sets; other values cross as ever."""
        if not isinstance(value, (dict, list, tuple, set, frozenset)):
            return self.to_lua(value)
        out: list[Any] = []
        self._flatten(value, out)
        if len(out) <= _CHUNK:
            return self._data["from_flat"](*out)
        return self._data["from_list"](self.long_list(out))

    def long_list(self, values: Any) -> Any:
        """Return a Lua list of more values than fit into one call."""
        table = None
        for start in range(0, len(values), _CHUNK):
            table = self._data["extend"](table, start, *values[start:start + _CHUNK])
        return table

    def read_list(self, raw: Any, count: int) -> list[Any]:
        """Return the values of a Lua list."""
        values: list[Any] = []
        for start in range(1, count + 1, _CHUNK):
            part = self._data["slice"](raw, start, min(start + _CHUNK - 1, count))
            values.extend(part if type(part) is tuple else (part,))
        return values

    def _flatten(self, value: Any, out: list[Any]) -> None:
        kind = type(value)
        if kind is str:
            out += (_SCALAR, encode(value))
        elif isinstance(value, dict):
            entries = [(key, item) for key, item in value.items()
                       if key is not None and item is not None]
            out += (_MAP, len(entries))
            for key, item in entries:
                out.append(self.to_lua(key))
                self._flatten(item, out)
        elif isinstance(value, (list, tuple)):
            out += (_LIST, len(value))
            for item in value:
                self._flatten(item, out)
        elif isinstance(value, (set, frozenset)):
            out += (_MAP, len(value))
            for item in value:
                out += (self.to_lua(item), _SCALAR, True)
        else:
            out += (_OTHER, self.to_lua(value))

    def copy_to_python(self, raw: Any) -> Any:
        """Return a Lua table as nested dicts and lists, any other value as `to_python` does.

        A table with the keys 1 to n is a list. Raises ValueError for one that contains itself.
        """
        if type(raw) is not self.table_type:
            return self.to_python(raw)
        result = self.driver.plain_call(self._data["to_flat"], raw)
        count = result[0]
        values = self.read_list(result[1], count) if count > _CHUNK else result[1:]
        return self._rebuild(values, 0)[0]

    def _rebuild(self, values: Any, at: int) -> tuple[Any, int]:
        kind, value = values[at], values[at + 1]
        at += 2
        if kind == _SCALAR:
            return (decode(value) if type(value) is bytes else value), at
        if kind == _OTHER:
            return self.to_python(value), at
        if kind == _LIST:
            items = []
            for _ in range(value):
                item, at = self._rebuild(values, at)
                items.append(item)
            return items, at
        table = {}
        for _ in range(value):
            key = values[at]
            table[decode(key) if type(key) is bytes else self.to_python(key)], at = \
                self._rebuild(values, at + 1)
        return table, at


class Values(Copying):
    """References to what is on the other side; mixed into the border.

    A lupa object remembers the Lua state in which it was made, and uses it when it is called or
    dropped. One that came as an argument of a Python function was made in the coroutine that has
    called, which may be gone when the object is used. So what Python keeps is fetched again
    through the main state first (`_home`).
    """

    def to_lua(self, value: Any) -> Any:
        """Return a value as lupa takes it: objects as their proxies, Lua's own as themselves."""
        kind = type(value)
        if kind is str:
            return encode(value)
        if kind in _DIRECT:
            return value
        if kind is int:
            return integer(value)
        return self._object_to_lua(value, kind)

    def to_python(self, raw: Any) -> Any:
        """Return a value from lupa as Python sees it."""
        kind = type(raw)
        if kind is bytes:
            return decode(raw)
        if kind is self.table_type or kind is self.function_type:
            return self._lua_to_python(raw, kind)
        return raw

    def at_home(self, raw: Any) -> Any:
        """Return lupa's object for a value such that Python may keep it."""
        return self._home(raw)

    def _lua_to_python(self, raw: Any, kind: type) -> Any:
        identities = self.identities
        what, payload = self._identify(raw, identities.next_id)
        if what == 1:
            return payload.object if type(payload) is Handle else payload
        if what == 4:
            return self.open_events.get(payload)
        found = identities.get(payload)
        if found is None:
            raw = self._home(raw)
            if what == 2:
                return self.stanzas.adopt(raw, payload)
            own = LuaSession if what == 3 else LuaData
            found = (LuaCallable if kind is self.function_type else own)(self, raw)
            identities.put(payload, found)
        return found
