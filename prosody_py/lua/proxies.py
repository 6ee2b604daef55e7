"""How Lua sees Python objects: which fields they have and how their functions are called.

The other half is border/proxy.lua. The functions here are called by Lua while a Lua frame is
below them, so they only look things up and never block. Functions of objects become *requests*
(they may block) unless they are known not to: those in `_PLAIN`, and functions with the attribute
`never_blocks`.

A field that an object does not have is nil. A field that Lua writes becomes an attribute of the
object, or an entry of its `extras` where it takes no new attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, MutableMapping, Sequence
from types import ModuleType
from typing import Any

from prosody_py.lua.calls import Calls
from prosody_py.lua.references import Handle, LuaCallable, LuaMethod, LuaReference
from prosody_py.lua.values import encode

METHOD, PLAIN_METHOD, BOUND, BOUND_PLAIN, SEND, LOG, OWN, FAILURE = 1, 2, 3, 4, 5, 6, 7, 9

_PLAIN = {
    "Session": frozenset(("idle_for",)),
}
_SENDERS = frozenset(("send", "sends2s", "rawsend"))
_SENDER_KEYS = frozenset((b"send", b"sends2s"))
_MISSING: Any = object()


class Face:
    """What one class looks like to Lua; subclasses are for classes with fields of their own.

    `fields` maps names to `function(border, obj)`, `functions` names to
    `function(border, obj, *raw)`, which are requests to be called with a dot or a colon. `names`
    are the fields that `pairs` shows, None for all that can be found. Tables that are written to
    an object whose class says `copies` are copied. A Lua function that takes the place of one of
    `methods` is called with the object first.

    Of an object whose class is `sealed` Lua sees `fields`, `functions` (called with a colon; those
    in `plain` never block) and what Lua has written into it, which comes first; nothing else. It
    has `extras` for that.
    """

    fields: Mapping[Any, Callable[[Any, Any], Any]] = {}
    names: tuple[str, ...] | None = None
    copies = False
    functions: Mapping[str, Callable[..., Any]] = {}
    dotted = False  # methods are called with a dot as well
    methods: Container[str] = frozenset()
    sealed = False
    plain: Container[str] = frozenset()


class ListenerFace(Face):
    """A listener that is written in Python: its functions are called with a dot."""

    dotted = True
    functions = {"onincoming": lambda border, listener, conn, data: listener.onincoming(
        border.to_python(conn), data)}


def is_mapping(obj: Any) -> bool:
    """Whether Lua reads the entries of `obj` and not its attributes."""
    return isinstance(obj, Mapping)


def is_list(obj: Any) -> bool:
    """Whether Lua reads `obj` by position."""
    return isinstance(obj, Sequence) and not isinstance(obj, (str, bytes))


def _of_object(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes the object itself from what a proxy holds."""
    def call(obj: Any, *raw: Any) -> Any:
        return function(obj.object if type(obj) is Handle else obj, *raw)

    call.__name__ = function.__name__
    return call


