"""Declare options: name, type, default, bounds and doc in one line.

A module's options are a class:

    class Config(Options):
        ping_after = period("5 minutes", min="10 seconds", doc="Silence before we ping.")

`Config.read(config, host)` checks everything once and gives an object with plain attributes. The
same options serve the manual, `check`, and Lua's `module:get_option_*` (see `getters`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from prosody_py.config import values
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.option import Option, OptionError
from prosody_py.config.problems import ConfigError, Location, Problem
from prosody_py.config.values import Wrong

__all__ = [
    "Option", "OptionError", "Options", "array", "boolean", "enum", "frequency", "inherited_set",
    "integer", "mapping", "number", "path", "period", "rate", "scalar", "set_", "size", "string",
]


def string(default: str | None = None, **more: Any) -> Option:
    """Declare text. `more`, as for all kinds: name, doc, required, where, secret."""
    return Option("string", "text", values.string, default=default, **more)


def boolean(default: bool | None = None, **more: Any) -> Option:
    """Declare true or false."""
    return Option("boolean", "true or false", values.boolean, default=default, **more)


def integer(default: int | None = None, **more: Any) -> Option:
    """Declare a whole number with optional `min` and `max`."""
    return Option("integer", "a whole number", values.integer, default=default, **more)


def number(default: float | None = None, **more: Any) -> Option:
    """Declare a number with optional `min` and `max`."""
    return Option("number", "a number", values.number, default=default, **more)


def period(default: float | str | bool | None = None, **more: Any) -> Option:
    """Declare a length of time in seconds, such as "5 minutes"; `min` and `max` likewise."""
    expected = 'a period such as 300, "5 minutes" or "never"'
    return Option("period", expected, values.period, default=default, **more)


def size(default: int | str | None = None, **more: Any) -> Option:
    """Declare an amount of bytes, such as "256 KB"; `min` and `max` likewise."""
    return Option("size", 'a size such as 4096 or "256 KB"', values.size, default=default, **more)


def rate(default: float | str | None = None, **more: Any) -> Option:
    """Declare bytes a second, such as "10kb/s"; `min` and `max` likewise."""
    return Option("rate", 'a rate such as "10kb/s"', values.rate, default=default, **more)


def frequency(default: str | None = None, **more: Any) -> Option:
    """Declare how often something may happen, such as "20/minute"."""
    return Option("frequency", 'a number of times in a period such as "20/minute"',
                  values.frequency, default=default, **more)


def path(default: str | None = None, **more: Any) -> Option:
    """Declare a path; a relative one starts at the `base` given to `parse` or `read`."""
    return Option("path", "a path", values.path, default=default, **more)


def scalar(default: Any = None, **more: Any) -> Option:
    """Declare a single value of any kind, no list and no mapping."""
    return Option("scalar", "a single value", values.scalar, default=default, **more)


def enum(default: str | None, *others: str, **more: Any) -> Option:
    """Declare one of some words: the default (None for no default) and the others."""
    words = tuple(word for word in (default, *others) if word is not None)

    def convert(value: Any) -> str:
        if isinstance(value, list | dict) or value not in words:
            raise Wrong
        return value

    return Option("enum", f"one of {', '.join(map(str, words))}", convert, default=default, **more)


def array(default: Iterable | None = (), of: Option | None = None, **more: Any) -> Option:
    """Declare a list in order; a single value counts as a list of one. Read as a list."""
    return Option("array", _list_of(of), values.entries, default=default, items=of, **more)


def set_(default: Iterable | None = (), of: Option | None = None, **more: Any) -> Option:
    """Declare a list without order or repetitions. Read as a frozenset."""
    return Option("set", _list_of(of), values.entries, default=default, items=of, **more)


def inherited_set(default: Iterable | None = (), of: Option | None = None, **more: Any) -> Option:
    """Declare a set to which a host's entries are added, not put in place of the global ones."""
    return Option("inherited_set", _list_of(of), values.entries, default=default, items=of, **more)


def mapping(
    default: Mapping | None = None,
    values_: Option | None = None,
    fields: Mapping[str, Option] | None = None,
    **more: Any,
) -> Option:
    """Declare names with values: all of one kind (`values_`), or each its own (`fields`).

    Read as a dict, empty when it is not set. With `fields` other names are mistakes (unless
    `values_` is given too), and the dict has them all, with defaults.
    """
    return Option(
        "mapping", "a mapping such as {name: value}", values.named, default=default,
        items=values_, fields=fields, **more,
    )


