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

_LUA_DOC = re.compile(r"\A(?:--(?!%|\[)[^\n]*\n)+")
_LUA_FEATURE = re.compile(r"""module:add_feature\s*\(?\s*["']([^"']+)["']""")


@dataclass
class Bundled:
    """One bundled module; `path` begins in the source's root, `text` is the whole file."""

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
    with open(source.path, encoding="utf-8") as opened:
        text = opened.read()
    path = "/".join((os.path.basename(os.path.dirname(source.path)),
                     os.path.basename(source.path)))
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
