"""What a command's handler returns, as an answer of the protocol."""

from __future__ import annotations

from typing import Any

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from prosody_py.app.shell.arguments import ShellError
from prosody_py.app.shell.registry import Table

WAIT = 120
"""Seconds that a command may take whose result is a promise."""


def settled(result: Any) -> Any:
    """Return what a handler's promise comes to, anything else as it is; raises ShellError.

    A promise is what has a method `next(resolved, rejected)`, such as those of Lua's util.promise.
    """
    then = None if isinstance(result, (str, bytes, tuple, list, Table)) else getattr(
        result, "next", None)
    if not callable(then):
        return result
    outcome: AsyncResult = AsyncResult()
    then(result, lambda value=None, *_more: outcome.set((True, value)),
         lambda reason=None, *_more: outcome.set((False, reason)))
    try:
        return outcome.get(timeout=WAIT)
    except Timeout:
        raise ShellError(f"The command has not ended in {WAIT} seconds; it goes on") from None


def answer_of(result: Any) -> dict[str, Any]:
    """Return the answer for a handler's result; raises ShellError when it says that it failed.

    A result is a text, a Table, None, true or false, or a pair (ok, text) as in Prosody.
    """
    result = settled(result)
    if isinstance(result, Table):
        return {"ok": True, "columns": list(result.columns),
                "rows": [list(row) for row in result.rows]}
    if isinstance(result, (tuple, list)) and result and isinstance(result[0], (bool, type(None))):
        text = result[1] if len(result) > 1 else None
        if not result[0]:
            raise ShellError(_text(text) or "Failed")
        return {"ok": True, "text": _text(text)}
    if result is False:
        raise ShellError("Failed")
    return {"ok": True, "text": "" if result is True else _text(result)}


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
