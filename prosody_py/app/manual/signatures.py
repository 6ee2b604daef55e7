"""How a function is called, in Python and in Lua."""

from __future__ import annotations

import inspect
from collections.abc import Callable

_LUA_VALUES = {None: "nil", True: "true", False: "false"}


def python(function: Callable, name: str = "", own: bool = True) -> str:
    """Return a signature with its annotations, without `self` unless `own` is false."""
    signature = inspect.signature(function)
    parts, star = [], False
    for index, parameter in enumerate(signature.parameters.values()):
        if own and index == 0 and parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(_parameter(parameter))
        if parameter.kind is parameter.POSITIONAL_ONLY and _is_last_positional_only(
                signature, parameter.name):
            parts.append("/")
    returns = signature.return_annotation
    arrow = "" if returns is inspect.Signature.empty else f" -> {_annotation(returns)}"
    return f"{name or function.__name__}({', '.join(parts)}){arrow}"


def _is_last_positional_only(signature: inspect.Signature, name: str) -> bool:
    names = [one.name for one in signature.parameters.values()
             if one.kind is one.POSITIONAL_ONLY]
    return names[-1] == name


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    annotated = parameter.annotation is not parameter.empty
    text = stars + parameter.name
    if annotated:
        text += f": {_annotation(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        text += f" = {parameter.default!r}" if annotated else f"={parameter.default!r}"
    return text


def _annotation(annotation: object) -> str:
    if isinstance(annotation, str):
        return annotation
    return getattr(annotation, "__name__", None) or str(annotation)


def lua(function: Callable, name: str = "") -> str:
    """Return the call of a method of `module` in Lua; brackets mark what may be left out."""
    text, optional = "", 0
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        shown = "..." if parameter.kind is parameter.VAR_POSITIONAL else parameter.name
        may_go = (parameter.default is not parameter.empty
                  or parameter.kind is parameter.VAR_POSITIONAL)
        comma = ", " if text else ""
        text += f"[{comma}{shown}" if may_go else comma + shown
        optional += may_go
    return f"module:{name or function.__name__}({text}{']' * optional})"
