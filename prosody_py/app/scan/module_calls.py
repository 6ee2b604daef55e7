"""What calls of `module:name(...)` say of a module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prosody_py.app.lua_source import nodes
from prosody_py.app.scan.facts import OPTIONAL, Hook, Item, Needed, OptionRead
from prosody_py.app.scan.literals import UNKNOWN, field, literal, number

_HOOKS = {"hook": 0, "hook_global": 0, "hook_object_event": 1, "wrap_event": 0, "wrap_global": 0,
          "wrap_object_event": 1}
"""Calls that name an event, with the place of its name among the arguments."""
_NAMED = {"add_feature": "feature", "add_extension": "extension", "add_identity": "identity"}


@dataclass(frozen=True, slots=True)
class OptionValue:
    """The value of an option."""

    name: str


def note(reader, node: nodes.MethodCall) -> Any:
    """Note what a call says; return what it gives where that is known."""
    name, arguments = node.name, node.arguments
    if name in _HOOKS:
        _hook(reader, node, _HOOKS[name])
    elif name in ("hook_tag", "hook_stanza"):
        _hook_tag(reader, node)
    elif name.startswith("get_option"):
        return _option(reader, node)
    elif name == "set_global":
        reader.facts.is_global = True
    elif name == "fire_event" and arguments:
        reader.facts.fires.add(reader.text(arguments[0]))
    elif name in ("depends", "require") and arguments:
        needed = reader.text(arguments[0])
        if UNKNOWN not in needed:
            soft = name == "depends" and literal(_at(arguments, 1)) == "true"
            found = Needed(needed, OPTIONAL if soft else reader.when(), reader.place(node.line))
            (reader.facts.depends if name == "depends" else reader.facts.files).append(found)
    elif name in ("provides", "add_item") and arguments:
        _offer(reader, node)
    elif name in _NAMED and arguments:
        reader.facts.items.append(Item(_NAMED[name], reader.text(arguments[0]),
                                       reader.place(node.line)))
    return None


def _at(arguments: list[nodes.Node], index: int) -> nodes.Node | None:
    return arguments[index] if index < len(arguments) else None


def _hook(reader, node: nodes.MethodCall, index: int) -> None:
    event, last = _at(node.arguments, index), _at(node.arguments, index + 2)
    if event is not None and not isinstance(event, nodes.Function):
        reader.facts.hooks.append(Hook(reader.text(event), node.name, number(last),
                                       reader.place(node.line)))


def _hook_tag(reader, node: nodes.MethodCall) -> None:
    """`hook_tag([xmlns,] name, handler[, priority])`."""
    arguments = node.arguments
    if len(arguments) < 2:
        return
    has_xmlns = not isinstance(arguments[1], nodes.Function)
    xmlns = reader.text(arguments[0]) if has_xmlns and literal(arguments[0]) != "nil" else ""
    name = reader.text(arguments[1 if has_xmlns else 0])
    event = f"stanza/{xmlns}:{name}" if xmlns else f"stanza/{name}"
    reader.facts.hooks.append(Hook(event, node.name, number(_at(arguments, 3 if has_xmlns else 2)),
                                   reader.place(node.line)))


def _option(reader, node: nodes.MethodCall) -> OptionValue | None:
    arguments = node.arguments
    name = reader.text(arguments[0]) if arguments else UNKNOWN
    if UNKNOWN in name:
        return None
    kind = node.name.removeprefix("get_option").removeprefix("_") or "option"
    words: tuple[str, ...] = ()
    if kind == "enum":
        words = tuple(one.text for one in arguments[1:] if isinstance(one, nodes.String))
    reader.facts.options.append(OptionRead(
        name, kind, literal(_at(arguments, 1)), words, reader.place(node.line)))
    return OptionValue(name)


def _offer(reader, node: nodes.MethodCall) -> None:
    given = _at(node.arguments, 1)
    named = field(given, "name")
    name = reader.text(named) if named is not None else ""
    if not name and given is not None and not isinstance(given, nodes.Table | nodes.Name):
        name = reader.text(given)
    reader.facts.items.append(Item(reader.text(node.arguments[0]), "" if name == UNKNOWN else name,
                                   reader.place(node.line)))