class Proxies(Calls):
    """The functions behind the proxies of one runtime."""

    def __init__(self, border, faces: Mapping[type | str, Face]):
        self.border = border
        self._faces = dict(faces)
        self._sessions: set[type] = set()  # classes of sessions that have been sent to
        self._default, self._listener = Face(), ListenerFace()
        self._find: Any = None
        self._make: Any = None
        self._make_function: Any = None

    def connect(self, functions: Any) -> None:
        """Take the functions of border/proxy.lua."""
        self._find = functions[b"find"]
        self._make = functions[b"make"]
        self._make_function = functions[b"make_function"]

    def face(self, kind: type) -> Face:
        """Return how objects of a class look."""
        face = self._faces.get(kind)
        if face is None:
            face = next((self._faces[key] for base in kind.__mro__
                         for key in (base, base.__name__) if key in self._faces), None)
            if face is None:
                face = self._listener if hasattr(kind, "onincoming") else self._default
            self._faces[kind] = face
        return face

    def to_lua(self, obj: Any) -> Any:
        """Return the proxy of an object; the Lua function of a function or method."""
        if callable(obj) and not isinstance(obj, type) and self._is_function(obj):
            return self._make_function(id(obj), obj, getattr(obj, "never_blocks", False))
        return self._find(id(obj)) or self._make(id(obj), Handle(obj))

    @staticmethod
    def _is_function(obj: Any) -> bool:
        return not hasattr(obj, "lua_face") and not isinstance(obj, (Mapping, ModuleType))

    # -- called by Lua ---------------------------------------------------------------------

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return what border/proxy.lua calls."""
        functions = (self.get, self.set, self.unset, self.keys, self.length, self.first,
                     self.describe, self.call_method, self.call_plain, self.call_function,
                     self.call_function_plain, self.send_now, self.send_later,
                     self.log_enabled, self.log)
        return {"send_text": self.send_text,
                **{function.__name__: _of_object(function) for function in functions}}

    def get(self, obj: Any, raw: Any) -> Any:
        """Return a field, or (text, code) for a function or a failure."""
        border = self.border
        if raw in _SENDER_KEYS and type(obj) in self._sessions:
            sent = self._sender(obj, raw)
            if sent is not None:
                return sent
        key = border.to_python(raw)
        try:
            if is_mapping(obj):
                value = obj.get(key)
                if value is None:
                    field = self.face(type(obj)).fields.get(key)
                    value = None if field is None else field(border, obj)
                return border.to_lua(value)
            if is_list(obj):
                if type(key) is int and 0 < key <= len(obj):
                    return border.to_lua(obj[key - 1])
                return None
            if type(key) is not str or key.startswith("__"):
                return None
            return self._get_attribute(obj, key, raw)
        except Exception as error:
            return encode(f"cannot read {key!r}: {error}"), FAILURE

    def _get_attribute(self, obj: Any, key: str, raw: bytes) -> Any:
        border = self.border
        face = self.face(type(obj))
        own = obj.extras.get(key) if face.sealed else None
        if own is not None:
            return border.to_lua(own)
        field = face.fields.get(key)
        if field is not None:
            return border.to_lua(field(border, obj))
        if key in face.functions:
            if face.sealed:
                return raw, PLAIN_METHOD if key in face.plain else METHOD
            if not isinstance(getattr(obj, "__dict__", {}).get(key), LuaReference):
                return raw, BOUND  # else Lua has put a function of its own in its place
        if face.sealed:
            return None
        if key == "log" and hasattr(obj, "log"):
            own = getattr(obj, "__dict__", {}).get("lua_log")  # one that Lua has put there
            return (raw, LOG) if own is None else border.to_lua(own)
        own = getattr(obj, "__dict__", None)
        if own is not None and own.get(key) is not None:
            value = own[key]
            if type(value) is LuaMethod:
                return border.to_lua(value.function)
            if callable(value) and self._is_function(value) and not isinstance(value, LuaReference):
                return border.to_lua(value), OWN
            return border.to_lua(value)
        value = getattr(obj, key, None)
        if value is None:
            extras = getattr(obj, "extras", None)
            return border.to_lua(extras.get(key)) if isinstance(extras, dict) else None
        if getattr(value, "__self__", None) is obj and callable(value):
            if key in _SENDERS:
                if isinstance(getattr(obj, "ns", None), str) and hasattr(obj, "filters"):
                    self._sessions.add(type(obj))
                    return self._sender(obj, raw)
                return raw, SEND
            plain = self._is_plain(obj, key, value)
            if face.dotted:
                return raw, BOUND_PLAIN if plain else BOUND
            return raw, PLAIN_METHOD if plain else METHOD
        return border.to_lua(value)

    @staticmethod
    def _sender(session: Any, raw: bytes) -> tuple | None:
        """Return what `get` does for the send function of a session's own class."""
        name = raw.decode()
        if session.__dict__.get(name) is not None or not hasattr(type(session), name):
            return None
        return raw, SEND, session.ns.encode() if session.filters is None else None

    @staticmethod
    def _is_plain(obj: Any, key: str, method: Any) -> bool:
        return (getattr(method, "never_blocks", False)
                or any(key in _PLAIN.get(kind.__name__, ()) for kind in type(obj).__mro__))

    def set(self, obj: Any, raw_key: Any, raw: Any) -> bytes | None:
        """Write a field; returns what is wrong with that, None when it has worked."""
        border = self.border
        try:
            key, face = border.to_python(raw_key), self.face(type(obj))
            value = border.copy_to_python(raw) if face.copies else border.to_python(raw)
            if value is raw and border.is_lua_value(raw):
                value = border.at_home(raw)  # such as a file
            if is_mapping(obj) and key not in face.fields:
                self._set_entry(obj, key, value)
            elif is_list(obj):
                self._set_position(obj, key, value)
            elif type(key) is not str or key.startswith("__"):
                return b"this object takes no such field"
            elif face.sealed:
                if value is None:
                    obj.extras.pop(key, None)
                else:
                    obj.extras[key] = value
                if border.is_lua_value(raw):
                    border.holders.add(obj)
            else:
                if key in face.methods and type(value) is LuaCallable:
                    value = LuaMethod(value, obj)
                self._set_attribute(obj, key, value)
                if border.is_lua_value(raw) and not face.copies:
                    border.holders.add(obj)
        except Exception as error:
            return encode(f"cannot write this field: {error}")
        return None

    def unset(self, obj: Any, raw_key: Any) -> None:
        """Take away what was written over a function of the object's class."""
        key = self.border.to_python(raw_key)
        own = obj.extras if self.face(type(obj)).sealed else getattr(obj, "__dict__", {})
        own.pop("lua_log" if key == "log" else key, None)

    @staticmethod
    def _set_entry(obj: Any, key: Any, value: Any) -> None:
        if not isinstance(obj, MutableMapping):
            raise TypeError("this table cannot be written to")
        if value is None:
            obj.pop(key, None)
        else:
            obj[key] = value

    @staticmethod
    def _set_position(obj: Any, key: Any, value: Any) -> None:
        if type(key) is not int or not 0 < key <= len(obj) + 1:
            raise IndexError("positions of this list have no gaps")
        if value is None:
            if key == len(obj):
                obj.pop()
            elif key < len(obj):
                raise IndexError("positions of this list have no gaps")
        elif key > len(obj):
            obj.append(value)
        else:
            obj[key - 1] = value

    @staticmethod
    def _set_attribute(obj: Any, key: str, value: Any) -> None:
        kind = type(obj)
        if value is None and not hasattr(kind, key):
            getattr(obj, "__dict__", {}).pop(key, None)
            extras = getattr(obj, "extras", None)
            if isinstance(extras, dict):
                extras.pop(key, None)
            return
        try:
            setattr(obj, key, value)
        except AttributeError:
            extras = getattr(obj, "extras", None)
            if hasattr(kind, key) or not isinstance(extras, dict):
                raise
            extras[key] = value

    def _all_keys(self, obj: Any) -> list[Any]:
        if is_mapping(obj):
            return list(obj)
        if is_list(obj):
            return list(range(1, len(obj) + 1))
        face = self.face(type(obj))
        if face.sealed:
            return [*face.fields, *obj.extras]
        if face.names is not None:
            return list(face.names)
        names = dict.fromkeys(face.fields)
        names.update(dict.fromkeys(getattr(obj, "__dict__", ())))
        for kind in type(obj).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            names.update(dict.fromkeys((slots,) if isinstance(slots, str) else slots))
        extras = getattr(obj, "extras", None)
        if isinstance(extras, dict):
            names.update(dict.fromkeys(extras))
        return [name for name in names if not name.startswith("_") and name != "extras"]

    def keys(self, obj: Any, start: int) -> Any:
        """Return the names of all fields from number `start` on, at most a thousand."""
        keys = self._all_keys(obj)[start:start + 1000]
        return tuple(map(self.border.to_lua, keys)) if keys else ()

    def first(self, obj: Any) -> Any:
        """Return the first name and its value, nothing when there is none."""
        if is_mapping(obj):
            for key, value in obj.items():
                return self.border.to_lua(key), self.border.to_lua(value)
            return None
        keys = self._all_keys(obj)
        return self.border.to_lua(keys[0]) if keys else None

    @staticmethod
    def length(obj: Any) -> int:
        """Return `#obj`: the size of a list, the run of keys 1, 2, 3 ... of a mapping."""
        if is_list(obj):
            return len(obj)
        count = 0
        if is_mapping(obj):
            while (count + 1) in obj:
                count += 1
        return count

    @staticmethod
    def describe(obj: Any) -> bytes:
        """Return what tostring() gives."""
        return encode(f"{type(obj).__name__}: 0x{id(obj):012x}")
