"""One option: its kind, default, bounds and doc, and how a value is checked against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from prosody_py.config import values
from prosody_py.config.nearest import nearest
from prosody_py.config.values import Wrong, describe, is_secret_name


class OptionError(ValueError):
    """A value does not fit its option; `path` leads to the part that does not."""

    def __init__(self, message: str, path: tuple = ()):
        super().__init__(message)
        self.message = message
        self.path = path


@dataclass(frozen=True, slots=True)
class Option:
    """What may be written for one option. Made by the functions of `options`.

    `items` declares the entries of an array, a set or a mapping with free names, `fields` those of
    a mapping with known names. `where` is "any", "global" or "host": the sections it belongs in.
    """

    kind: str
    expected: str
    convert: Callable[[Any], Any]
    _: KW_ONLY
    name: str = ""
    default: Any = None
    min: Any = None
    max: Any = None
    doc: str = ""
    required: bool = False
    where: str = "any"
    secret: bool = False
    items: Option | None = None
    fields: Mapping[str, Option] | None = None

    def parse(self, value: Any, base: str | None = None, secret: bool = False) -> Any:
        """Return what `value` means.

        Relative paths start at the folder `base`. With `secret` (or a name such as `x_password`)
        the error does not quote the value. Raises OptionError for the first mistake.
        """
        found: list[OptionError] = []
        result = self._parse(value, found, (), base, secret or self.is_secret)
        if found:
            raise found[0]
        return result

    def errors(self, value: Any, secret: bool = False) -> list[OptionError]:
        """Return every mistake in `value`; none means that `parse` takes it."""
        found: list[OptionError] = []
        self._parse(value, found, (), None, secret or self.is_secret)
        return found

    def default_value(self, base: str | None = None) -> Any:
        """Return the default as `parse` would give it, a fresh one each time."""
        if self.default is None:
            return self.parse({}, base) if self.kind == "mapping" else None
        return self.parse(self.default, base)

    @property
    def is_secret(self) -> bool:
        """Whether values of this option are kept out of messages."""
        return self.secret or is_secret_name(self.name)

    def _parse(self, value, found, path, base, secret):
        try:
            result = self.convert(value)
        except Wrong as wrong:
            found.append(self._error(value, path, secret, str(wrong)))
            return None
        if self.kind in ("array", "set", "inherited_set"):
            return self._parse_list(result, found, path, base, secret)
        if self.kind == "mapping":
            return self._parse_mapping(result, found, path, base, secret)
        if self.kind == "path":
            return values.resolve_path(base, result)
        if self.clamp(result) != result:
            got = describe(value, secret)
            found.append(OptionError(f"expected {self._bounds()}, got {got}", path))
        return result

    def clamp(self, result: Any) -> Any:
        """Return a parsed value, or the bound that it is beyond."""
        if self.min is not None and result < (low := self.convert(self.min)):
            return low
        if self.max is not None and result > (high := self.convert(self.max)):
            return high
        return result

    def _parse_list(self, entries, found, path, base, secret):
        if self.items is not None:
            entries = [
                self.items._parse(entry, found, (*path, index), base, secret)
                for index, entry in enumerate(entries)
            ]
        if self.kind == "array":
            return entries
        result = set()
        for index, entry in enumerate(entries):
            if isinstance(entry, list | dict):
                found.append(OptionError("a set cannot have a list in it", (*path, index)))
            else:
                result.add(entry)
        return frozenset(result)

    def _parse_mapping(self, entries, found, path, base, secret):
        result = {}
        for name, entry in entries.items():
            option = (self.fields or {}).get(name, self.items)
            if option is None and self.fields is not None:
                found.append(_unknown(name, self.fields, (*path, name)))
            elif option is None:
                result[name] = entry
            elif entry is not None:
                hidden = secret or is_secret_name(name)
                result[name] = option._parse(entry, found, (*path, name), base, hidden)
        for name, option in (self.fields or {}).items():
            if result.get(name) is None:
                result[name] = option.default_value(base)
                if option.required:
                    found.append(OptionError(f"{name} is missing", path))
        return result

    def _error(self, value, path, secret, detail) -> OptionError:
        message = f"expected {self.expected}, got {describe(value, secret)}"
        return OptionError(f"{message}: {detail}" if detail else message, path)

    def _bounds(self) -> str:
        if self.min is not None and self.max is not None:
            return f"{self.min} to {self.max}"
        return f"at least {self.min}" if self.max is None else f"at most {self.max}"


def _unknown(name: Any, names: Iterable[str], path: tuple) -> OptionError:
    guess = nearest(str(name), names)
    meant = f"; did you mean {guess}?" if guess else f"; known are {', '.join(names)}"
    return OptionError(f"{name} is not known here{meant}", path)
