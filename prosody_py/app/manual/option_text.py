"""One option in words: type, bounds, default, place and fields."""

from __future__ import annotations

import math
from typing import Any

from prosody_py.app.manual.markdown import anchor, code, inline
from prosody_py.config.option import Option

_LISTS = ("array", "set", "inherited_set")
_KINDS = {"set": "list without order", "array": "list", "inherited_set": "list without order, to "
          "which a host's entries are added", "boolean": "true or false", "integer": "whole number",
          "string": "text", "scalar": "single value"}
_PLAIN = ("number", "period", "size", "rate", "path", "mapping")
_WHERE = {"any": "at the top level or for a host", "global": "at the top level",
          "host": "for a host"}


def entry(option: Option, is_global: bool = False) -> str:
    """Return the entry of an option in the manual; `is_global` for one of a global module."""
    return "\n\n".join([f"### `{option.name}`", body(option, is_global)])


def body(option: Option, is_global: bool = False) -> str:
    """Return what an entry says below its heading."""
    where = "global" if is_global and option.where == "any" else option.where
    facts = [kind(option), *bounds(option), default(option),
             "required" if option.required else "", _WHERE[where],
             "never shown in messages" if option.is_secret else ""]
    parts = [inline(option.doc), " · ".join(filter(None, facts))]
    if option.fields:
        parts.append("\n".join(fields(option)))
    return "\n\n".join(parts)


def kind(option: Option) -> str:
    """Return the type of an option in words."""
    if option.kind in _LISTS and option.items is not None:
        return f"{_KINDS[option.kind]}; each entry {inline(option.items.expected)}"
    if option.kind == "mapping" and option.items is not None:
        return f"mapping from names to {kind(option.items)}"
    if option.kind in _PLAIN:
        return option.kind
    return _KINDS.get(option.kind) or inline(option.expected)


def bounds(option: Option) -> list[str]:
    """Return the bounds of an option in words."""
    return [f"{word} {value(limit)}" for word, limit in (
        ("at least", option.min), ("at most", option.max)) if limit is not None]


def default(option: Option) -> str:
    """Return the default of an option in words."""
    if option.required:
        return ""
    if option.default is None or (option.kind in _LISTS and not tuple(option.default)):
        return "no default" if option.kind not in ("mapping", *_LISTS) else "empty by default"
    return f"default {value(option.default)}"


def value(given: Any) -> str:
    """Return a value as it is written in the configuration."""
    return code(_yaml(given))


def _yaml(given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if given == math.inf:
        return "never"
    if isinstance(given, str):
        plain = given.isascii() and given.replace("_", "").isalnum() and not given.isdigit()
        return given if plain else f'"{given}"'
    if isinstance(given, dict):
        return "{" + ", ".join(f"{key}: {_yaml(part)}" for key, part in given.items()) + "}"
    if isinstance(given, list | tuple | set | frozenset):
        parts = sorted(given, key=str) if isinstance(given, set | frozenset) else given
        return "[" + ", ".join(map(_yaml, parts)) + "]"
    return str(given)


def fields(option: Option, depth: int = 0) -> list[str]:
    """Return the lines of a list of what a mapping may have in it."""
    lines = []
    for name, inner in (option.fields or {}).items():
        facts = " · ".join(filter(None, [kind(inner), *bounds(inner),
                                         default(inner) if not inner.fields else ""]))
        lines.append(f"{'  ' * depth}- `{name}`: " + (
            f"{inline(inner.doc)} ({facts})" if inner.doc else facts))
        lines += fields(inner, depth + 1)
    return lines


def link(name: str, page: str = "") -> str:
    """Return a link to an option's entry; `page` is the file that has it, this one by default."""
    return f"[`{name}`]({page}#{anchor(name)})"
