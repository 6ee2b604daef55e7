"""The commands that modules add: items "shell-command", in the form that Prosody gave them."""

from __future__ import annotations

from typing import Any

from prosody_py.app.shell.arguments import Argument
from prosody_py.app.shell.registry import Command, Registry


def add_items(registry: Registry, server) -> None:
    """Add the commands of all modules of the server and its hosts; broken items are passed over."""
    for host in ("*", *server.hosts):
        for offered in server.modules.get_items("shell-command", host):
            item = offered.copy()  # a dict; of a Lua table, one with all that is in it
            section, name, handler = map(item.get, ("section", "name", "handler"))
            if section and name and callable(handler):
                registry.add(_command(item, str(section), str(name), host, handler),
                             str(item.get("section_desc") or ""))


def _command(item: dict[str, Any], section: str, name: str, host: str, handler: Any) -> Command:
    arguments = tuple(
        Argument(str(one.get("name") or "value"), str(one.get("type") or "string"),
                 bool(one.get("optional"))) for one in item.get("args") or ())
    flags = item.get("flags")
    return Command(
        (section, name), str(item.get("desc") or ""), arguments, {host: handler},
        item.get("host_selector"),
        None if flags is None else {kind: _names(flags[kind]) for kind in flags})


def _names(names: Any) -> set[str]:
    """Return the names of a set, which in Lua is a table of name = true."""
    if isinstance(names, dict):
        return {str(name) for name, value in names.items() if value}
    return set(map(str, names)) if isinstance(names, (list, tuple, set, frozenset)) else set()
