"""What Lua's `module:get_option_*` give: the same parsers, with Prosody's leniency.

A wrong value is logged and reads as None, which Lua sees as nil. A number beyond its bounds is
clamped with a warning; bounds do not apply to the default. Of a list where one value is expected
the first entry is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from prosody_py.config import options
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.option import Option, OptionError
from prosody_py.config.values import is_secret_name

Log = Callable[[str, str], None]
"""Takes a level ("error" or "warn") and a text."""

_BOUNDED = {
    "number": options.number,
    "integer": options.number,  # a fraction is cut off, with a warning
    "period": options.period,
}
_SINGLE = {"string": options.string, "boolean": options.boolean, "path": options.path}
_LISTS = ("array", "set", "inherited_set")

KINDS = ("option", "scalar", "enum", *_SINGLE, *_BOUNDED, *_LISTS)
"""What may follow `get_option_`; "option" is the bare `get_option`."""


def get_option(
    config: Config,
    host: str,
    kind: str,
    name: str,
    default: Any = None,
    *,
    log: Log,
    min: Any = None,
    max: Any = None,
    words: tuple[str, ...] = (),
    base: str | None = None,
) -> Any:
    """Read an option for a Lua module.

    `kind` is one of KINDS. `min` and `max` are for number, integer and period, in the written
    form; `words` are an enum's values beside the default; `base` is the folder where a relative
    path starts. Arrays and both kinds of set come as a new list, a set's without repetitions.
    """
    reader = _Reader(config, host, name, log)
    if kind in _LISTS:
        return reader.entries(default, kind)
    value, is_default = config.get(host, name), False
    if value is None:
        value, is_default = default, True
    if kind == "option" or value is None:
        return value
    value = reader.first(value)
    if kind == "scalar" or value is None:
        return value
    if kind == "enum":
        return reader.parse(options.enum(default, *words), value)
    if kind in _SINGLE:
        if kind == "string" and isinstance(value, bool):
            return "true" if value else "false"
        return reader.parse(_SINGLE[kind](), value, base)
    option = _BOUNDED[kind]() if is_default else _BOUNDED[kind](min=min, max=max)
    return reader.bounded(option, value, kind == "integer")


class _Reader:
    """Reads one option and logs what is wrong with it."""

    def __init__(self, config: Config, host: str, name: str, log: Log):
        self.config = config
        self.host = host
        self.name = name
        self.log = log
        self.secret = is_secret_name(name) or config.is_secret(host, name)

    def say(self, level: str, text: str) -> None:
        """Log with the option's name and place."""
        place = self.config.location(self.host, self.name)
        where = f"at {place}" if place else "by default in the module"
        self.log(level, f"Option {self.name} {where}: {text}")

    def first(self, value: Any) -> Any:
        """Return a single value, of a list its first entry."""
        if isinstance(value, dict):
            self.say("error", "expected a single value, got a mapping")
            return None
        if not isinstance(value, list):
            return value
        if len(value) > 1:
            self.say("error", f"expected a single value, got a list of {len(value)}; "
                              "only the first entry is used")
        return value[0] if value else None

    def parse(self, option: Option, value: Any, base: str | None = None) -> Any:
        """Parse strictly; a mistake is logged and gives None."""
        try:
            return option.parse(value, base, self.secret)
        except OptionError as error:
            self.say("error", error.message)
            return None

    def bounded(self, option: Option, value: Any, whole: bool) -> int | float | None:
        """Parse and clamp; `whole` cuts off a fraction."""
        unbounded = replace(option, min=None, max=None)
        result = self.parse(unbounded, value)
        if result is None:
            return None
        clamped = option.clamp(result)
        if clamped != result:
            self.say("warn", f"{option.errors(value, self.secret)[0].message}; using {clamped}")
        if whole and clamped != (cut := int(clamped // 1)):
            self.say("warn", f"expected a whole number; using {cut}")
            return cut
        return int(clamped) if whole else clamped

    def entries(self, default: Any, kind: str) -> list | None:
        """Return the entries of a list; a single value is a list of one."""
        value = self.config.get(self.host, self.name)
        found = self.list_of(default if value is None else value)
        if kind == "inherited_set" and self.config.is_set(self.host, self.name):
            above = self.config.get(GLOBAL, self.name)
            above = self.list_of(default if above is None else above)
            found = above if found is None else found + (above or [])
        return found if kind == "array" or found is None else _without_repetitions(found)

    def list_of(self, value: Any) -> list | None:
        if value is None:
            return None
        return self.parse(options.array(), value)


def _without_repetitions(entries: list) -> list:
    """Keep the first of equal entries; lists in lists are never equal here."""
    seen, result = set(), []
    for entry in entries:
        if isinstance(entry, list | dict):
            result.append(entry)
        elif (type(entry), entry) not in seen:
            seen.add((type(entry), entry))
            result.append(entry)
    return result
