"""Pieces of Markdown, made from plain text such as docstrings."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`[^`]*`)")
_SPECIFICATION = re.compile(r"\b(XEP|RFC)[- ](\d{4})\b")
_PLACES = {"XEP": "https://xmpp.org/extensions/xep-{}.html",
           "RFC": "https://www.rfc-editor.org/rfc/rfc{}"}


def anchor(heading: str) -> str:
    """Return the anchor that a heading gets where Markdown is shown (GitHub's rule)."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def code(text: str) -> str:
    """Return text as code within a line."""
    return f"`{text}`"


def inline(text: str) -> str:
    """Return plain text of one line: what stands in backticks is code, the rest is no markup."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else _plain(part) for part in parts)


def _plain(text: str) -> str:
    return re.sub(r"([*<\[\]\\])", r"\\\1", text)


def cell(text: str) -> str:
    """Return Markdown as the cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def prose(text: str) -> str:
    """Return plain text as paragraphs; what is indented stands as it is."""
    result = []
    for block in inspect.cleandoc(text).split("\n\n"):
        lines = block.split("\n")
        if all(line.startswith("  ") for line in lines):
            result.append("```text\n" + textwrap.dedent("\n".join(lines)) + "\n```")
        else:
            plain = [line for line in lines if not line.startswith("  ")]
            indented = lines[len(plain):]
            result.append(inline(" ".join(plain)))
            if indented:
                result.append("```text\n" + textwrap.dedent("\n".join(indented)) + "\n```")
    return "\n\n".join(result)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def specifications(text: str) -> list[str]:
    """Return links to the XEPs and RFCs that a text names, each once, in their order."""
    found = sorted(set(_SPECIFICATION.findall(text)), key=lambda pair: (pair[0] != "XEP", pair[1]))
    return [f"[{kind}{'-' if kind == 'XEP' else ' '}{number}]({_PLACES[kind].format(number)})"
            for kind, number in found]


def first_paragraph(docstring: str | None) -> str:
    """Return the first paragraph of a docstring."""
    return inspect.cleandoc(docstring or "").partition("\n\n")[0]


def page(title: str, *parts: str) -> str:
    """Return a whole page of the manual."""
    note = "<!-- Made by `prosody-py manual`; a change belongs in the code. -->"
    return "\n\n".join([f"# {title}", note, *(part for part in parts if part)]) + "\n"
