"""The annotations of the libraries and of `prosody`: what a runtime has, with its comments."""

from __future__ import annotations

import inspect

from prosody_py.app.annotations import text
from prosody_py.app.annotations.inside import Inside, Member
from prosody_py.app.annotations.types import MODULE, SESSION, STANZA, returned
from prosody_py.sessions.session import Session
from prosody_py.xmpp import builders
from prosody_py.xmpp.stanza import Stanza

_OBJECTS = {
    # library: (the class of what it makes, an expression that makes one)
    "util.array": ("prosody.array", "require 'util.array'()"),
    "util.cache": ("prosody.cache", "require 'util.cache'.new(1)"),
    "util.dataforms": ("prosody.dataform", "require 'util.dataforms'.new {}"),
    "util.promise": ("prosody.promise", "require 'util.promise'.new(function () end)"),
    "util.queue": ("prosody.queue", "require 'util.queue'.new(1)"),
    "util.set": ("prosody.set", "require 'util.set'.new()"),
    "util.stanza": (STANZA, "require 'util.stanza'.stanza('x')"),
}
_DEFAULTS = {"string": '""', "number": "0", "boolean": "false", "table": "{}"}
_FIELDS = {"prosody.set": (("_items", "table<any, true>", "What is in it."),),
           STANZA: (("name", "string", ""), ("attr", "table<string, string>", "xmlns, too."),
                    ("tags", f"{STANZA}[]", "The elements in it."))}
_OF_SESSIONS = (("type", "string", 'Like "c2s_unauthed" or "c2s".'),
                ("[string]", "any", "What modules keep in it."))


def render(name: str, inside: Inside) -> str:
    """Return the file of one library."""
    members = inside.library(name)
    parts = [_objects(name, inside)]
    if members[0].kind == "function":
        parts.append("local " + text.function("library", _given(members[0]), members[0].doc))
    else:
        parts.append(_callable(name, "local library = {}", _OBJECTS.get(name, ("any",))[0])
                     if members[0].kind == "callable" else "local library = {}")
    parts += [_member(name, one) for one in members[1:]]
    return text.meta(name, *parts, "return library")


def render_prosody(inside: Inside) -> str:
    """Return the file of `prosody` and of sessions, and of the global `module`.

    That one has its type said here: Lua 5.1 has a function of the name, which some editors know.
    """
    members = [one for one in inside.library("prosody")[1:]]
    session = [(field, "any", "") for field in sorted(
        {name for base in Session.__mro__ for name in vars(base).get("__annotations__", {})}
        | {"send", "close", "log"}) if not field.startswith("_") and field != "type"]
    return text.meta(
        "prosody.globals", "prosody = {}",
        *(_assigned("prosody", one) for one in members),
        *(f"{name} = prosody.{name}" for name in ("hosts", "bare_sessions", "full_sessions")),
        f"---@type {MODULE}\nmodule = nil",
        text.of_class(SESSION, [*session, *_OF_SESSIONS],
                      "A stream of a client, a server or a component."))


def _objects(name: str, inside: Inside) -> str:
    """Return the class of the objects that a library makes."""
    if name not in _OBJECTS:
        return ""
    kind, expression = _OBJECTS[name]
    parts = [text.of_class(kind, _FIELDS.get(kind, ()), "", "local object = {}")]
    for one in inside.methods_of(expression):
        python = getattr(Stanza, one.path, None) if kind == STANZA else None
        result = returned(python) if inspect.isfunction(python) else "any"
        parts.append(text.function(f"object:{one.path}", _given(one)[1:], _doc(one, python),
                                   result))
    return "\n\n".join(parts)


def _callable(name: str, variable: str, result: str = "any") -> str:
    """Return the declaration of a table that can be called."""
    return f"---@class {name}.callable\n---@overload fun(...: any): {result}\n{variable}"


def _doc(member: Member, python: object) -> str:
    return member.doc or (inspect.getdoc(python) or "").partition("\n\n")[0]


def _given(member: Member) -> list[text.Parameter]:
    return [(name, "any", True) for name in member.parameters]


def _member(library: str, member: Member) -> str:
    if member.kind == "callable":
        return _callable(f"{library}.{member.path}", f"library.{member.path} = {{}}")
    if member.kind != "function":
        return _assigned("library", member)
    result = "any"
    python = getattr(builders, member.path, None) if library == "util.stanza" else None
    if member.path == "new" and library in _OBJECTS:
        result = _OBJECTS[library][0]
    elif inspect.isfunction(python):
        result = returned(python)
    return text.function(f"library.{member.path}", _given(member), _doc(member, python), result)


def _assigned(owner: str, member: Member) -> str:
    if member.kind == "function":
        return text.function(f"{owner}.{member.path}", _given(member), member.doc, "any")
    kind = "table" if member.kind == "callable" else member.kind
    default = _DEFAULTS.get(kind, "nil")
    return f"---@type {kind}\n{owner}.{member.path} = {default}"
