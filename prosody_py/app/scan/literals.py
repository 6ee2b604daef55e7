"""Literal values in Lua source: defaults of options and the like."""

from __future__ import annotations

from prosody_py.app.lua_source import nodes

UNKNOWN = "*"
"""Stands in texts for what is known only when the module runs."""


def literal(node: nodes.Node | None) -> str | None:
    """Return a literal as it is written, on one line; None for anything else.

    Tables of literals are literals, too.
    """
    if isinstance(node, nodes.Constant):
        return None if node.text == "..." else node.text
    if isinstance(node, nodes.String):
        return node.raw if "\n" not in node.raw else None
    if isinstance(node, nodes.Operation) and node.left is None and node.operator == "-":
        inner = literal(node.right)
        return None if inner is None else "-" + inner
    if isinstance(node, nodes.Operation) and node.operator in "+-*/" and node.left is not None:
        left, right = literal(node.left), literal(node.right)
        return None if left is None or right is None else f"{left}{node.operator}{right}"
    if isinstance(node, nodes.Table):
        return _table(node)
    return None


def _table(node: nodes.Table) -> str | None:
    parts = []
    for key, value in node.fields:
        text = literal(value)
        if text is None or not (key is None or isinstance(key, nodes.String)):
            return None
        parts.append(text if key is None else f"{key.text} = {text}")
    return "{ " + ", ".join(parts) + " }" if parts else "{}"


def number(node: nodes.Node | None) -> float:
    """Return the number that is written, 0 for anything else."""
    text = literal(node)
    try:
        return float(text) if text else 0.0
    except ValueError:
        return 0.0


def field(node: nodes.Node | None, name: str) -> nodes.Node | None:
    """Return the value of a field of a table that is written out."""
    if isinstance(node, nodes.Table):
        for key, value in node.fields:
            if isinstance(key, nodes.String) and key.text == name:
                return value
    return None
