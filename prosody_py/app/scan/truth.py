"""What Lua modules find here, asked of a Lua runtime that is started for the question.

Nothing of this is written down a second time: a library is there when `require` gives it, a member
when it is not nil, a method when `module` has it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from prosody_py.app.startup import assemble
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.load import load_mapping
from prosody_py.lua import runtime_of
from prosody_py.lua.runtime import LIB, Runtime
from prosody_py.lua.values import decode, encode

_ASK = b"""
local require, type, pcall, tostring, next = require, type, pcall, tostring, next;
local prosody, methods = prosody, require "core.moduleapi";

local function get(name)
	if name == "prosody" then return prosody; end
	return require(name);
end

local function why_not(name)
	local ok, found = pcall(get, name);
	return not ok and tostring(found) or nil;
end

local function has(name, ...)
	local value = get(name);
	for _, key in ipairs { ... } do
		if type(value) ~= "table" then return true; end
		value = value[key];
		if value == nil then return false; end
	end
	return true;
end

local function members(name)
	local value, found = get(name), {};
	if type(value) ~= "table" then return ""; end
	for key, member in pairs(value) do
		if type(key) == "string" then found[#found + 1] = key .. "=" .. type(member); end
	end
	table.sort(found);
	return table.concat(found, " ");
end

local function method_names()
	local found = {};
	for name, method in next, methods do
		if type(method) == "function" then found[#found + 1] = name; end
	end
	return table.concat(found, " ");
end

return why_not, has, members, method_names;
"""


class Truth:
    """Questions to one runtime."""

    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._call = runtime.driver.call
        chunk = runtime.compile(_ASK, "=scan", runtime.lua.globals())
        self._why_not, self._has, self._members, self._methods = self._call(chunk)
        self._known: dict[str, str | None] = {}

    def ask_with(self, source: bytes, path: str) -> Callable[..., str]:
        """Run Lua code that returns functions; return one that calls the function of a number.

        The functions take and return texts.
        """
        chunk = self._runtime.compile(source, path, self._runtime.lua.globals())
        functions = self._call(chunk)
        return lambda number, *given: decode(self._call(functions[number], *map(encode, given)))

    @property
    def features(self) -> frozenset[str]:
        """Return what a line `--% requires:` may name."""
        return self._runtime.features

    @property
    def kind(self) -> str:
        """Return the name of the runtime, such as "lua54"."""
        return self._runtime.kind

    def why_not(self, library: str) -> str | None:
        """Return why `require "library"` fails, None when it does not."""
        if library not in self._known:
            found = self._call(self._why_not, encode(library))
            self._known[library] = None if found is None else decode(found)
        return self._known[library]

    def has(self, library: str, path: tuple[str, ...]) -> bool:
        """Whether `library.a.b` is there; also when that can only be seen at run time."""
        return bool(self._call(self._has, encode(library), *map(encode, path)))

    def members(self, library: str) -> dict[str, str]:
        """Return the members of a library with their Lua types, sorted by name."""
        found = decode(self._call(self._members, encode(library)))
        return dict(part.rsplit("=", 1) for part in found.split())

    @cached_property
    def methods(self) -> frozenset[str]:
        """Return the names that can be called on `module`."""
        return frozenset(decode(self._call(self._methods)).split())

    def complaint(self, source: bytes, path: str) -> str | None:
        """Return what is wrong with the grammar of a file, None when nothing is."""
        try:
            self._runtime.compile(source, path, self._runtime.lua.table())
        except SyntaxError as error:
            return str(error)
        return None


@contextmanager
def truth(config: Config | None = None, kind: str | None = None) -> Iterator[Truth]:
    """Start a runtime of `kind`, else the one that a configuration names, and end it afterwards.

    Nothing is opened or kept.
    """
    if kind is None and config is not None:
        kind = config.get(GLOBAL, "lua_runtime")
    with tempfile.TemporaryDirectory() as folder:
        options = {"storage": "memory", "data_path": folder}
        if kind is not None:
            options["lua_runtime"] = kind
        server = assemble(load_mapping(options, os.path.join(folder, "none")))
        try:
            yield Truth(runtime_of(server))
        finally:
            server.events.fire_event("server-cleanup")


def libraries() -> list[str]:
    """Return the names of all libraries that a module may require, sorted.

    Files in a folder of their own belong to the library of the folder's name and are not counted,
    unless their folder is one that Prosody has, or stands for a library with parts (`socket.url`).
    """
    found = []
    for folder, _folders, files in os.walk(LIB):
        inside = os.path.relpath(folder, LIB).replace(os.sep, ".")
        found += [file.removesuffix(".lua") if inside == "." else
                  f"{inside}.{file.removesuffix('.lua')}" for file in files
                  if file.endswith(".lua")]
    tops = {name for name in found if "." not in name} | {"util", "core", "net"}
    return sorted(name for name in found if name.partition(".")[0] in tops)
