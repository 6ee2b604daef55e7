"""The bundled modules, as their files describe themselves."""

from __future__ import annotations

import ast
import os
import re
import types
from dataclasses import dataclass, field
from functools import cache

from prosody_py.api.commands import Command
from prosody_py.app.checks import module_files
from prosody_py.app.checks.module_files import ModuleFile
from prosody_py.app.manual import handlers
from prosody_py.app.manual.handlers import Handler
from prosody_py.loader.find import available, bundled_folders
from prosody_py.loader.python_package import files_of

_LUA_DOC = re.compile(r"\A(?:--(?!%|\[)[^\n]*\n)+")
_LUA_FEATURE = re.compile(r"""module:add_feature\s*\(?\s*["']([^"']+)["']""")


@dataclass
class Bundled:
    """One bundled module; `path` begins in the source's root, `text` is that of all its files."""

    name: str
    path: str
    doc: str
    text: str
    file: ModuleFile
    features: tuple[str, ...] = ()
    handlers: list[Handler] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    @property
    def language(self) -> str:
        """Return "Python" or "Lua"."""
        return self.file.source.language.capitalize()


@cache
def bundled() -> tuple[Bundled, ...]:
    """Return all bundled modules, sorted by name; raises LoadError."""
    return tuple(_read(source) for _name, source in sorted(available(bundled_folders()).items()))


def _read(source) -> Bundled:
    file = module_files.read(source)
    path = os.path.relpath(source.path, os.path.dirname(_folder_of(source))).replace(os.sep, "/")
    text = "\n".join(_read_file(name) for name in (
        files_of(source) if source.language == "python" else [source.path]))
    if source.language == "lua":
        return Bundled(source.name, path, _lua_doc(text), text, file,
                       tuple(dict.fromkeys(_LUA_FEATURE.findall(text))),
                       handlers.of_lua(text, file.is_global))
    namespace = module_files.namespace_of(source)
    features = (*getattr(namespace, "FEATURES", ()), *_added_features(text, namespace))
    return Bundled(source.name, path, namespace.__doc__ or "", text, file,
                   tuple(dict.fromkeys(features)),
                   handlers.of_python(text, namespace, file.is_global),
                   handlers.commands_of(source.name, namespace))


def _folder_of(source) -> str:
    """Return the bundled folder that a module's file is in or below."""
    return next(folder for folder in bundled_folders() if source.path.startswith(folder + os.sep))


def _read_file(path: str) -> str:
    with open(path, encoding="utf-8") as opened:
        return opened.read()


def _lua_doc(text: str) -> str:
    """Return the comment that a Lua file begins with."""
    found = _LUA_DOC.match(text)
    lines = found[0].splitlines() if found else []
    return "\n".join(line.lstrip("-").removeprefix(" ") for line in lines)


def _added_features(text: str, namespace: types.ModuleType) -> list[str]:
    """Return the literal arguments of `add_feature`."""
    return [handlers.text_of(call.args[0], namespace) for call in ast.walk(ast.parse(text))
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
            and call.func.attr == "add_feature" and call.args]
