"""Walks through the tree of a Lua file and notes the facts.

A shallow interpretation: what a variable holds is followed as far as it is a library, a member of
one, `module`, or a text (also one put together with `..`). Everything else is unknown, and so is
a variable that is assigned twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prosody_py.app.lua_source import nodes
from prosody_py.app.scan import module_calls
from prosody_py.app.scan.facts import ALWAYS, LATER, OPTIONAL, Facts, Library, Member, Method, Place
from prosody_py.app.scan.literals import UNKNOWN

_ANY = UNKNOWN
_LOADING = ("load", "add_host")  # callbacks that run whenever the module loads
_UNSET = object()


@dataclass(frozen=True, slots=True)
class Known:
    """A library, or with a path a member of it."""

    library: str
    path: tuple[str, ...] = ()


class _Module:
    """What the variable `module` holds."""


@dataclass(frozen=True, slots=True)
class Builtin:
    """A global function that matters here."""

    name: str


MODULE = _Module()
PROSODY = Known("prosody")


class Reader:
    """Reads the files of one module; `facts` is what was found up to now."""

    def __init__(self, name: str):
        self.name = name
        self.facts = Facts()
        self._file = ""
        self._scopes: list[dict[str, Any]] = []
        self._later = 0

    def read(self, body: list[nodes.Node], file: str) -> None:
        """Note what the statements of one file say."""
        self._file, self._later = file, 0
        self._scopes = [dict(_GLOBALS)]
        self._block(body)

    # -- for module_calls ------------------------------------------------------------------

    def place(self, line: int) -> Place:
        """Return a place in the file that is read."""
        return Place(self._file, line)

    def when(self) -> str:
        """Return when what is looked at now is reached."""
        return LATER if self._later else ALWAYS

    def value(self, node: nodes.Node, tested: bool = False) -> Any:
        """Return the first value of an expression, None when it is not known."""
        found = self._expression(node, tested)
        return (found[0] if found else None) if isinstance(found, tuple) else found

    def text(self, node: nodes.Node) -> str:
        """Return the text that an expression gives; `*` stands for what is not known."""
        found = self.value(node)
        return found if isinstance(found, str) else _ANY

    # -- statements ------------------------------------------------------------------------

    def _block(self, body: list[nodes.Node], names: dict[str, Any] | None = None,
               after: nodes.Node | None = None) -> None:
        self._scopes.append(names or {})
        for statement in body:
            _STATEMENTS[type(statement)](self, statement)
        if after is not None:
            self._expression(after, True)
        self._scopes.pop()

    def _perhaps(self, body: list[nodes.Node], names: dict[str, Any] | None = None,
                 after: nodes.Node | None = None) -> None:
        self._later += 1
        self._block(body, names, after)
        self._later -= 1

    def _local(self, node: nodes.Local) -> None:
        if node.recursive:
            self._scopes[-1][node.names[0]] = None
        values = self._values(node.values)
        filling = None if node.values else _UNSET
        for index, name in enumerate(node.names):
            self._scopes[-1][name] = values[index] if index < len(values) else filling

    def _values(self, given: list[nodes.Node]) -> list[Any]:
        values = [self._expression(node) for node in given]
        if values and isinstance(values[-1], tuple):
            values[-1:] = values[-1]
        return [(value[0] if value else None) if isinstance(value, tuple) else value
                for value in values]

    def _assign(self, node: nodes.Assign) -> None:
        first = node.targets[0]
        if isinstance(first, nodes.Index) and self._is_module(first.object):
            name = self.text(first.key)
            self.facts.assigned.add(("module", name))
            if isinstance(node.values[0], nodes.Function):
                self.facts.callbacks.add(name)
                run = self._block if name in _LOADING else self._perhaps
                self._function(node.values[0], run, MODULE if name == "add_host" else None)
                return
        values = self._values(node.values)
        for index, target in enumerate(node.targets):
            value = values[index] if index < len(values) else None
            if isinstance(target, nodes.Name):
                self._set(target.name, value)
            elif isinstance(target, nodes.Index):
                self._set_member(target)

    def _set(self, name: str, value: Any) -> None:
        for scope in reversed(self._scopes):
            if name in scope:
                scope[name] = value if scope[name] is _UNSET or scope[name] == value else None
                return
        self._scopes[0][name] = value

    def _set_member(self, target: nodes.Index) -> None:
        key, owner = self.value(target.key), self.value(target.object)
        if isinstance(owner, Known) and isinstance(key, str):
            self.facts.assigned.add((owner.library, *owner.path, key))

    def _is_module(self, node: nodes.Node) -> bool:
        return isinstance(node, nodes.Name) and self._name(node) is MODULE

    def _do(self, node: nodes.Do) -> None:
        for expression in node.expressions:
            self._expression(expression, bool(node.body) and not node.names)
        if node.body or node.after:
            is_plain = not node.expressions and node.after is None
            run = self._block if is_plain else self._perhaps
            run(node.body, dict.fromkeys(node.names), node.after)

    def _if(self, node: nodes.If) -> None:
        for condition, body in node.branches:
            if condition is not None:
                self._expression(condition, True)
                if not self._later and _only_fails(body):
                    self._require_option(condition)
            self._perhaps(body)

    def _require_option(self, node: nodes.Node | None) -> None:
        """Note that loading depends on the option that an expression is or compares."""
        if isinstance(node, nodes.Operation) and node.operator in ("not", "=="):
            node = node.left or node.right
        value = self.value(node) if isinstance(node, nodes.Name) else None
        if isinstance(value, module_calls.OptionValue):
            self.facts.required[value.name] = None

    def _return(self, node: nodes.Return) -> None:
        for value in node.values:
            self._expression(value)

    # -- expressions -----------------------------------------------------------------------

    def _expression(self, node: nodes.Node, tested: bool = False) -> Any:
        """Return what an expression gives: a value, a tuple of several, or None.

        `tested` says that it is only looked at whether there is something.
        """
        method = _EXPRESSIONS.get(type(node))
        return method(self, node, tested) if method else None

    def _string(self, node: nodes.String, _tested: bool) -> str:
        return node.text

    def _name(self, node: nodes.Name, _tested: bool = False) -> Any:
        for scope in reversed(self._scopes):
            if node.name in scope:
                found = scope[node.name]
                return None if found is _UNSET else found
        return None

    def _operation(self, node: nodes.Operation, tested: bool) -> Any:
        operator = node.operator
        if operator == ".." and node.left is not None:
            return self.text(node.left) + self.text(node.right)
        is_test = operator in ("not", "==", "~=")
        if node.left is not None:
            left = self._expression(node.left, is_test or operator in ("and", "or"))
            if operator in ("and", "or"):
                self._later += 1
                right = self.value(node.right, tested)
                self._later -= 1
                left = left[0] if isinstance(left, tuple) and left else left
                return right if operator == "and" or left is None else left
        self._expression(node.right, is_test)
        return None

    def _index(self, node: nodes.Index, tested: bool) -> Any:
        owner = self.value(node.object, False)
        key = self.value(node.key)
        if not isinstance(key, str) or _ANY in key:
            return None
        if owner is MODULE:
            if key == "name":
                return self.name
            if tested:
                self.facts.methods.append(Method(key, OPTIONAL, self.place(node.line)))
            return None
        if isinstance(owner, Known):
            return self._member(owner, key, node.line, tested)
        return None

    def _member(self, owner: Known, key: str, line: int, tested: bool) -> Known:
        found = Known(owner.library, (*owner.path, key))
        if owner.library != PROSODY.library:
            # Nothing fails where a member is only read; see _call.
            self.facts.members.append(Member(found.library, found.path,
                                             OPTIONAL if tested else LATER, self.place(line)))
        return found

    def _called(self, function: Any, line: int) -> None:
        """Note the call of a member."""
        if isinstance(function, Known) and function.path and (
                function.library == PROSODY.library or self.when() == ALWAYS):
            self.facts.members.append(Member(function.library, function.path, self.when(),
                                             self.place(line)))

    def _table(self, node: nodes.Table, _tested: bool) -> None:
        for key, value in node.fields:
            if key is not None:
                self._expression(key)
            self._expression(value)

    def _function(self, node: nodes.Function, run: Any = None, first: Any = None) -> None:
        names = dict.fromkeys(node.parameters)
        if node.parameters and first is MODULE:
            names[node.parameters[0]] = MODULE
        (run or self._perhaps)(node.body, names)

    def _method_call(self, node: nodes.MethodCall, _tested: bool) -> Any:
        owner = self.value(node.object)
        result = None
        if owner is MODULE:
            self.facts.methods.append(Method(node.name, self.when(), self.place(node.line)))
            result = MODULE if node.name == "context" else module_calls.note(self, node)
        elif node.name.startswith("get_option"):
            result = module_calls.note(self, node)  # of a module that was given as an argument
        elif isinstance(owner, Known):
            self._called(self._member(owner, node.name, node.line, False), node.line)
        values = [self._expression(argument) for argument in node.arguments]
        if values and node.name == "fire_event":
            self._fires(values[0])
        return result

    def _call(self, node: nodes.Call, tested: bool) -> Any:
        called = node.function
        name = called.name if isinstance(called, nodes.Name) else ""
        function = self.value(called)
        if isinstance(function, Builtin):
            return _CALLS[function.name](self, node, tested)
        if isinstance(function, Known) and function.path[-1:] == ("softreq",):
            return self._soft_require(node, tested)
        self._called(function, node.line)
        values = [self._expression(argument, name == "type") for argument in node.arguments]
        if values and (name == "fire_event" or isinstance(called, nodes.Index)
                       and isinstance(called.key, nodes.String)
                       and called.key.text == "fire_event"):
            self._fires(values[0])
        return None

    def _fires(self, event: Any) -> None:
        if isinstance(event, str):
            self.facts.fires.add(event)

    # -- calls of global functions ---------------------------------------------------------

    def _require(self, node: nodes.Call, _tested: bool) -> Any:
        return self._library(node.arguments[0], self.when()) if node.arguments else None

    def _library(self, argument: nodes.Node, when: str) -> Known | None:
        name = self.text(argument)
        if _ANY in name:
            return None
        short = name.removeprefix("prosody.")
        self.facts.libraries.append(Library(short, when, self.place(argument.line)))
        return Known(short)

    def _soft_require(self, node: nodes.Call, _tested: bool) -> Any:
        return self._library(node.arguments[0], OPTIONAL) if node.arguments else None

    def _protected(self, node: nodes.Call, _tested: bool) -> Any:
        arguments = node.arguments
        values = [self._expression(argument) for argument in arguments]
        if values[:1] != [_CALLED["require"]]:
            return None
        skip = 2 if self.value(node.function) == _CALLED["xpcall"] else 1
        return None, len(values) > skip and self._library(arguments[skip], OPTIONAL) or None

    def _import(self, node: nodes.Call, tested: bool) -> Any:
        found = self._require(node, tested)
        if found is None:
            return None
        return tuple(self._member(found, self.text(one), one.line, tested)
                     for one in node.arguments[1:] if _ANY not in self.text(one))

    def _assert(self, node: nodes.Call, _tested: bool) -> Any:
        values = [self._expression(argument) for argument in node.arguments]
        first = node.arguments[0] if node.arguments else None
        if isinstance(first, nodes.Operation) and first.operator == "==":
            values[0] = self.value(first.left)
        if not self._later and values and isinstance(values[0], module_calls.OptionValue):
            self.facts.required[values[0].name] = None
        return values[0] if values else None


def _only_fails(body: list[nodes.Node]) -> bool:
    """Whether a block is nothing but a call of `error`."""
    call = body[0].expressions[:1] if len(body) == 1 and isinstance(body[0], nodes.Do) else []
    return bool(call) and isinstance(call[0], nodes.Call) and isinstance(
        call[0].function, nodes.Name) and call[0].function.name == "error"


_STATEMENTS = {nodes.Local: Reader._local, nodes.Assign: Reader._assign, nodes.Do: Reader._do,
               nodes.If: Reader._if, nodes.Return: Reader._return}
_EXPRESSIONS = {
    nodes.String: Reader._string, nodes.Name: Reader._name, nodes.Operation: Reader._operation,
    nodes.Index: Reader._index, nodes.Table: Reader._table, nodes.Call: Reader._call,
    nodes.MethodCall: Reader._method_call,
    nodes.Function: lambda reader, node, _tested: reader._function(node)}
_CALLS = {"require": Reader._require, "pcall": Reader._protected, "xpcall": Reader._protected,
          "softreq": Reader._soft_require, "import": Reader._import, "assert": Reader._assert}
_CALLED = {name: Builtin(name) for name in _CALLS}
_GLOBALS: dict[str, Any] = {"module": MODULE, "prosody": PROSODY, **_CALLED}
