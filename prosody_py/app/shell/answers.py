"""What a command's handler returns, as an answer of the protocol."""

from __future__ import annotations

from typing import Any

from prosody_py.app.shell.arguments import ShellError
from prosody_py.app.shell.registry import Table


def answer_of(result: Any) -> dict[str, Any]:
    """Return the answer for a handler's result; raises ShellError when it says that it failed.

    A result is a text, a Table, None, true or false, or a pair (ok, text) as in Prosody.
    """
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
