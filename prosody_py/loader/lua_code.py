"""A module that is written in Lua: compile its file, run it in an environment of its own."""

from __future__ import annotations

import re
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.loader.find import Source
from prosody_py.lua import runtime_of

_HEADER = re.compile(rb"--%[ \t]*(\w+):[ \t]*([^\r\n]*)")
_VERSIONS = {"lua54": "5.4", "luajit21": "5.1"}


def header(source: bytes) -> list[tuple[str, list[str]]]:
    """Return the lines `--% key: a, b` at the beginning of a file as (key, [a, b])."""
    found = map(_HEADER.match, source.split(b"\n", 20)[:20])
    return [(one[1].decode(),
             [part.strip() for part in one[2].decode("utf-8", "replace").split(",")])
            for one in found if one is not None]


def check_header(source: bytes, path: str, kind: str, features: frozenset[str]) -> None:
    """Raise LoadError when a line `--% lua:`, `requires:` or `conflicts:` rules the file out."""
    for key, wanted in header(source):
        if key == "lua" and _VERSIONS[kind] not in wanted:
            raise LoadError(f"{path} is for Lua {', '.join(wanted)}; this is {_VERSIONS[kind]}")
        if key == "requires" and (missing := [name for name in wanted if name not in features]):
            raise LoadError(f"{path} requires {', '.join(missing)}, which is not provided")
        if key == "conflicts" and (clash := [name for name in wanted if name in features]):
            raise LoadError(f"{path} cannot be used with {', '.join(clash)}")


class LuaCode:
    """The code of one instance of a Lua module, and of its instances on hosts.

    Same protocol as loader.python_code.PythonCode. The environment is thrown away with the
    instance, and with it everything that the module's code has made.
    """

    language = "lua"

    def __init__(self, server, source: Source):
        self.source = source
        self._runtime = runtime_of(server)
        try:
            with open(source.path, "rb") as file:
                self._text = file.read()
        except OSError as error:
            raise LoadError(f"Cannot read {source.path}: {error}") from None
        check_header(self._text, source.path, self._runtime.kind, self._runtime.features)
        self._check_syntax()
        self._module: Any = None
        self._api: Any = None
        self._hosts: dict[int, Any] = {}  # id of a host's instance -> its API table

    def _check_syntax(self) -> None:
        try:
            self._runtime.compile(self._text, self.source.path, self._runtime.lua.table())
        except SyntaxError as error:
            raise LoadError(str(error)) from None

    def run(self, module) -> None:
        """Run the file for `module`; raises ScriptError or what it has called raised."""
        runtime = self._runtime
        self._module = module
        module.path = self.source.path
        self._api, environment = runtime.new_module(module)
        module.exports = runtime.to_python(environment)
        runtime.driver.measured(module.effort,
                                runtime.compile(self._text, self.source.path, environment))

    def has(self, name: str) -> bool:
        """Whether the module has assigned the life-cycle function `name`."""
        return self._api is not None and self._runtime.raw_function(self._api, name) is not None

    def call(self, name: str, *args: Any) -> Any:
        """Call a life-cycle function of the module; None when there is none."""
        return self._call(self._module, self._api, name, args)

    def _call(self, module: Any, api: Any, name: str, args: tuple) -> Any:
        runtime = self._runtime
        function = None if api is None else runtime.raw_function(api, name)
        if function is None:
            return None
        raw = [runtime.copy_to_lua(value) for value in args]
        result = runtime.driver.measured(module.effort, function, *raw)
        return runtime.to_python(result[0] if type(result) is tuple else result)

    def call_for(self, module, name: str, *args: Any) -> Any:
        """Call a life-cycle function for a host's instance of a shared module.

        "add_host" makes the instance's API object, derived from the module's; "unload_host",
        "save_host" and "restore_host" are the `unload`, `save` and `restore` that were assigned to
        that object. A refusal is False.
        """
        runtime = self._runtime
        if name == "unload_host":
            api = self._hosts.pop(id(module), None)
            return self._call(module, api, "unload", args)
        if name != "add_host":
            return self._call(module, self._hosts.get(id(module)), name.removesuffix("_host"),
                              args)
        function = runtime.raw_function(self._api, "add_host")
        api, environment = runtime.new_module(module, self._api)
        self._hosts[id(module)] = api
        module.exports = runtime.to_python(environment)
        result = runtime.driver.measured(module.effort, function, api)
        refusal, reason = result if type(result) is tuple else (result, None)
        if refusal is False:
            del self._hosts[id(module)]
            if reason is not None:
                raise LoadError(f"mod_{module.name} refuses {module.host}: "
                                f"{runtime.describe_error(runtime.to_python(reason))}")
            return False
        self._call(module, api, "load", ())
        return result

    def forget(self, module) -> None:
        """Let go of the environment of a host's instance."""
        self._hosts.pop(id(module), None)

    def discard(self) -> None:
        """Let go of the environment."""
        self._api = None
        self._hosts.clear()
        if self._module is not None:
            self._module.exports = None
            self._module = None
