"""Options that Lua modules read one by one, as declarations: what `get_option_KIND` takes.

The getters are lenient (see `getters`): a value that they cannot use is logged, and reads as if it
were not set. So what they would log is a mistake in the configuration, and is told beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from prosody_py.config import options, values
from prosody_py.config.option import Option

_SINGLE = {"boolean": options.boolean, "number": options.number, "integer": options.number,
           "period": options.period, "path": options.path, "scalar": options.scalar}
_LISTS = ("array", "set", "inherited_set")


def declare(name: str, kind: str, words: Iterable[str] = (), doc: str = "") -> Option | None:
    """Return what `get_option_KIND(name)` takes, None for a getter that takes anything.

    `words` are those of an enum.
    """
    if kind in _LISTS:
        return options.array(None, name=name, doc=doc)
    if kind == "string":
        found = replace(options.string(None, name=name, doc=doc), convert=_string)
    elif kind == "enum":
        found = options.enum(None, *words, name=name, doc=doc) if words else None
    elif kind in _SINGLE:
        found = _SINGLE[kind](None, name=name, doc=doc)
    else:
        found = None
    return found and replace(found, convert=_of_list(found.convert))


def _string(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else values.string(value)


def _of_list(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let a list of one entry stand for the entry."""
    def first(value: Any) -> Any:
        return convert(value[0] if isinstance(value, list) and len(value) == 1 else value)
    return first
