"""The configuration as the server reads it: sections of options, hosts, and where each value is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from prosody_py.config.problems import Location
from prosody_py.config.yaml_tree import Node

GLOBAL = "*"
"""The name of the section from which every host inherits."""

COMPONENT = "component"
"""The module of a component that names none: it waits for an external component."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One option as it was written."""

    value: Any = field(repr=False)  # may be a password
    name_location: Location
    node: Node = field(repr=False)


@dataclass(frozen=True, slots=True)
class HostConfig:
    """A host or component; `options` holds only what its own section sets.

    `component_module` is None for a host with users. A host with `enabled: false` is not served.
    """

    name: str
    component_module: str | None
    enabled: bool
    options: dict[str, Any] = field(repr=False)
    location: Location


@dataclass(slots=True)
class Config:
    """What `load` returns; never changed afterwards, and its values are not to be changed either.

    `hosts` is in the order of the files, `files` lists the paths read, the main file first.
    """

    file: str
    hosts: list[HostConfig] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    sections: dict[str, dict[str, Setting]] = field(
        default_factory=lambda: {GLOBAL: {}}, repr=False
    )

    @property
    def directory(self) -> str:
        """The folder of the main file, where relative paths of options start."""
        return os.path.dirname(os.path.abspath(self.file))

    def get(self, host: str, key: str) -> Any:
        """Return an option's value as written, None when it is not set.

        `host` "*" means the global section. A host inherits what its own section does not set; so
        does a host that is not in the file.
        """
        setting = self.setting(host, key)
        return None if setting is None else setting.value

    def setting(self, host: str, key: str) -> Setting | None:
        """Return the setting that `get` takes its value from."""
        own = self.sections.get(host)
        if own is not None and key in own:
            return own[key]
        return self.sections[GLOBAL].get(key)

    def is_set(self, host: str, key: str) -> bool:
        """Whether the host's own section sets the option; what is inherited does not count."""
        return key in self.sections.get(host, ())

    def location(self, host: str, key: str, *path: Any) -> Location | None:
        """Return the place of an option's name, or of the part of its value at `path`.

        Follows the same inheritance as `get`. A part that does not exist gives the last one on
        the way to it.
        """
        setting = self.setting(host, key)
        if setting is None:
            return None
        return setting.node.find(path) if path else setting.name_location

    def is_secret(self, host: str, key: str) -> bool:
        """Whether a part of the value came from `!env`, `!file` or `!credential`."""
        setting = self.setting(host, key)
        return setting is not None and setting.node.holds_secret()

    def keys(self, host: str) -> list[str]:
        """Return the options that the host's own section sets, in the order of the file.

        A component has one more, `component_module`, for what is written as `module`.
        """
        return list(self.sections.get(host, ()))

    def host(self, name: str) -> HostConfig | None:
        """Return a host or component by its prepared name."""
        return next((host for host in self.hosts if host.name == name), None)
