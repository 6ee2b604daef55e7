"""What the files of modules say of themselves: options, services, dependencies.

A Python module's file is run: that has no effect but to define names. A Lua module's file is only
read.
"""

from __future__ import annotations

import ast
import os
import re
import types
from dataclasses import dataclass, field

from prosody_py.api.errors import LoadError
from prosody_py.config.harvest import harvest
from prosody_py.config.options import Options
from prosody_py.loader.find import Source
from prosody_py.loader.python_code import compile_source, describe_error

_LUA_DEPENDS = re.compile(r"""module:depends\s*\(?\s*["']([A-Za-z0-9_]+)["']""")
_LUA_REQUIRES = re.compile(r"""module:require\s*\(?\s*["']([A-Za-z0-9_./]+)["']""")
_LUA_SERVICE = re.compile(
    r"""module:provides\s*\(\s*["']net["']\s*,\s*\{[^}]*?\bname\s*=\s*["']([A-Za-z0-9_]+)["']""")
_LUA_GLOBAL = re.compile(r"module:set_global\s*\(")
_MAX_SIZE = 4 * 1024 * 1024


@dataclass
class ModuleFile:
    """What one file says; `names` are all options that it reads, `config` their declaration."""

    source: Source
    names: set[str] = field(default_factory=set)
    config: type[Options] | None = None
    is_global: bool = False
    depends: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)


def read(source: Source) -> ModuleFile:
    """Return what a module's file says; raises LoadError, for Python with file and line."""
    return _read_python(source) if source.language == "python" else _read_lua(source)


def namespace_of(source: Source) -> types.ModuleType:
    """Return what a Python module's file defines; raises LoadError."""
    namespace = types.ModuleType("prosody_module_" + source.name)
    namespace.__file__ = source.path
    code = compile_source(source)
    try:
        exec(code, namespace.__dict__)
    except Exception as error:
        raise LoadError(describe_error(error)) from error
    return namespace


def _read_python(source: Source) -> ModuleFile:
    namespace = namespace_of(source)
    found = ModuleFile(source, is_global=bool(getattr(namespace, "GLOBAL", False)))
    config = getattr(namespace, "Config", None)
    if isinstance(config, type) and issubclass(config, Options):
        found.config = config
        found.names = {option.name for option in config.declared()}
    found.depends = set(getattr(namespace, "DEPENDS", ()))
    with open(source.path, encoding="utf-8") as file:
        _walk(ast.parse(file.read()), found)
    return found


def _walk(tree: ast.AST, found: ModuleFile) -> None:
    """Find `provides("net", {"name": ...})`, `depends("x")` and `get_option_*("x")`."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        first, called = node.args[0], node.func.attr
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            continue
        if called == "depends":
            found.depends.add(first.value)
        elif called.startswith("get_option"):
            found.names.add(first.value)
        elif called == "provides" and first.value == "net":
            found.services.add(_service_name(node, found.source.name))


def _service_name(call: ast.Call, module: str) -> str:
    item = call.args[1] if len(call.args) > 1 else None
    if isinstance(item, ast.Dict):
        for key, value in zip(item.keys, item.values):
            if (isinstance(key, ast.Constant) and key.value == "name"
                    and isinstance(value, ast.Constant)):
                return str(value.value)
    return module.removeprefix("net_")


def _read_lua(source: Source) -> ModuleFile:
    found = ModuleFile(source)
    waiting, seen = [source.path], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text = _text(path)
        found.names |= harvest(text)
        found.depends |= set(_LUA_DEPENDS.findall(text))
        found.services |= set(_LUA_SERVICE.findall(text))
        found.is_global = found.is_global or bool(_LUA_GLOBAL.search(text))
        folder = os.path.dirname(source.path)
        for name in _LUA_REQUIRES.findall(text):
            places = (f"{name}.lib.lua", f"{name}/{name}.lib.lua", f"{name}.lua")
            waiting += [full for place in places
                        if os.path.isfile(full := os.path.join(folder, place))][:1]
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MAX_SIZE)
    except OSError as error:
        raise LoadError(f"Cannot read {path}: {error.strerror}") from None
