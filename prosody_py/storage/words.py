"""The words of a text, and what a search for words asks for (query field `fulltext`).

A word is a run of letters and digits, without regard to case and diacritics. A search is for
messages that have all of its words; words "in quotes" stand beside each other, and so do the parts
of one with punctuation in it; `word*` is how a word begins.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_TERMS = 32
_MAX_KNOWN = 16_384  # characters whose meaning is remembered
_term = re.compile(r'"([^"]*)"(\*?)|([^\s"]+)').finditer


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand beside each other; with `prefix` the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False


def terms(text: str) -> tuple[Term, ...]:
    """Return what a text searches for, at most MAX_TERMS; nothing for one without words."""
    found = []
    for match in _term(text):
        phrase, star, word = match.groups()
        words = tuple(words_of(word if phrase is None else phrase))
        if words:
            found.append(Term(words, bool(star) or (word or "").endswith("*")))
    return tuple(dict.fromkeys(found))[:MAX_TERMS]


def words_of(text: str) -> list[str]:
    """Return the words of a text in their order."""
    return text.translate(_FOLDING).split()


def matches(text: str, wanted: tuple[Term, ...]) -> bool:
    """Whether a text has all that is searched for."""
    words = words_of(text)
    return bool(wanted) and all(_has(words, term) for term in wanted)


def _has(words: list[str], term: Term) -> bool:
    length = len(term.words)
    for start in range(len(words) - length + 1):
        part = words[start:start + length]
        last = part[-1]
        if tuple(part[:-1]) == term.words[:-1] and (
                last.startswith(term.words[-1]) if term.prefix else last == term.words[-1]):
            return True
    return False


class _Folding(dict):
    """What each character means for words, found out when it first comes up."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < _MAX_KNOWN:
            self[code] = folded
        return folded


def _folded(char: str) -> str:
    """Return a character without case and diacritics, a blank for one that is of no word."""
    category = unicodedata.category(char)
    if category == "Mn":
        return ""
    if category[0] not in "LN" and category not in ("Co", "Mc"):
        return " "
    base, *rest = unicodedata.normalize("NFD", char)
    if any(unicodedata.category(mark) != "Mn" for mark in rest):
        base = char
    for folded in (base.casefold(), base.lower()):
        if len(folded) == 1:
            return folded
    return base


_FOLDING = _Folding()