_PLAIN = (str, int, float, list, dict, set)


def _check_class(declared: type[Options]) -> None:
    """Raise TypeError for what looks like an option and would be none."""
    for attribute, kind in inspect.get_annotations(declared).items():
        if isinstance(kind, Option):
            raise TypeError(f"{attribute}: an option is declared with '=', not with ':'")
    for attribute, value in vars(declared).items():
        if not attribute.startswith("_") and isinstance(value, _PLAIN):
            raise TypeError(f"{attribute} is a plain value, which no configuration can change; "
                            'declare it like name = string("Hello", doc="What for.")')


def _list_of(item: Option | None) -> str:
    return "a list" if item is None else f"a list, each entry {item.expected}"


class Options:
    """The options that a module reads: declare them as class attributes.

    An instance has their values as plain attributes. `Config(ping_after="1 minute")` makes one
    without a file, with defaults for the rest.
    """

    _options: ClassVar[dict[str, Option]] = {}

    def __init_subclass__(cls, **more: Any):
        super().__init_subclass__(**more)
        cls._options = dict(cls._options)
        _check_class(cls)
        for attribute, option in list(vars(cls).items()):
            if isinstance(option, Option):
                if attribute in ("read", "declared"):
                    raise TypeError(f"{attribute} is a method here; name the option with name=")
                option = replace(option, name=option.name or attribute)
                _check_declaration(option)
                cls._options[attribute] = option
                setattr(cls, attribute, option)

    def __init__(self, base: str | None = None, /, **given: Any):
        if unknown := given.keys() - self._options.keys():
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}")
        for attribute, option in self._options.items():
            value = given.get(attribute)
            parsed = option.default_value(base) if value is None else option.parse(value, base)
            setattr(self, attribute, parsed)

    @classmethod
    def declared(cls, prefix: str | None = None) -> list[Option]:
        """Return the options in the order of their declaration, named as in the file."""
        return [replace(option, name=(prefix or "") + option.name)
                for option in cls._options.values()]

    @classmethod
    def read(
        cls, config: Config, host: str, prefix: str | None = None, base: str | None = None
    ) -> Options:
        """Read and check a host's options ("*" for the global section).

        `prefix` is put before each name. Relative paths start at `base`, by default the folder of
        the configuration file. Raises ConfigError with every mistake and its place.
        """
        problems: list[Problem] = []
        result = cls.__new__(cls)
        base = config.directory if base is None else base
        declared = zip(cls._options, cls.declared(prefix), strict=True)
        for attribute, option in declared:
            setattr(result, attribute, _read(option, config, host, base, problems))
        if problems:
            raise ConfigError(problems)
        return result


def _read(option: Option, config: Config, host: str, base: str, problems: list[Problem]) -> Any:
    """Read one option; what is wrong is added to `problems`."""
    value = config.get(host, option.name)
    if value is None:
        if option.required:
            problems.append(_missing(option, config, host))
        return option.default_value(base)
    secret = config.is_secret(host, option.name)
    result = _parse_at(option, config, host, base, secret, problems)
    if option.kind == "inherited_set" and host != GLOBAL and config.is_set(host, option.name):
        return (result or frozenset()) | (_read(option, config, GLOBAL, base, problems) or set())
    return result


def _parse_at(option, config, host, base, secret, problems) -> Any:
    value = config.get(host, option.name)
    if errors := option.errors(value, secret):
        problems.extend(problem_of(error, option, config, host) for error in errors)
        return None
    return option.parse(value, base)


def problem_of(error: OptionError, option: Option, config: Config, host: str) -> Problem:
    """Say where in the configuration a value does not fit its option."""
    location = config.location(host, option.name, *error.path) or Location(config.file)
    name, part = option.name, config.get(host, option.name)
    for step in error.path:
        if isinstance(part, dict):
            name, part = f"{name}.{step}", part.get(step)
        else:
            name = f"entry {step + 1} of {name}"
            part = part[step] if isinstance(part, list) else part
    return Problem.at(location, f"{name}: {error.message}", option.doc)


def _missing(option: Option, config: Config, host: str) -> Problem:
    record = config.host(host)
    location = record.location if record else Location(config.file)
    where = "in the global section" if host == GLOBAL else f"for {host}"
    return Problem.at(location, f"{option.name} must be set {where}", option.doc)


def _check_declaration(option: Option) -> None:
    """Fail where the module is written, not where it is used, when a default does not fit."""
    try:
        option.default_value()
    except OptionError as error:
        raise TypeError(f"default of {option.name}: {error}") from None
