"""Read the configuration file and what it includes.

The top level of a file is the global section. `hosts` and `components` hold a mapping each from
names to options; `include` holds paths or patterns, relative to the file that includes. Everything
that is wrong is collected and raised at once.
"""

from __future__ import annotations

import glob
import os
import re
from typing import Any

from prosody_py.config.config import COMPONENT, GLOBAL, Config, HostConfig, Setting
from prosody_py.config.problems import ConfigError, Location, Problem
from prosody_py.config.tags import read_regular, reason
from prosody_py.config.yaml_errors import place_of
from prosody_py.config.yaml_tree import Node, parse
from prosody_py.xmpp import jid
from prosody_py.xmpp.prep import PrepError, idna_to_unicode

MAX_FILE_SIZE = 1024 * 1024
"""Largest configuration file in bytes."""

MAX_FILES = 500
"""How many files one configuration may have."""

HOSTS, COMPONENTS, INCLUDE = "hosts", "components", "include"
MODULE = "module"
"""The option of a component's section that names its module."""


_LUA = re.compile(r"""^\s*(VirtualHost|Component)[ (]*["']""", re.MULTILINE)


def load(path: str | os.PathLike) -> Config:
    """Read a configuration and its included files.

    Raises ConfigError with every problem found; nothing else.
    """
    loader = _Loader(os.fspath(path))
    loader.read_file(loader.config.file, None)
    return loader.finish()


def load_mapping(data: dict[str, Any], file: str = "(memory)") -> Config:
    """Make a configuration from data of the shape a file has; `include` reads files as usual.

    Its locations have line 0. Raises ConfigError.
    """
    loader = _Loader(file)
    loader.section_of_file(_node_of(data, Location(file)), file)
    return loader.finish()


def prepare_host(name: str) -> str:
    """Return a host's name in the form in which it is compared; raises PrepError.

    Case is folded and `xn--` labels become the characters they stand for (RFC 7622 section 3.2).
    """
    if any(label[:4].lower() == "xn--" for label in name.split(".")):
        name = idna_to_unicode(name)
    node, host, resource = jid.prepped_split(name)
    if node is not None or resource is not None:
        raise PrepError("this is an address, not a host name")
    if host is None:
        raise PrepError("it has a character that host names cannot have, or an empty part")
    if "*" in host:
        raise PrepError("a host has one name, not a pattern")
    if any(len(label) > 63 for label in host.split(".")):
        raise PrepError("a part between dots is longer than 63 characters")
    return host


