"""Turn one written value into what it means: booleans, numbers, periods, sizes, rates.

Each function takes a value as YAML gives it and returns what it stands for, or raises Wrong. The
text of Wrong adds to "expected ..., got ..." and never quotes the value, which may be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from typing import Any, NamedTuple

NEVER = math.inf
"""The period that does not end."""

_TRUE = frozenset(("true", "yes", "on", "1"))
_FALSE = frozenset(("false", "no", "off", "0"))
_NUMBER = re.compile(r"[-+]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][-+]?[0-9]{1,3})?\Z")
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*([a-z]*)\Z")

_DAY = 86400
_SECONDS = {
    name: seconds
    for seconds, names in (
        (1, "s sec secs second seconds"),
        (60, "mi min mins minute minutes"),
        (3600, "h hr hrs hour hours"),
        (_DAY, "d day days"),
        (7 * _DAY, "w wk wks week weeks"),
        (31 * _DAY, "mo mon month months"),
        (365.2425 * _DAY, "y yr yrs year years"),
    )
    for name in names.split()
}
_SECONDS[""] = 1

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class Wrong(ValueError):
    """The value is not of the kind expected; the text, where there is one, says more."""


def boolean(value: Any) -> bool:
    """Read true or false, also written as yes, no, on, off, 1 or 0."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
    raise Wrong


def string(value: Any) -> str:
    """Read text; a number counts as the text it is written with."""
    if isinstance(value, bool):
        raise Wrong("put the word in quotes if it is meant as text")
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.14g}"
    raise Wrong


def number(value: Any) -> int | float:
    """Read a finite number, also from text."""
    if isinstance(value, str) and _NUMBER.match(text := value.strip()):
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Wrong
    return value


def integer(value: Any) -> int:
    """Read a whole number, also from text; 5.0 counts as one."""
    result = number(value)
    if result != int(result):
        raise Wrong("it has a fraction")
    return int(result)


def period(value: Any) -> int | float:
    """Read a length of time in seconds; "never" and false give infinity.

    A number counts seconds. A month has 31 days, a year 365.2425.
    """
    if value is False:
        return NEVER
    if isinstance(value, str):
        word = value.strip().lower()
        return NEVER if word == "never" else _whole(_period_in_words(word))
    if value == NEVER:
        return NEVER  # a default that was parsed before
    result = number(value)
    if result < 0:
        raise Wrong("it is negative")
    return result


def _period_in_words(text: str) -> float:
    if not (found := _QUANTITY.match(text)):
        raise Wrong
    quantity, unit = found.groups()
    if unit == "m":
        raise Wrong("m may mean minutes or months; write which")
    if unit not in _SECONDS:
        raise Wrong("the units are seconds, minutes, hours, days, weeks, months, years")
    return float(quantity) * _SECONDS[unit]


def size(value: Any) -> int:
    """Read an amount of memory or disk in bytes; 1 KB is 1024 bytes."""
    if isinstance(value, str):
        value = _amount(value, 1024)
    result = number(value)
    if result < 0:
        raise Wrong("it is negative")
    return math.ceil(result)


class Frequency(NamedTuple):
    """How often something may happen: `count` times in `seconds`."""

    count: int
    seconds: float


def frequency(value: Any) -> Frequency:
    """Read a number of times in a period, "20/minute" or "5 / 10 minutes"."""
    if isinstance(value, Frequency):
        return value
    if not isinstance(value, str):
        raise Wrong
    count, slash, time = value.partition("/")
    if not slash:
        raise Wrong("it has no / in it")
    time = time.strip()
    seconds = period(f"1 {time}" if time[:1].isalpha() else time)
    count = integer(count)
    if count < 1 or not 0 < seconds < NEVER:
        raise Wrong("it is not more than 0")
    return Frequency(count, seconds)


def rate(value: Any) -> int | float:
    """Read a data rate in bytes a second; as in Prosody's limits 1 kb/s is 1000 bytes a second."""
    if isinstance(value, str) and not _NUMBER.match(value.strip()):
        text, slash, unit = value.rpartition("/")
        if not slash or unit.strip().lower() not in ("s", "sec", "second"):
            raise Wrong("it does not end in /s")
        value = _amount(text, 1000)
    result = number(value)
    if result <= 0:
        raise Wrong("it is not more than 0")
    return result


def _amount(text: str, kilo: int) -> int | float:
    """Read "256 KB"; `kilo` is 1000 or 1024, but KiB is always 1024."""
    if not (found := _QUANTITY.match(text.strip().lower())):
        raise Wrong
    quantity, unit = found.groups()
    unit = unit.removesuffix("ytes").removesuffix("yte").removesuffix("b")
    if unit.endswith("i") and len(unit) == 2:
        unit, kilo = unit[0], 1024
    if unit not in _POWERS:
        raise Wrong("the units are B, KB, MB, GB and TB")
    return _whole(float(quantity) * kilo ** _POWERS[unit])


def _whole(amount: float) -> int | float:
    return int(amount) if amount == int(amount) else amount


def describe(value: Any, secret: bool = False) -> str:
    """Say what was found; of a secret only its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple | set | frozenset):
        return f"a list of {len(value)}" if value else "an empty list"
    if secret:
        return "text" if isinstance(value, str) else "another value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value[:40]}{"..." if len(value) > 40 else ""}"'
    return f"{value:.14g}" if isinstance(value, float) else str(value)


_SECRET_WORDS = ("password", "secret", "key", "token")


def is_secret_name(name: Any) -> bool:
    """Whether an option of this name is not to be shown in messages and logs."""
    return isinstance(name, str) and any(word in name.lower() for word in _SECRET_WORDS)


def path(value: Any) -> str:
    """Read the path of a file or folder, as it is written."""
    if not isinstance(value, str) or not value:
        raise Wrong
    if "\0" in value:
        raise Wrong("it has a NUL character in it")
    return value


def interface(value: Any) -> str:
    """Read an address to listen on: an IP address, localhost, or * for all of IPv4."""
    if not isinstance(value, str):
        raise Wrong
    if value not in ("*", "localhost"):
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise Wrong from None
    return value


def resolve_path(base: str | None, written: str) -> str:
    """Return a path that starts at the folder `base`, unless it is absolute or there is none."""
    return os.path.normpath(os.path.join(base, written)) if base else written


def scalar(value: Any) -> Any:
    """Read a single value of any kind."""
    if value is None or isinstance(value, list | tuple | set | frozenset | dict):
        raise Wrong
    return value


def entries(value: Any) -> list:
    """Read a list; a single value is a list of one."""
    if isinstance(value, dict):
        raise Wrong
    result = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    if any(entry is None for entry in result):
        raise Wrong("an entry is empty")
    return result


def named(value: Any) -> dict:
    """Read a mapping."""
    if not isinstance(value, dict):
        raise Wrong
    return dict(value)
