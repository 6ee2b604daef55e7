"""How a value of a key-value store becomes rows, and back; the layout is that of Prosody's SQL.

A dict becomes one row for each plain string key, so that a map store touches one row. All other
keys (False, numbers, "") share the row with the key "". A value that is no dict is the row "".
The text of a row is JSON. An object in it has its keys that JSON cannot hold in a list
`"__hash": [key, value, key, value]`; `"__array"` (a list, for the keys 1 to n) is read as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from prosody_py.storage.interface import REMOVE, Key, StorageError

MAX_TEXT = 16 * 1024 * 1024  # characters of one row
MAX_DEPTH = 64
REST = ""  # the key of the row for everything that has no row of its own
_MARKS = ("__hash", "__array")
_KEY_TYPES = (str, bool, int, float)
_dump = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_load = json.JSONDecoder().decode


def has_own_row(key: Any) -> bool:
    """Tell whether a top-level key has a row of its own.

    Raises: StorageError "bad-request" for what cannot be a key.
    """
    if type(key) is str:
        return key != REST and key not in _MARKS
    _check_key(key)
    return isinstance(key, str) and key != REST and key not in _MARKS


def encode(value: Any) -> str:
    """Return `value` as the text of a row.

    Raises: StorageError: "bad-request" for a type that cannot be stored or nesting that is too
        deep, "policy-violation" for a text that is too long.
    """
    try:
        text = _dump(_prepare(value, 0))
    except ValueError as error:  # an integer of thousands of digits
        raise StorageError("bad-request", f"a value cannot be written as JSON: {error}") from None
    if len(text) > MAX_TEXT:
        raise StorageError("policy-violation",
                           f"a value is too large: {len(text)} of {MAX_TEXT} characters")
    return text


def decode(text: str) -> Any:
    """Return a new value from the text of a row."""
    return _load_marked(text) if '"__' in text else _load(text)


def quote(key: str) -> str:
    """Return a key as JSON text, as it stands in a whole."""
    return _dump(key)


def rows_of(value: Any) -> dict[str, str]:
    """Return the rows {key: text} of a user's whole value; none for None and {}."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {REST: encode(value)}
    rows, rest = {}, {}
    for key, item in value.items():
        if item is None:
            continue
        if has_own_row(key):
            rows[key] = encode(item)
        else:
            rest[key] = item
    if rest:
        rows[REST] = encode(rest)
    return rows


def split_changes(changes: Mapping[Key, Any]) -> tuple[dict[str, str | None], dict[Key, Any]]:
    """Return changes as ({key: text or None} of rows of their own, {key: value} of the rest)."""
    rows: dict[str, str | None] = {}
    rest: dict[Key, Any] = {}
    for key, value in changes.items():
        if has_own_row(key):
            rows[key] = None if is_removal(value) else encode(value)
        else:
            rest[key] = value
            if not is_removal(value):
                encode(value)  # an error must show before anything is written
    return rows, rest


def whole_text(rows: Mapping[str, str]) -> str | None:
    """Return all rows of a user as one JSON object, None when there are none."""
    if not rows:
        return None
    return "{" + ",".join([f"{quote(key)}:{text}" for key, text in rows.items()]) + "}"


def value_of_whole(text: str | None) -> Any:
    """Return a new value from the text that `whole_text` makes."""
    if text is None:
        return None
    return join_rest(decode(text))


def join_rest(whole: dict) -> Any:
    """Return a user's value from the decoded rows {key: value}."""
    if REST not in whole:
        return whole
    rest = whole.pop(REST)
    if isinstance(rest, dict):
        whole.update(rest)
        return whole
    return whole or rest


def rest_item(text: str | None, key: Key) -> Any:
    """Return what is under a key that has no row of its own; `text` is that of the row ""."""
    rest = None if text is None else decode(text)
    return rest.get(key) if isinstance(rest, dict) else None


def change_rest(text: str | None, changes: Mapping[Key, Any]) -> str | None:
    """Return the text of the row "" after changes of its keys, None when nothing is left.

    A value that is no dict gives way when a key is set, and stays when keys are only removed.
    """
    rest = {} if text is None else decode(text)
    if not isinstance(rest, dict):
        if all(is_removal(value) for value in changes.values()):
            return text
        rest = {}
    for key, value in changes.items():
        rest.pop(key, None)
        if not is_removal(value):
            rest[key] = value
    return encode(rest) if rest else None


def is_removal(value: Any) -> bool:
    """Tell whether a changed value means that its key goes away."""
    return value is REMOVE or value is None


def holds_keys(text: str) -> bool:
    """Tell whether the text of a row "" holds keys of a dict, not a value that is no dict."""
    return text.startswith("{")


def _check_key(key: Any) -> None:
    if not isinstance(key, _KEY_TYPES) or (isinstance(key, float) and math.isnan(key)):
        raise StorageError("bad-request", f"{type(key).__name__} cannot be a key in a store")


def _prepare(value: Any, depth: int) -> Any:
    """Return `value` with only such dicts as JSON can hold; copies nothing it need not."""
    kind = type(value)
    if kind is str or value is None or kind is int or kind is bool or kind is float:
        return value
    if depth >= MAX_DEPTH:
        raise StorageError("bad-request", f"a value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return _prepare_dict(value, depth + 1)
    if isinstance(value, list | tuple):
        return [_prepare(item, depth + 1) for item in value]
    if isinstance(value, str | int | float):  # a subclass: an enumeration, say
        return value
    raise StorageError("bad-request", f"{kind.__name__} cannot be kept in a store")


def _prepare_dict(value: dict, depth: int) -> dict:
    result: dict[str, Any] = {}
    pairs: list[Any] = []
    for key, item in value.items():
        item = _prepare(item, depth)
        if isinstance(key, str) and key not in _MARKS:
            result[key] = item
        else:
            _check_key(key)
            pairs += (key, item)
    if pairs:
        result["__hash"] = pairs
    return result


def _restore(found: dict) -> dict:
    array, pairs = found.get("__array"), found.get("__hash")
    if isinstance(array, list):
        del found["__array"]
        found.update(enumerate(array, 1))
    if isinstance(pairs, list):
        del found["__hash"]
        found.update(zip(pairs[::2], pairs[1::2], strict=False))
    return found


_load_marked = json.JSONDecoder(object_hook=_restore).decode
