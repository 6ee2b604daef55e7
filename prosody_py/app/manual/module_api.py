"""module-api.md: what a module may call, in both languages."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from functools import cache

from prosody_py import api, lua
from prosody_py.api import (
    hooking,
    http,
    items,
    marks,
    option_getters,
    reporting,
    sharing,
    timing,
    traffic,
)
from prosody_py.api.module import Module
from prosody_py.app.manual import signatures
from prosody_py.app.manual.markdown import first_paragraph, inline, page, prose
from prosody_py.config import options
from prosody_py.lua.api import ASKING, PLAIN
from prosody_py.storage import interface
from prosody_py.xmpp import builders

_INTRO = """\
A module is one file. In Python it imports from `prosody_py.api`, and its functions are called with
`module` first; in Lua `module` is a global name. [../module-authors.md](../module-authors.md) is
the way in; this page lists what there is. Under each method stands its call in Python, then in Lua.

In Lua `send_iq` and `on_ready` return a promise (`util.promise`); `get_option_array` returns a
`util.array`, `get_option_set` and `get_option_inherited_set` a `util.set`. Calls that wait for a
disk, a client or another module look like any other call in both languages; what cannot wait is
said in the guide."""
_MARKS = "What a Python module marks its functions with. In Lua the same is said by a call."
_OPTIONS = """\
A Python module declares its options as attributes of a class `Config(Options)`. All take `name`
(the name in the file), `doc`, `required`, `where` (`any`, `global` or `host`) and `secret`. Lua
modules read options one by one, with `module:get_option_*`, as above."""
_STORES = """\
`module.open_store(name, kind)` returns one of these. In Lua the same names are called with a colon
(`store:get(user)`); a call that fails returns `nil` and the error's condition, where Python raises
`StorageError`; `users`, `items` and `find` return an iterator."""
_BUILDERS = "`from prosody_py.api import stanza`; in Lua `require \"util.stanza\"`."
GROUPS: tuple[tuple[str, type | None], ...] = (
    ("Events", hooking.Hooking), ("Options", option_getters.OptionGetters),
    ("Stores, files and other modules", sharing.Sharing),
    ("Items and providers", items.Items), ("Time", timing.Timing), ("Undoing", timing.Undoing),
    ("Sending", traffic.Traffic), ("HTTP", http.HttpUrls),
    ("Numbers and permissions", reporting.Reporting),
    ("The module itself", Module))
INNER = frozenset(("host_items", "host_modules", "count_error"))
"""Methods of Module that the server calls, not modules."""
LUA_ONLY = {
    "hook_stanza": ("module:hook_stanza(xmlns, name, handler[, priority])",
                    "The old name of `hook_tag`."),
    "require": ("module:require(name)", "Run the file NAME.lib.lua beside the module, in the "
                "module's environment, and return what it returns."),
}
"""What only Lua modules call, as {name: (call, what it does)}."""


def render() -> str:
    """Return the page."""
    parts = [f"## module: {title[0].lower() + title[1:]}\n\n" + "\n\n".join(
        _method(name, function) for name, function in methods(group)) for title, group in GROUPS]
    only = "\n\n".join(f"### module:{name}\n\n```lua\n{call}\n```\n\n{text}"
                       for name, (call, text) in LUA_ONLY.items())
    return page(
        "Module API", _INTRO, *parts, "## Only in Lua\n\n" + only,
        f"## Marks\n\n{_MARKS}\n\n" + "\n\n".join(map(_function, (marks.hook, marks.iq)))
        + f"\n\n### PASS\n\n{inline(_pass())}",
        f"## Declaring options\n\n{_OPTIONS}\n\n" + "\n\n".join(
            _function(getattr(api, name)) for name in options.__all__
            if name in api.__all__ and name != "Options"),
        f"## Building stanzas\n\n{_BUILDERS}\n\n" + "\n\n".join(
            _function(function, "stanza.") for _name, function in _functions(builders)),
        f"## Stores\n\n{_STORES}\n\n" + "\n\n".join(map(_store, (
            interface.Keyval, interface.Map, interface.KeyvalPlus, interface.Archive))))


def methods(group: type) -> list[tuple[str, Callable]]:
    """Return the methods for modules that a class itself defines, in the order of the file."""
    return [(name, value) for name, value in vars(group).items()
            if inspect.isfunction(value) and not name.startswith("_") and name not in INNER]


def _functions(namespace) -> list[tuple[str, Callable]]:
    return [(name, value) for name, value in vars(namespace).items()
            if inspect.isfunction(value) and not name.startswith("_")
            and value.__module__ == namespace.__name__]


@cache
def lua_names() -> frozenset[str]:
    """Return the methods that `module` has in Lua."""
    border, text = os.path.join(os.path.dirname(lua.__file__), "border"), ""
    for name in ("module.lua", "measures.lua"):
        with open(os.path.join(border, name), encoding="utf-8") as file:
            text += file.read()
    kinds = {"get_option_" + kind for found in re.findall(
        r"for _, kind in ipairs \{(.*?)\} do\s+methods\[\"get_option_\"", text, re.DOTALL)
        for kind in re.findall(r'"(\w+)"', found)}
    given = {name for name in (*PLAIN, *ASKING)
             if name in LUA_ONLY or (inspect.isfunction(getattr(Module, name, None))
                                     and name not in INNER)}
    defined = re.findall(r"^(?:function methods:|methods\.)(\w+)", text, re.MULTILINE)
    return frozenset((*given, *kinds, *defined))


def _method(name: str, function: Callable) -> str:
    in_lua = (f"\n```lua\n{signatures.lua(function, name)}\n```\n" if name in lua_names()
              else "\nOnly in Python.\n")
    return (f"### module.{name}\n\n```python\nmodule.{signatures.python(function, name)}\n```\n"
            f"{in_lua}\n{inline(first_paragraph(function.__doc__))}")


def _function(function: Callable, prefix: str = "") -> str:
    return (f"### {prefix}{function.__name__}\n\n```python\n{prefix}"
            f"{signatures.python(function)}\n```\n\n{prose(function.__doc__ or '')}")


def _store(store: type) -> str:
    kind = {"KeyvalPlus": "keyval+"}.get(store.__name__, store.__name__.lower())
    lines = "\n".join(f"- `{signatures.python(function)}`: "
                      f"{inline(first_paragraph(function.__doc__))}"
                      for _name, function in methods(store))
    return f"### {kind}\n\n{prose(store.__doc__ or '')}\n\n{lines}"


def _pass() -> str:
    """Return what stands below `PASS` in its file."""
    return re.search(r'^PASS = .*\n"""(.*)"""', inspect.getsource(marks), re.MULTILINE)[1]
