"""The annotations of `module`: its methods, with the texts of the module API."""

from __future__ import annotations

from prosody_py.api.module import Module
from prosody_py.app.annotations import events_file, text
from prosody_py.app.annotations.inside import Member
from prosody_py.app.annotations.types import MODULE, parameters, returned
from prosody_py.app.manual.markdown import first_paragraph
from prosody_py.app.manual.module_api import INNER, LUA_ONLY

_GENERIC = ("self", "...")  # a function of Python: its own signature says more
_RESULTS = {
    "get_option_array": "prosody.array", "get_option_set": "prosody.set",
    "get_option_inherited_set": "prosody.set", "get_option_period": "number",
    "get_host_items": "prosody.array",
    "send_iq": "prosody.promise", "on_ready": "prosody.promise", "once": "prosody.promise",
    "context": MODULE, "open_store": "any",
}
"""What Lua gets in place of what Python gets."""
_WITH_DEFAULT = {"get_option_string": "string", "get_option_boolean": "boolean",
                 "get_option_number": "number", "get_option_integer": "integer",
                 "get_option_path": "string", "get_option_enum": "string"}
"""Getters whose result is of this type, or what was given as default."""
_FIELDS = (
    ("name", "string", "Without mod_."),
    ("host", "string", 'The host, or "*" for a global module.'),
    ("path", "string", "The file."), ("global", "boolean", "Whether it is a global module."),
    ("_log", "fun(level: string, format: string, ...: any)", "As `module:log`, without a module."),
    ("environment", "table", "The module's global names."),
    ("items", "table<string, any[]>", "What it has added, by type."),
    ("reloading", "boolean?", "Whether it takes another instance's place."),
    ("load", "fun()?", "Assign it: called after the file has run."),
    ("ready", "fun()?", "Assign it: called once everything is loaded."),
    ("unload", "fun()?", "Assign it: called when the module goes out of service."),
    ("save", "(fun(): table)?", "Assign it: what the next instance gets at a reload."),
    ("restore", "fun(saved: table)?", "Assign it: called with what `save` returned."),
    ("add_host", f"fun(module: {MODULE})?", "Assign it: called for each host of a global module."),
    ("command", "(fun(arg: string[]): integer|boolean|nil)?",
     "Assign it: what the module does on the command line."),
)


def render(methods: list[Member]) -> str:
    """Return the file for the methods that `module` has in a runtime."""
    own = text.of_class(MODULE, _FIELDS, "What a module may call.", "local module = {}")
    return text.meta("prosody.module", own, *map(_method, filter(is_for_modules, methods)))


def is_for_modules(method: Member) -> bool:
    """Whether a method is one that modules call, not one that other methods are made of."""
    name = method.path
    if name in LUA_ONLY or (hasattr(Module, name) and name not in INNER):
        return True
    return method.parameters != _GENERIC and name not in INNER


def _method(method: Member) -> str:
    name, python = method.path, getattr(Module, method.path, None)
    given = parameters(python) if python else [
        (one, "any" if one != "self" else "", False) for one in method.parameters[1:]]
    doc = first_paragraph(python.__doc__) if python else LUA_ONLY.get(name, ("", method.doc))[1]
    result = _RESULTS.get(name) or (returned(python) if python else "any")
    overloads, generics = (), ()
    if name in _WITH_DEFAULT:
        generics, result = ("T",), f"{_WITH_DEFAULT[name]}|T"
        given = [(one, "T" if one == "default" else kind, may_go) for one, kind, may_go in given]
    if name in ("hook", "hook_global"):
        overloads = events_file.overloads("host" if name == "hook" else "global")
        given = [(one, "prosody.event|string" if one == "event" else kind, may_go)
                 for one, kind, may_go in given]
    return text.function(f"module:{name}", given, doc, result, overloads, generics)
