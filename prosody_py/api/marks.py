"""Decorators that mark functions of a Python module. Marking does nothing; the loader acts on it.

A marked function stays a plain function and is called as `function(module, event)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from prosody_py.api.commands.arguments import Argument
from prosody_py.api.commands.command import Command, first_line

_TARGETS = ("host", "bare", "self", "full")
MARK = "__prosody_marks__"


class HookMark:
    """`function` handles an event of the host, of the server (`on="global"`)."""

    def __init__(self, event: str, priority: float, on: str):
        self.event, self.priority, self.on = event, priority, on


class IqMark:
    """`function` answers an iq; see `iq`."""

    def __init__(self, type: str, xmlns: str, name: str, to: tuple[str, ...], priority: float):
        self.type, self.xmlns, self.name, self.to = type, xmlns, name, to
        self.priority = priority


class CommandMark:
    """`function` is a command of the administrators; see `command`."""

    def __init__(self, words: tuple[str, str], arguments: tuple[str, ...], section_help: str,
                 more: dict[str, Any]):
        self.words, self.arguments = words, arguments
        self.section_help, self.more = section_help, more

    def declare(self, function: Callable, name: str, handlers: dict[str, Callable]) -> Command:
        """Return the command of the module `name`, with its handlers by host."""
        more = dict(self.more)
        if more.get("permission", "").startswith(":"):
            more["permission"] = name + more["permission"]
        return Command(self.words, first_line(function),
                       tuple(map(Argument.parse, self.arguments)), handlers, **more)


def _mark(function: Callable, mark: Any) -> Callable:
    marks = getattr(function, MARK, ())
    setattr(function, MARK, (*marks, mark))
    return function


def hook(event: str, *, priority: float = 0, on: str = "host") -> Callable:
    """Mark `function(module, event)` as a handler of `event`.

    Higher priority runs first (default 0). A result that is not None ends the event. `on` is
    "host" (the module's own host; for a global module the server) or "global".
    """
    return lambda function: _mark(function, HookMark(event, priority, on))


def iq(type: str, xmlns: str, name: str, *, to: tuple[str, ...] | str = ("host",),
       priority: float = 0) -> Callable:
    """Mark `function(module, event)` as what answers an iq.

    `type` is "get" or "set", `xmlns` and `name` are those of the child, `to` names the addresses:
    "host", "bare" (an account's) or "self" (the sender's own account). The function returns the
    payload of the result (a Stanza), a whole iq, None for an empty result, or PASS to leave it to
    others; it raises StanzaError for an error.
    """
    targets = (to,) if isinstance(to, str) else tuple(to)
    if type not in ("get", "set"):
        raise ValueError(f"an iq that is answered is of type get or set, not {type!r}")
    if wrong := [target for target in targets if target not in _TARGETS]:
        raise ValueError(f"to: {wrong[0]!r} is not one of {', '.join(_TARGETS)}")
    return lambda function: _mark(function, IqMark(type, xmlns, name, targets, priority))


def command(section: str, name: str, *arguments: str, help: str = "", **more: Any) -> Callable:
    """Mark `function(module, call, *arguments)` as the command "section name".

    It is there in the shell, on the command line and as an ad-hoc command (XEP-0050); the first
    line of its docstring is its help, `help` that of a new section. An argument is "name:type",
    with "?" when it may be left out (prosody_py.api.commands.arguments has the types). `call` is a
    prosody_py.api.commands.Call; the function returns a text, a Table or None, and raises
    CommandError. `more`: `role` (who may use it on the host that the arguments name, by default
    "prosody:admin"), `permission` (the action to grant others with; "section:name"), `everywhere`
    (only for administrators of the whole server), `host_selector` (the argument that names the
    host; the first address or host among them).
    """
    for argument in arguments:
        Argument.parse(argument)  # a mistake is told here, with its line
    return lambda function: _mark(function, CommandMark((section, name), arguments, help, more))


def offer_commands(module, *functions: Callable) -> None:
    """Offer marked functions of a module; for those in the files beside its own.

    Those of the module's own file are offered by themselves.
    """
    for function in functions:
        for mark in getattr(function, MARK, ()):
            if isinstance(mark, CommandMark):
                handlers = {module.host: partial(function, module)}
                module.add_item("command", (mark.declare(function, module.name, handlers),
                                            mark.section_help))


class _Pass:
    def __repr__(self) -> str:
        return "PASS"


PASS = _Pass()
"""What an @iq function returns to say that it has not answered."""
