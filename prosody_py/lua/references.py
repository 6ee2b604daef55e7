"""What Python holds of Lua: functions to call and tables to look into, by reference.

The same Lua value is the same Python object as long as Python holds it, so `==`, `is` and use as
a dict key mean on both sides the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import ref

SWEEP = 4095
"""Identities are swept when a number has none of these bits."""


class Identities:
    """Python objects by the number under which Lua knows their counterpart; held weakly."""

    __slots__ = ("next_id", "refs")

    def __init__(self) -> None:
        self.next_id = 1
        self.refs: dict[int, ref] = {}

    def get(self, number: int) -> Any:
        """Return the object of a number, None when Python has dropped it."""
        found = self.refs.get(number)
        return None if found is None else found()

    def put(self, number: int, obj: Any) -> None:
        """Note the object of a number that Lua has given out (it starts from `next_id`)."""
        self.refs[number] = ref(obj)
        if number >= self.next_id:
            self.next_id = number + 1
            if not number & SWEEP:
                self.sweep()

    def add(self, obj: Any) -> int:
        """Note an object under a new number; return that."""
        number = self.next_id
        self.next_id = number + 1
        self.refs[number] = ref(obj)
        if not number & SWEEP:
            self.sweep()
        return number

    def sweep(self) -> None:
        """Forget the numbers of objects that are gone."""
        self.refs = {key: value for key, value in self.refs.items() if value() is not None}


class Handle:
    """A Python object as its proxy in Lua holds it.

    lupa drops an object for good when it is handed to Lua again between the collection of the
    last thing there that held it and that thing's finalizer: the finalizer takes the new
    reference for its own. So what a proxy holds is handed over once and never again.
    """

    __slots__ = ("object",)

    def __init__(self, obj: Any):
        self.object = obj


class LuaReference:
    """A Lua value that Python holds; `raw` is lupa's object for it."""

    __slots__ = ("border", "raw", "__weakref__")

    def __init__(self, border, raw):
        object.__setattr__(self, "border", border)
        object.__setattr__(self, "raw", raw)


class LuaCallable(LuaReference):
    """A Lua function as a Python callable; each call is an entry of its own and may block.

    `effort` is that of the module whose code has handed the function over, None for nobody's.
    """

    __slots__ = ("effort",)

    def __init__(self, border, raw):
        super().__init__(border, raw)
        self.effort = border.account.effort

    def __call__(self, *args: Any) -> Any:
        border = self.border
        result = self.enter(*map(border.to_lua, args))
        if type(result) is tuple:
            return tuple(map(border.to_python, result))
        return border.to_python(result)

    def enter(self, *raw: Any) -> Any:
        """Call it with values as lupa takes them; return what `Driver.call` does."""
        driver, effort = self.border.driver, self.effort
        if effort is None:
            return driver.call(self.raw, *raw)
        return driver.measured(effort, self.raw, *raw)

    def __repr__(self) -> str:
        return f"<Lua function {self.border.describe_function(self.raw)}>"


class LuaMethod:
    """A Lua function in the place of an object's method: it gets the object first."""

    __slots__ = ("function", "owner")

    def __init__(self, function: LuaCallable, owner: Any):
        self.function, self.owner = function, owner

    def __call__(self, *args: Any) -> Any:
        return self.function(self.owner, *args)


class LuaData(LuaReference):
    """A Lua table by reference: an open object, and a mapping as well.

    Attributes and items are the table's fields; a missing attribute is None, as in Lua. Writing
    goes to the table. Positions in lists count from 1.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self[name] = None

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a field, `default` when the table has none of that name."""
        border = self.border
        value = border.data_get(self.raw, border.to_lua(key))
        return default if value is None else border.to_python(value)

    def __getitem__(self, key: Any) -> Any:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        border = self.border
        border.data_set(self.raw, border.to_lua(key), border.to_lua(value))

    def __contains__(self, key: Any) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        return self.border.data_size(self.raw)

    def __bool__(self) -> bool:
        return True

    def keys(self) -> list[Any]:
        """Return the names of the fields."""
        border = self.border
        count, raw = border.data_keys(self.raw)
        return [border.to_python(key) for key in border.read_list(raw, count)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def items(self) -> list[tuple[Any, Any]]:
        """Return the fields with their values."""
        return [(key, self.get(key)) for key in self.keys()]

    def copy(self) -> Any:
        """Return the table's content as dicts and lists."""
        return self.border.copy_to_python(self.raw)

    def __repr__(self) -> str:
        return f"<Lua table {', '.join(map(str, self.keys()[:8]))}>"
