"""Print answers: for people texts as they are and rows in columns, for programs JSON."""

from __future__ import annotations

import json
from typing import Any


def as_text(answer: dict[str, Any]) -> str:
    """Return an answer as lines of text; empty when there is nothing to say."""
    if "rows" not in answer:
        return answer.get("text") or ""
    columns = [str(name) for name in answer.get("columns", ())]
    rows = [[_cell(value) for value in row] for row in answer["rows"]]
    if columns == ["what", "value"]:
        return _lines(rows)
    if not rows:
        return "nothing"
    return _lines([[name.upper() for name in columns], *rows])


def as_json(answer: dict[str, Any]) -> str:
    """Return an answer as JSON: an object for each row, or one with the text."""
    if "rows" not in answer:
        return json.dumps({"text": answer.get("text") or ""}, ensure_ascii=False)
    return json.dumps([dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]],
                      ensure_ascii=False, indent=1)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # What a peer has chosen, such as a resource, must not steer the terminal.
    return "".join(char if char.isprintable() else "?" for char in text)


def _lines(rows: list[list[str]]) -> str:
    """Align all columns but the last."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                     .rstrip() for row in rows)
