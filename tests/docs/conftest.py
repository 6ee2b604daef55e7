"""The code blocks of a page of docs/."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"(?:^<!-- (?P<mark>\w+)(?: (?P<name>\S+))? -->\n)?"
                    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block; `mark` and `name` are those of the comment before it."""

    language: str
    text: str
    mark: str | None
    name: str | None


def blocks_of(page: str) -> list[Block]:
    """Return the code blocks of a page in their order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [Block(found["language"], found["text"], found["mark"], found["name"])
            for found in _BLOCK.finditer(text)]
