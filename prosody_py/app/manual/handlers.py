"""Which events a module's file hooks, found without loading the module."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass

from prosody_py.api.commands import Command
from prosody_py.api.marks import MARK, CommandMark, HookMark, IqMark
from prosody_py.app.lua_source.parser import parse
from prosody_py.app.manual.markdown import first_paragraph
from prosody_py.app.scan.reader import Reader

_CALLS = {"hook": "host", "hook_global": "server", "hook_tag": "host"}
_LUA_CALLS = {"hook": "host", "hook_tag": "host", "hook_global": "server"}


@dataclass(frozen=True)
class Handler:
    """A handler of `event` on the events of the "host" or the "server".

    In the event's name `*` stands for what is known only when the module runs. `text` is what the
    handler does, as far as it says so.
    """

    event: str
    priority: float
    on: str
    text: str = ""


def of_python(text: str, namespace: types.ModuleType, is_global: bool) -> list[Handler]:
    """Return the handlers of a Python module: marked functions, then calls of `module.hook`."""
    own = "server" if is_global else "host"
    found: dict[Handler, None] = {}
    for function in vars(namespace).values():
        for mark in getattr(function, MARK, ()) if callable(function) else ():
            doc = first_paragraph(function.__doc__)
            if isinstance(mark, HookMark):
                on = "server" if mark.on == "global" else own
                found[Handler(mark.event, mark.priority, on, doc)] = None
            elif isinstance(mark, IqMark):
                for target in mark.to:
                    event = f"iq-{mark.type}/{target}/{mark.xmlns}:{mark.name}"
                    found[Handler(event, mark.priority, own, doc)] = None
    tree = ast.parse(text)
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            where = "host" if function.name == "add_host" else own
            for handler in _calls(function, namespace, where):
                found[handler] = None
    return list(found)


def commands_of(name: str, namespace: types.ModuleType) -> list[Command]:
    """Return the commands that a Python module marks, in its file or those beside it."""
    beside = [value for value in vars(namespace).values() if isinstance(value, types.ModuleType)
              and value.__name__.startswith(namespace.__name__ + ".")]
    functions = [function for file in (namespace, *beside) for function in vars(file).values()
                 if callable(function)]
    return [mark.declare(function, name, {}) for function in dict.fromkeys(functions)
            for mark in getattr(function, MARK, ()) if isinstance(mark, CommandMark)]


def _calls(function: ast.FunctionDef, namespace: types.ModuleType, own: str) -> list[Handler]:
    """Return the handlers that a function registers with `module.hook` and its kin."""
    found = []
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
                and isinstance(call.func.value, ast.Name) and call.func.value.id == "module"
                and call.func.attr in _CALLS and call.args):
            continue
        name, args = call.func.attr, list(call.args)
        event = text_of(args.pop(0), namespace)
        if name == "hook_tag":
            event = f"stanza/{event}:{text_of(args.pop(0), namespace)}"
        priorities = [keyword.value for keyword in call.keywords if keyword.arg == "priority"]
        priorities += args[1:2]
        on = own if _CALLS[name] == "host" else "server"
        found.append(Handler(event, _number(priorities), on, _doc_of(args, namespace)))
    return found


def _number(nodes: list[ast.expr]) -> float:
    try:
        return ast.literal_eval(nodes[0]) if nodes else 0
    except ValueError:
        return 0


def _doc_of(args: list[ast.expr], namespace: types.ModuleType) -> str:
    function = getattr(namespace, args[0].id, None) if args and isinstance(
        args[0], ast.Name) else None
    return first_paragraph(getattr(function, "__doc__", None))


def text_of(node: ast.expr, namespace: types.ModuleType) -> str:
    """Return what an expression of texts gives; `*` stands for what is not known."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        known = getattr(namespace, node.id, None)
        return known if isinstance(known, str) else "*"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        known = getattr(getattr(namespace, node.value.id, None), node.attr, None)
        return known if isinstance(known, str) else "*"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left, namespace) + text_of(node.right, namespace)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, namespace) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return text_of(node.value, namespace)
    return "*"


def of_lua(text: str, is_global: bool) -> list[Handler]:
    """Return the handlers of a Lua module as far as its text shows them."""
    reader = Reader("")
    reader.read(parse(text), "")
    found: dict[Handler, None] = {}
    for hook in reader.facts.hooks:
        if hook.call in _LUA_CALLS:
            on = "server" if is_global else _LUA_CALLS[hook.call]
            found[Handler(hook.event, hook.priority, on)] = None
    return list(found)
