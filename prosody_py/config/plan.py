"""What changes between two configurations, before it is applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.hosts import modules_for
from prosody_py.config.values import is_secret_name

SECRET = "(secret)"
_LISTED_ELSEWHERE = frozenset(
    ("modules_enabled", "modules_disabled", "component_module", "enabled")
)


@dataclass(frozen=True, slots=True)
class OptionChange:
    """One option of one section; None stands for "not set". Secret values show as SECRET."""

    name: str
    old: Any
    new: Any

    def __str__(self) -> str:
        if self.old is None:
            return f"+ {self.name}: {_show(self.new)}"
        if self.new is None:
            return f"- {self.name} (was {_show(self.old)})"
        return f"~ {self.name}: {_show(self.old)} -> {_show(self.new)}"


@dataclass(frozen=True, slots=True)
class HostChange:
    """What changes for a host that stays, or in the global section ("*").

    `options` has what its own section changes, `affected` also the inherited names whose value
    becomes another one: those are what its modules have to read again.
    """

    name: str
    modules_added: tuple[str, ...] = ()
    modules_removed: tuple[str, ...] = ()
    options: tuple[OptionChange, ...] = ()
    affected: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.modules_added or self.modules_removed or self.options or self.affected)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from one configuration to another; false when there are none.

    A host whose kind or component module changes is in both `hosts_removed` and `hosts_added`.
    `changes` has one entry for the global section ("*") and each host that stays and changes.
    `modules` has the modules of each added host, in the order of loading.
    """

    hosts_added: tuple[str, ...] = ()
    hosts_removed: tuple[str, ...] = ()
    changes: dict[str, HostChange] = field(default_factory=dict)
    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.hosts_added or self.hosts_removed or self.changes)

    def __str__(self) -> str:
        lines = [f"- host {name}" for name in self.hosts_removed]
        for name in self.hosts_added:
            modules = ", ".join(self.modules[name]) or "none"
            lines.append(f"+ host {name} (modules: {modules})")
        for change in self.changes.values():
            if not (change.options or change.modules_added or change.modules_removed):
                continue  # only inherits what the global section already shows
            lines.append("all hosts:" if change.name == GLOBAL else f"{change.name}:")
            lines += [f"  - module {name}" for name in change.modules_removed]
            lines += [f"  + module {name}" for name in change.modules_added]
            lines += [f"  {option}" for option in change.options]
        return "\n".join(lines) or "nothing changes"


def diff(old: Config, new: Config) -> Plan:
    """Compare two configurations; hosts that are not enabled count as absent."""
    before, after = _served(old), _served(new)
    removed = [name for name in before if before[name] != after.get(name, ())]
    added = [name for name in after if after[name] != before.get(name, ())]
    changes = {}
    for section in (GLOBAL, *(name for name in after if name not in added)):
        change = _section(old, new, section)
        if change:
            changes[section] = change
    modules = {name: tuple(modules_for(new, name)) for name in added}
    return Plan(tuple(added), tuple(removed), changes, modules)


def _served(config: Config) -> dict[str, tuple]:
    return {host.name: (host.component_module,) for host in config.hosts if host.enabled}


def _section(old: Config, new: Config, section: str) -> HostChange:
    """Compare one section that both have."""
    names = dict.fromkeys((*old.keys(section), *new.keys(section)))
    options = []
    for name in names:
        before = old.get(section, name) if old.is_set(section, name) else None
        after = new.get(section, name) if new.is_set(section, name) else None
        if name not in _LISTED_ELSEWHERE and not _same(before, after):
            hidden = old.is_secret(section, name) or new.is_secret(section, name)
            options.append(OptionChange(name, _hide(name, before, hidden),
                                        _hide(name, after, hidden)))
    inherited = dict.fromkeys((*names, *old.keys(GLOBAL), *new.keys(GLOBAL)))
    affected = frozenset(
        name for name in inherited
        if name not in _LISTED_ELSEWHERE
        and not _same(old.get(section, name), new.get(section, name))
    )
    if section == GLOBAL:
        return HostChange(section, options=tuple(options), affected=affected)
    before, after = modules_for(old, section), modules_for(new, section)
    return HostChange(
        section,
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        tuple(options),
        affected,
    )


def _same(one: Any, other: Any) -> bool:
    """Compare as YAML does: 1, 1.0 and true are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _hide(name: Any, value: Any, hidden: bool) -> Any:
    """Replace what must not be shown; the shape of lists and mappings around it stays."""
    if value is None:
        return None
    if hidden or is_secret_name(name):
        return SECRET
    if isinstance(value, dict):
        return {key: _hide(key, part, False) for key, part in value.items()}
    if isinstance(value, list):
        return [_hide(None, part, False) for part in value]
    return value


def _show(value: Any) -> str:
    """Write a value as in the file, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_show(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        return value if value == SECRET else f'"{value}"'
    return str(value)
