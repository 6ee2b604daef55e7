"""A module that is written in Python: run its file, act on its marks."""

from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from functools import partial
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.api.hooking import answer_iq
from prosody_py.api.marks import MARK, PASS, CommandMark, HookMark, IqMark, offer_commands
from prosody_py.api.marks import command as command_mark
from prosody_py.config.options import Options
from prosody_py.loader.calls import HANDLER, LIFE_CYCLE, check_call
from prosody_py.loader.find import Source
from prosody_py.loader.python_package import FolderFinder, new_namespace, release

_SERVER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_NOT_OF_MODULES = ("<", *(os.path.join(path, "") for path in {
    *(os.path.join(_SERVER, room) for room in os.listdir(_SERVER) if room != "bundled"),
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))}))
_compiled: dict[str, tuple[int, int, Any]] = {}


def compile_file(path: str) -> Any:
    """Return the code object of a file; raises LoadError with file and line."""
    try:
        stat = os.stat(path)
        known = _compiled.get(path)
        if known and known[:2] == (stat.st_mtime_ns, stat.st_size):
            return known[2]
        with open(path, encoding="utf-8") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"Cannot read {path}: {error}") from None
    except SyntaxError as error:
        raise LoadError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    _compiled[path] = (stat.st_mtime_ns, stat.st_size, code)
    return code


sys.meta_path.insert(0, FolderFinder(compile_file))  # before the finder of ordinary folders


class PythonCode:
    """The code of one instance of a Python module.

    The file is run once per instance, so its top-level names belong to that instance, and so do
    the files of its folder (see loader.python_package). Nothing is registered by running it;
    `run` acts on the marked functions afterwards.
    """

    language = "python"

    def __init__(self, source: Source):
        self.source = source
        self._code = compile_file(source.path)
        self.namespace = new_namespace(source)
        self._module: Any = None

    def run(self, module) -> None:
        """Run the file for `module`; whatever it raises is the caller's to handle."""
        self._module = module
        module.exports = self.namespace
        module.path = self.source.path
        exec(self._code, self.namespace.__dict__)
        if getattr(self.namespace, "GLOBAL", False):
            module.set_global()
        config = getattr(self.namespace, "Config", None)
        if isinstance(config, type) and issubclass(config, Options):
            module.options = config.read(module.server.config, module.host)
        for name in names_in(self.namespace, "DEPENDS"):
            module.depends(name)
        for feature in names_in(self.namespace, "FEATURES"):
            module.add_feature(feature)
        self.register(module)

    def register(self, module) -> None:
        """Register the marked functions."""
        functions = [value for value in vars(self.namespace).values() if callable(value)]
        self._check(functions)
        offer_commands(module, *functions)
        for function in functions:
            for mark in getattr(function, MARK, ()):
                if isinstance(mark, HookMark):
                    events = module.server.events if mark.on == "global" else module.events
                    module.hook_object_event(events, mark.event, partial(function, module),
                                             mark.priority)
                elif isinstance(mark, IqMark):
                    handler = partial(_run_iq, module, function)
                    for target in mark.to:
                        module.hook(f"iq-{mark.type}/{target}/{mark.xmlns}:{mark.name}",
                                    handler, mark.priority)

    def _check(self, functions: list[Any]) -> None:
        """Raise LoadError for a function that the server could not call."""
        for name, arguments in LIFE_CYCLE.items():
            if (function := self._function(name)) is not None:
                check_call(function, arguments)
        for function in functions:
            for mark in getattr(function, MARK, ()):
                if isinstance(mark, CommandMark):
                    names = [text.partition(":")[0] for text in mark.arguments]
                    names += ["flags"] if mark.more.get("flags") is not None else []
                    check_call(function, ", ".join(["module", "call", *names]))
                else:
                    check_call(function, HANDLER)

    def has(self, name: str) -> bool:
        """Whether the file defines the life-cycle function `name`."""
        return self._function(name) is not None

    def _function(self, name: str) -> Any:
        function = getattr(self.namespace, name, None)
        # The mark @command has the name of a life-cycle function.
        return function if callable(function) and function is not command_mark else None

    def call(self, name: str, *args: Any) -> Any:
        """Call a life-cycle function as `function(module, *args)`; None when there is none."""
        function = self._function(name)
        return function(self._module, *args) if function else None

    def call_for(self, module, name: str, *args: Any) -> Any:
        """Call a life-cycle function for a host's instance of a shared module."""
        function = self._function(name)
        return function(module, *args) if function else None

    def discard(self) -> None:
        """Let the files of the module's folder go; the instance is out of service."""
        release(self.namespace)


def names_in(namespace: Any, constant: str) -> tuple[str, ...]:
    """Return the names in DEPENDS or FEATURES; a single one may stand without a tuple."""
    given = getattr(namespace, constant, ())
    return (given,) if isinstance(given, str) else tuple(given)


def _run_iq(module, function, event) -> Any:
    return answer_iq(module, function, PASS, event)


def describe_error(error: BaseException) -> str:
    """Return "file:line: Type: text" of the innermost place in a module's own file."""
    if getattr(error, "lua_traceback", None) is not None:
        return str(error)  # Lua puts file and line before the text itself
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_NOT_OF_MODULES)]
    place = (own or frames or [None])[-1]
    where = f"{place.filename}:{place.lineno}: " if place else ""
    return f"{where}{type(error).__name__}: {error}"

