"""Requests: SQL databases (DBI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent.lock import RLock

from prosody_py.lua.databases import Database, DatabaseError


def db_connect(border, _server, path: bytes) -> Any:
    """Return an open database, or nil and why there is none."""
    try:
        return border.to_lua(Database(border.to_python(path)))
    except DatabaseError as error:
        return None, border.to_lua(str(error))


def _operation(name: str) -> Callable[..., Any]:
    """Make a request of a method without arguments: true, or nil and why not."""

    def request(border, _server, raw: Any) -> Any:
        try:
            getattr(border.to_python(raw), name)()
        except DatabaseError as error:
            return None, border.to_lua(str(error))
        return True

    return request


def db_prepare(border, _server, raw: Any, sql: bytes) -> Any:
    """Return the number of parameters of a statement, or nil and what is wrong with it."""
    try:
        return border.to_python(raw).prepare(border.to_python(sql))
    except DatabaseError as error:
        return None, border.to_lua(str(error))


def db_execute(border, _server, raw: Any, sql: bytes, *values: Any) -> Any:
    """Return rows changed, last id, the names of the columns, the number of rows, all values."""
    try:
        result = border.to_python(raw).execute(border.to_python(sql), values)
    except DatabaseError as error:
        return None, border.to_lua(str(error))
    return (result.affected, result.last_id, border.copy_to_lua(result.columns),
            len(result.rows), border.long_list([value for row in result.rows for value in row]))


def db_exclusive(border, _server, raw: Any, function: Any) -> Any:
    """Call a Lua function, with how deep in transactions it is, while nobody else has the
    database; return what it returns."""
    function = border.to_python(function)
    with border.to_python(raw).exclusive() as depth:
        return border.driver.call(function.raw, depth)


def lock_call(border, _server, lock: Any, function: Any) -> Any:
    """Call a Lua function while nobody else runs one with this lock; return what it returns."""
    function = border.to_python(function)
    with border.to_python(lock):
        return border.driver.call(function.raw)


def db_autocommit(border, _server, raw: Any, on: Any) -> Any:
    """Commit after each statement, or not."""
    try:
        border.to_python(raw).set_autocommit(bool(on))
    except DatabaseError as error:
        return None, border.to_lua(str(error))
    return True


PLAIN: dict[str, Callable[..., Any]] = {
    "new_lock": lambda border, _server: border.to_lua(RLock()),
    "db_is_open": lambda border, _server, raw: border.to_python(raw).is_open,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "db_connect": db_connect, "db_prepare": db_prepare, "db_execute": db_execute,
    "db_exclusive": db_exclusive, "db_autocommit": db_autocommit,
    "lock_call": lock_call, "db_commit": _operation("commit"),
    "db_rollback": _operation("rollback"), "db_close": _operation("close"),
}
