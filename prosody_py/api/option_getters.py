"""The part of the module API that reads options one by one: Prosody's `get_option_*`.

Python modules declare their options instead (`class Config(Options)`), and are not loaded when a
value is wrong. These getters are lenient as Prosody's, see prosody_py.config.getters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.config.getters import get_option


class OptionGetters:
    """`module.get_option_*`; mixed into Module."""

    def _option(self, kind: str, name: str, default: Any = None, **more: Any) -> Any:
        return get_option(self.server.config, self.host, kind, name, default,
                          log=self._log_option, **more)

    def _log_option(self, level: str, text: str) -> None:
        self.log(level, "%s", text)

    def get_option(self, name: str, default: Any = None) -> Any:
        """Return an option as it was written."""
        return self._option("option", name, default)

    def get_option_string(self, name: str, default: str | None = None) -> str | None:
        """Return a text."""
        return self._option("string", name, default)

    def get_option_boolean(self, name: str, default: bool | None = None) -> bool | None:
        """Return true or false."""
        return self._option("boolean", name, default)

    def get_option_number(self, name: str, default: float | None = None,
                          min: float | None = None, max: float | None = None) -> float | None:
        """Return a number, moved into the bounds."""
        return self._option("number", name, default, min=min, max=max)

    def get_option_integer(self, name: str, default: int | None = None,
                           min: int | None = None, max: int | None = None) -> int | None:
        """Return a whole number, moved into the bounds."""
        return self._option("integer", name, default, min=min, max=max)

    def get_option_period(self, name: str, default: Any = None, min: Any = None,
                          max: Any = None) -> float | None:
        """Return seconds, moved into the bounds; "never" is infinity."""
        return self._option("period", name, default, min=min, max=max)

    def get_option_array(self, name: str, default: Iterable | None = None) -> list | None:
        """Return a list; a single value counts as a list of one."""
        return self._option("array", name, _listed(default))

    def get_option_set(self, name: str, default: Iterable | None = None) -> frozenset | None:
        """Return a set."""
        return _set(self._option("set", name, _listed(default)))

    def get_option_inherited_set(self, name: str,
                                 default: Iterable | None = None) -> frozenset | None:
        """Return a set to which the host's entries are added."""
        return _set(self._option("inherited_set", name, _listed(default)))

    def get_option_path(self, name: str, default: str | None = None,
                        parent: str | None = None) -> str | None:
        """Return a path; a relative one starts in `parent`: "config", "data" or a folder."""
        base = self.server.paths.get(parent or "config", parent)
        return self._option("path", name, default, base=base)

    def get_option_enum(self, name: str, default: str | None, *others: str) -> str | None:
        """Return one of some words."""
        return self._option("enum", name, default, words=others)

    def get_option_scalar(self, name: str, default: Any = None) -> Any:
        """Return a single value of any kind."""
        return self._option("scalar", name, default)


def _listed(default: Iterable | None) -> list | None:
    return None if default is None else [default] if isinstance(default, str) else list(default)


def _set(entries: list | None) -> frozenset | None:
    return None if entries is None else frozenset(entries)
