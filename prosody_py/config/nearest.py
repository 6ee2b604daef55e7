"""Find the name that was probably meant by a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LIKENESS = 0.75
"""How alike two names must be, from 0 to 1, before one is offered for the other."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `name` is most likely a misspelling of, or None.

    Case, hyphens and underscores do not count, so `C2S-Ports` finds `c2s_ports`.
    """
    by_form: dict[str, str] = {}
    for known in sorted(names):
        by_form.setdefault(_form(known), known)
    form = _form(name)
    if form in by_form:
        return by_form[form]
    found = difflib.get_close_matches(form, by_form, n=1, cutoff=LIKENESS)
    return by_form[found[0]] if found else None


def _form(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
