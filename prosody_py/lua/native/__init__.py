"""Functions that the Lua libraries need from Python, by subject.

Each file has `functions()`, a dict of names to functions on bytes. They follow three rules:
they return bytes and never `str` (a `str` would arrive in Lua as an opaque object), they return
None or (None, reason) where the input is bad instead of raising, and they never block nor switch
greenlets, because a Lua frame is below them.
"""

from types import ModuleType
from typing import Any

from prosody_py.lua.native import (
    ciphers,
    clock,
    compression,
    encodings,
    expat,
    files,
    hashes,
    keys,
    net,
    packing,
    process,
    random,
    signals,
    xml,
)

SUBJECTS: dict[str, ModuleType] = {
    "ciphers": ciphers,
    "clock": clock,
    "compression": compression,
    "encodings": encodings,
    "expat": expat,
    "files": files,
    "hashes": hashes,
    "keys": keys,
    "net": net,
    "packing": packing,
    "process": process,
    "random": random,
    "signals": signals,
    "xml": xml,
}

# A Python function is userdata to Lua's type(); modules ask for type(f) == "function".
_MAKE_FUNCTION = b"local f = ... return function (...) return f(...) end"


# Lua's own functions, which do not see through proxies (border/traversal.lua) and cost less: for
# libraries that meet only plain tables.
_RAW = b"""package.loaded["native.raw"] = {
    next = next; getmetatable = getmetatable; setmetatable = setmetatable; rawget = rawget;
    concat = table.concat;
}"""


def install(runtime: Any) -> None:
    """Put a table for each subject into `package.loaded["native.<subject>"]`.

    runtime: a lupa LuaRuntime made with `encoding=None` and `unpack_returned_tuples=True`.
    """
    runtime.execute(_RAW)
    loaded = runtime.globals()[b"package"][b"loaded"]
    make_function = runtime.eval(b"function (...) " + _MAKE_FUNCTION + b" end")
    for subject, module in SUBJECTS.items():
        table = runtime.table()
        for name, value in module.functions().items():
            table[name.encode()] = make_function(value) if callable(value) else value
        loaded[b"native." + subject.encode()] = table
