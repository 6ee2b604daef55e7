"""Which modules a host gets."""

from __future__ import annotations

from typing import Any

from prosody_py.config.config import GLOBAL, Config

AUTOLOAD = ("presence", "message", "iq", "offline", "c2s")
"""Modules that every host gets unless they are disabled."""

INHERITABLE = frozenset(("tls", "saslauth", "iq", "server_contact_info", "smacks"))
"""The only modules that a component takes over from the global section."""


def modules_for(config: Config, host: str) -> list[str]:
    """Return the modules to load on a host, in order.

    A component's own module comes first, then AUTOLOAD, the global `modules_enabled` and the
    host's own, each in the order of the file. `modules_disabled` of the global section takes from
    the first two, that of the host from everything but the component's module. Raises KeyError
    for a name that is no host.
    """
    record = config.host(host)
    if record is None:
        raise KeyError(host)
    off = set(names(config, GLOBAL, "modules_disabled"))
    modules = [name for name in (*AUTOLOAD, *names(config, GLOBAL, "modules_enabled"))
               if name not in off]
    if record.component_module is not None:
        modules = [name for name in modules if name in INHERITABLE]
    off = set(names(config, host, "modules_disabled"))
    modules = [name for name in modules + names(config, host, "modules_enabled")
               if name not in off]
    if record.component_module is not None:
        modules.insert(0, record.component_module)
    return list(dict.fromkeys(modules))


def names(config: Config, section: str, option: str) -> list[str]:
    """Return the module names that one section itself sets; what is no name is left out."""
    if not config.is_set(section, option):
        return []
    value: Any = config.get(section, option)
    return [name for name in (value if isinstance(value, list) else [value])
            if isinstance(name, str)]
