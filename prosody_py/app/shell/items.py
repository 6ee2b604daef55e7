"""The commands that modules add: items "shell-command", in the form that Prosody gave them."""

from __future__ import annotations

from typing import Any

from prosody_py.app.shell.arguments import Argument
from prosody_py.app.shell.registry import Command, Registry


def add_items(registry: Registry, server) -> None:
    """Add the commands of all modules of the server and its hosts; broken items are passed over."""
    for host in ("*", *server.hosts):
        for item in server.modules.get_items("shell-command", host):
            section, name, handler = (_field(item, key) for key in ("section", "name", "handler"))
            if section and name and callable(handler):
                registry.add(_command(item, str(section), str(name), host, handler),
                             str(_field(item, "section_desc") or ""))


def _command(item: Any, section: str, name: str, host: str, handler: Any) -> Command:
    arguments = tuple(
        Argument(str(_field(one, "name") or "value"), str(_field(one, "type") or "string"),
                 bool(_field(one, "optional"))) for one in _entries(_field(item, "args")))
    flags = _field(item, "flags")
    return Command(
        (section, name), str(_field(item, "desc") or ""), arguments, {host: handler},
        _field(item, "host_selector"),
        None if flags is None else {kind: _names(_field(flags, kind))
                                    for kind in ("kv_params", "value_params", "array_params")})


def _field(item: Any, name: str) -> Any:
    """Return a field of a dict, of an object, or of a Lua table seen from Python."""
    if hasattr(item, "get"):
        return item.get(name)
    try:
        return item[name]
    except (KeyError, TypeError, IndexError):
        return getattr(item, name, None)


def _entries(table: Any) -> list[Any]:
    """Return the entries of a list, which a Lua table counts from 1."""
    if table is None:
        return []
    if isinstance(table, (list, tuple)):
        return list(table)
    return list(table.values())


def _names(table: Any) -> set[str]:
    """Return the names of a set, which in Lua is a table of name = true."""
    if table is None or isinstance(table, bool):
        return set()
    if hasattr(table, "items"):
        return {str(name) for name, value in table.items() if value}
    return set(map(str, table))
