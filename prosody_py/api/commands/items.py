"""The commands that modules offer: items "command", and items "shell-command" in Prosody's form.

An item "command" is a pair (Command, help of its section), made of the mark `@command`. An item
"shell-command" is a table {section, section_desc, name, desc, args = {{name, type, optional}},
host_selector, flags, handler}; types are those of `arguments`. Prosody's know only one kind of
user, who may everything: so they are for the administrators of the whole server, unless the item
has a `permission` or a `role`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from prosody_py.api.commands.arguments import Argument
from prosody_py.api.commands.command import ADMIN, Command
from prosody_py.config.values import is_secret_name


def modules_commands(server) -> Iterator[tuple[Command, str]]:
    """Yield (command, help of its section) of all modules; broken items are passed over."""
    for host in ("*", *server.hosts):
        for command, section_help in server.modules.get_items("command", host):
            yield replace(command, handlers=dict(command.handlers)), section_help
        for offered in server.modules.get_items("shell-command", host):
            try:
                item = offered.copy()  # a dict; of a Lua table, one with all that is in it
            except ValueError:
                continue  # it contains itself
            section, name, handler = map(item.get, ("section", "name", "handler"))
            if section and name and callable(handler):
                yield (_command(item, str(section), str(name), host, handler),
                       str(item.get("section_desc") or ""))


def _command(item: dict[str, Any], section: str, name: str, host: str, handler: Any) -> Command:
    arguments = tuple(
        Argument.parse(f"{one.get('name') or 'value'}:{_kind(one)}"
                       + ("?" if one.get("optional") else "")) for one in item.get("args") or ())
    flags, permission, role = map(item.get, ("flags", "permission", "role"))
    return Command(
        (section, name), str(item.get("desc") or ""), arguments, {host: handler},
        item.get("host_selector") or "",
        None if flags is None else {kind: _names(flags[kind]) for kind in flags},
        str(permission or ""), str(role or ADMIN), everywhere=not (permission or role))


def _kind(argument: dict[str, Any]) -> str:
    """Return the type of an argument; Prosody's have no type for passwords."""
    kind = str(argument.get("type") or "string")
    return "password" if kind == "string" and is_secret_name(argument.get("name")) else kind


def _names(names: Any) -> set[str]:
    """Return the names of a set, which in Lua is a table of name = true."""
    if isinstance(names, dict):
        return {str(name) for name, value in names.items() if value}
    return set(map(str, names)) if isinstance(names, (list, tuple, set, frozenset)) else set()
