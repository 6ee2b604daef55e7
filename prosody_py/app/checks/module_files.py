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
from prosody_py.app.scan.module import read_text, scan
from prosody_py.config.harvest import declare
from prosody_py.config.options import Option, Options
from prosody_py.loader.find import Source
from prosody_py.loader.python_code import compile_file, describe_error, names_in
from prosody_py.loader.python_package import files_of, new_namespace, release

_DECLARED = re.compile(r"^    (\w+) = \w+\(|\bname=[\"'](\w+)[\"']", re.MULTILINE)
_SERVICE = re.compile(r"""provides\(?\s*["']net["'],\s*\{\s*["']?name["']?\s*[:=]\s*["'](\w+)""")


@dataclass
class ModuleFile:
    """What one file says.

    `names` are all options that it reads, `config` their declaration in Python, `read` what the
    getters of a Lua module take.
    """

    source: Source
    names: set[str] = field(default_factory=set)
    config: type[Options] | None = None
    is_global: bool = False
    depends: set[str] = field(default_factory=set)
    services: set[str] = field(default_factory=set)
    read: list[Option] = field(default_factory=list)


def read(source: Source) -> ModuleFile:
    """Return what a module's file says; raises LoadError, for Python with file and line."""
    if source.language == "none":
        return ModuleFile(source, is_global=True)
    return _read_python(source) if source.language == "python" else _read_lua(source)


def namespace_of(source: Source) -> types.ModuleType:
    """Return what a Python module's file defines; raises LoadError."""
    code = compile_file(source.path)
    namespace = new_namespace(source)
    try:
        exec(code, namespace.__dict__)
    except LoadError:
        raise
    except Exception as error:
        raise LoadError(describe_error(error)) from error
    finally:
        release(namespace)
    return namespace


def _read_python(source: Source) -> ModuleFile:
    namespace = namespace_of(source)
    found = ModuleFile(source, is_global=bool(getattr(namespace, "GLOBAL", False)))
    config = getattr(namespace, "Config", None)
    if isinstance(config, type) and issubclass(config, Options):
        found.config = config
        found.names = {option.name for option in config.declared()}
    found.depends = set(names_in(namespace, "DEPENDS"))
    for path in files_of(source):
        with open(path, encoding="utf-8") as file:
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
    facts = scan(source).facts
    found = ModuleFile(source, is_global=facts.is_global)
    found.names = {option.name for option in facts.options}
    found.depends = {needed.name for needed in facts.depends}
    found.services = {item.name or source.name.removeprefix("net_") for item in facts.items
                      if item.kind == "net"}
    for option in facts.options:
        place = f"{os.path.basename(option.place.file)}, line {option.place.line}"
        declared = declare(option.name, option.kind, option.words,
                           f"read with get_option_{option.kind} in {place}")
        if declared is not None:
            found.read.append(declared)
    return found


def options_in(source: Source) -> set[str]:
    """Return the options that a module reads, as far as its text shows; nothing is run."""
    try:
        text = read_text(source.path).decode("utf-8", "replace")
        if source.language == "lua":
            options = scan(source).facts.options if "get_option" in text else ()
            found = {one.name for one in options}
        else:
            found = {first or second for first, second in _DECLARED.findall(text)}
    except LoadError:
        return set()
    return found | {f"{service}_{what}" for service in _SERVICE.findall(text)
                    for what in ("ports", "interfaces")}
