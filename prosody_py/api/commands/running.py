"""Run a command, and make plain data of what its handler returns."""

from __future__ import annotations

import logging
from typing import Any

from gevent.event import AsyncResult
from gevent.timeout import Timeout

from prosody_py.api.commands.arguments import CommandError
from prosody_py.api.commands.command import Call, Command, Table
from prosody_py.api.errors import LoadError
from prosody_py.api.roles import RoleError
from prosody_py.config.problems import ConfigError
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp.errors import StanzaError

log = logging.getLogger("commands")
WAIT = 120
"""Seconds that a command may take whose result is a promise."""


def run(command: Command, values: list[Any], call: Call) -> dict[str, Any]:
    """Run a command that may be run; raises CommandError for what people have to know.

    Returns {"text": ...}, or {"columns": [...], "rows": [[...]]}. The caller has written to the
    log who does what, and has asked `access`.
    """
    try:
        return answer_of(command.handler_for(values, call.host)(call, *values))
    except ConfigError as error:
        problems = "\n".join(map(str, error.problems))
        raise CommandError(f"{problems}\nThe configuration cannot be used; nothing was "
                           "changed") from None
    except StanzaError as error:
        raise CommandError(error.text or error.condition, error.condition) from None
    except (LoadError, RoleError, StorageError) as error:
        raise CommandError(str(error)) from None


def settled(result: Any) -> Any:
    """Return what a handler's promise comes to, anything else as it is; raises CommandError.

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
        raise CommandError(f"The command has not ended in {WAIT} seconds; it goes on") from None


def answer_of(result: Any) -> dict[str, Any]:
    """Return the answer for a handler's result; raises CommandError when it says that it failed.

    A result is a text, a Table or a dict of its fields, None, true or false, or as in Prosody a
    pair of true and one of these, or of false and why.
    """
    result = settled(result)
    if isinstance(result, Table):
        return {"columns": list(result.columns), "rows": [list(row) for row in result.rows]}
    if hasattr(result, "keys"):
        return _table_of(result.copy())
    if isinstance(result, (tuple, list)) and result and isinstance(result[0], (bool, type(None))):
        text = result[1] if len(result) > 1 else None
        if not result[0]:
            raise CommandError(_text(text) or "Failed")
        return _table_of(text.copy()) if hasattr(text, "keys") else {"text": _text(text)}
    if result is False:
        raise CommandError("Failed")
    return {"text": "" if result is True else _text(result)}


def _table_of(table: Any) -> dict[str, Any]:
    """Return the answer for a table of "columns" and "rows" that may come from Lua."""
    columns, rows = (table.get(name) or [] for name in ("columns", "rows"))
    cells = [[row.get(number) for number in range(1, len(columns) + 1)] if isinstance(row, dict)
             else [*row, *[None] * (len(columns) - len(row))] for row in rows]
    return {"columns": list(map(_text, columns)), "rows": [row[:len(columns)] for row in cells]}


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
