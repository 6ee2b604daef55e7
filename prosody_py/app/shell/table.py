"""Print answers for people: texts as they are, rows in columns."""

from __future__ import annotations

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


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # What a peer has chosen, such as a resource, must not steer the terminal.
    return "".join(char if char.isprintable() else "?" for char in text)


def _lines(rows: list[list[str]]) -> str:
    """Align all columns but the last."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
                     .rstrip() for row in rows)