class _Loader:
    """Collects sections and problems while files are read."""

    def __init__(self, file: str):
        self.config = Config(file)
        self.problems: list[Problem] = []
        self.seen: set[str] = set()
        self.kinds: dict[str, tuple[str, Location]] = {}  # host -> (hosts or components, place)
        self.modules: dict[str, Setting] = {}

    def finish(self) -> Config:
        """Put the hosts together; raise what was collected."""
        for name, (kind, location) in self.kinds.items():
            self.config.hosts.append(self.host(name, kind == COMPONENTS, location))
        if self.problems:
            raise ConfigError(self.problems)
        return self.config

    def host(self, name: str, is_component: bool, location: Location) -> HostConfig:
        """Make a host's record from its section."""
        section = self.config.sections[name]
        enabled = section.get("enabled")
        if enabled is not None and not isinstance(enabled.value, bool):
            self.problem(
                enabled.node.location, f"enabled: expected true or false for {name}",
                "leave it out for a host that is served",
            )
        if is_component:
            module = self.modules.get(name)
            if module is None:
                module = Setting(COMPONENT, location, Node(COMPONENT, location))
            section["component_module"] = module  # the name under which modules ask for it
        return HostConfig(
            name,
            section["component_module"].value if is_component else None,
            enabled is None or enabled.value is not False,
            {key: setting.value for key, setting in section.items()},
            location,
        )

    def read_file(self, path: str, included_at: Location | None) -> None:
        """Read one file; one that was read before is passed over."""
        where = included_at or Location(path)
        try:
            real = os.path.realpath(path)
            if real in self.seen:
                return
            if len(self.seen) >= MAX_FILES:
                self.problem(where, f"more than {MAX_FILES} files are included")
                return
            self.seen.add(real)
            data = read_regular(path, MAX_FILE_SIZE)
        except (OSError, ValueError) as error:
            self.problem(where, f"cannot read {path!r}: {reason(error)}")
            return
        self.config.files.append(path)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            place = place_of(data[: error.start].decode(errors="replace"), error.start, path)
            self.problem(
                Location(path, place.line), "this line is not UTF-8", "save the file as UTF-8"
            )
            return
        if lua := _LUA.search(text):
            self.problem(place_of(text, lua.start(1), path), "this is a configuration in Lua, as "
                         "Prosody has it", "the one here is YAML: see docs/from-prosody.md")
            return
        root = parse(text, path, self.problems)
        if root is not None and root.value is not None:
            self.section_of_file(root, path)

    def section_of_file(self, root: Node, path: str) -> None:
        """Take over a file's global section, its hosts, then what it includes."""
        if not isinstance(root.value, dict):
            self.problem(
                root.location, "the file must hold options, such as 'admins: [alice@example.com]'"
            )
            return
        for name, node in root.value.items():
            if name in (HOSTS, COMPONENTS):
                self.hosts(name, node, root.names[name])
            elif name != INCLUDE:
                self.option(GLOBAL, name, node, root.names[name])
        if INCLUDE in root.value:
            self.include(root.value[INCLUDE], os.path.dirname(path))

    def hosts(self, kind: str, node: Node, location: Location) -> None:
        """Take over the mapping under `hosts` or `components`."""
        if node.value is None:
            return
        if not isinstance(node.value, dict):
            self.problem(
                node.location, f"{kind} must hold names and their options",
                "write 'example.com: {}' for a host without options of its own",
            )
            return
        for name, body in node.value.items():
            self.host_section(kind, str(name), body, node.names[name])

    def host_section(self, kind: str, written: str, body: Node, location: Location) -> None:
        """Take over the options of one host or component."""
        try:
            name = prepare_host(written)
        except PrepError as error:
            self.problem(location, f"{written!r} cannot be the name of a host: {error}")
            return
        if body.value is not None and not isinstance(body.value, dict):
            self.problem(
                body.location, f"{name} must hold options, not a single value or a list",
                f"write '{name}: {{}}' when there are none",
            )
            return
        known, first = self.kinds.setdefault(name, (kind, location))
        if known != kind:
            self.problem(
                location, f"{name} is both a host and a component; the other is at {first}",
                "use two names, such as example.com and conference.example.com",
            )
            return
        self.config.sections.setdefault(name, {})
        for key, node in (body.value or {}).items():
            if key == MODULE and kind == COMPONENTS:
                self.component_module(name, node, body.names[key])
            else:
                self.option(name, key, node, body.names[key])

    def component_module(self, host: str, node: Node, location: Location) -> None:
        """Take over the module of a component."""
        if not isinstance(node.value, str) or not node.value:
            self.problem(
                node.location, f"module: expected the name of one module for {host}",
                "for instance muc",
            )
            return
        if host in self.modules:
            self.conflict(MODULE, host, location, self.modules[host].name_location)
            return
        self.modules[host] = Setting(node.value, location, node)

    def option(self, host: str, key: Any, node: Node, location: Location) -> None:
        """Take over one option; one without a value counts as not set."""
        if not isinstance(key, str):
            self.problem(location, f"{key} is a number, not the name of an option")
            return
        if key == "component_module":
            self.problem(
                location, "component_module is not written here",
                "write 'module: muc' for a host under components",
            )
            return
        if node.value is None:
            return
        section = self.config.sections[host]
        if key in section:
            self.conflict(key, host, location, section[key].name_location)
            return
        section[key] = Setting(node.plain(), location, node)

    def conflict(self, key: str, host: str, location: Location, first: Location) -> None:
        """Report an option that two files set."""
        where = "the global section" if host == GLOBAL else host
        self.problem(
            location, f"{key} of {where} is already set at {first}", "remove one of the two"
        )

    def include(self, node: Node, directory: str) -> None:
        """Read the files that one `include` names, those of a pattern in alphabetical order."""
        if node.value is None:
            return
        for item in node.value if isinstance(node.value, list) else [node]:
            if not isinstance(item.value, str) or not item.value or "\0" in item.value:
                self.problem(
                    item.location, "include: expected the path of a file, such as conf.d/*.yaml"
                )
                continue
            pattern = os.path.join(directory, item.value)
            if not glob.has_magic(item.value):
                self.read_file(pattern, item.location)
                continue
            root, rest = (directory, item.value) if directory else (None, item.value)
            for found in sorted(glob.glob(rest, root_dir=root)):
                self.read_file(os.path.join(directory, found), item.location)

    def problem(self, location: Location, message: str, hint: str = "") -> None:
        self.problems.append(Problem.at(location, message, hint))


def _node_of(data: Any, location: Location) -> Node:
    """Make a tree from plain data; every part gets the same place."""
    if isinstance(data, dict):
        parts = {key: _node_of(item, location) for key, item in data.items()}
        return Node(parts, location, names=dict.fromkeys(parts, location))
    if isinstance(data, list | tuple | set | frozenset):
        return Node([_node_of(item, location) for item in data], location)
    return Node(data, location)
