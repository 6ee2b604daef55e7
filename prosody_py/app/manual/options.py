"""options.md: every option of the core and of the bundled modules."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from prosody_py.api.role_definitions import RoleOptions
from prosody_py.app.manual import option_text
from prosody_py.app.manual.bundled import Bundled, bundled
from prosody_py.app.manual.markdown import page
from prosody_py.app.options import RunOptions
from prosody_py.config.option import Option
from prosody_py.config.schema import GlobalOptions, HostOptions, Schema
from prosody_py.lua import LuaOptions
from prosody_py.net import outgoing

_INTRO = """\
The configuration is one YAML file, `prosody.cfg.yaml`. An option stands at the top level, for all
hosts, or below the name of a host, for that host. A host's value takes the place of the one at
the top level. [../operators.md](../operators.md) shows whole files; `prosody-py check` names what
is wrong with one.

Three names at the top level are no options: `hosts` has the hosts with accounts, `components` the
hosts without (each names its module with `module:`), `include` the paths or patterns of further
files. `!env NAME`, `!file PATH` and `!credential NAME` stand for a secret that is kept elsewhere.

- A **period** is a number of seconds or a text such as `"5 minutes"`; `never` does not end.
- A **size** is a number of bytes or a text such as `"256 KB"`; a **rate** is `"10kb/s"`.
- A relative **path** begins in the folder of the configuration file.
- A single value counts as a **list** of one."""


@dataclass(frozen=True)
class Section:
    """The options of one reader; `also` are those that another section describes."""

    title: str
    text: str
    options: tuple[Option, ...]
    is_global: bool = False
    also: tuple[str, ...] = ()


def render() -> str:
    """Return the page."""
    parts = sections()
    names = sorted(option.name for section in parts for option in section.options)
    index = "All options: " + ", ".join(map(option_text.link, names)) + "."
    return page("Options", _INTRO, index, *map(_section, parts))


@cache
def sections() -> list[Section]:
    """Return all options; each is described in one section, the first that has it."""
    core = [
        Section("The server", "What the server reads once for all hosts.", _server(), True),
        Section("Hosts", "What the server reads for each host.",
                (*HostOptions.declared(), *RoleOptions.declared())),
        Section("Ports", "Where each network service listens. A port of `0` is one that the "
                "system chooses; an empty list switches the service off.", _ports(), True)]
    known = {option.name for section in core for option in section.options}
    result = core
    for module in bundled():
        declared = module.file.config.declared() if module.file.config else []
        own = tuple(option for option in declared if option.name not in known)
        also = sorted(module.file.names - {option.name for option in own})
        known |= {option.name for option in own}
        if own or also:
            text = f"[What it does](modules/mod_{module.name}.md)."
            result.append(Section("mod_" + module.name, text, own, module.file.is_global,
                                  tuple(also)))
    return result


def home() -> dict[str, str]:
    """Return the title of the section that describes each option."""
    return {option.name: section.title for section in sections() for option in section.options}


def _server() -> tuple[Option, ...]:
    """Return the options of the top level: what the core declares, and the Lua runtime."""
    exact = {option.name: option for options in (LuaOptions, RunOptions, *outgoing.OPTIONS)
             for option in options.declared()}
    declared = [exact.get(option.name, option) for option in GlobalOptions.declared()]
    names = {option.name for option in (*declared, *HostOptions.declared())}
    return (*declared, *(option for option in exact.values() if option.name not in names))


def _ports() -> tuple[Option, ...]:
    schema, defaults = Schema(), {}
    services = {service for module in bundled() for service in module.file.services}
    for module in bundled():
        defaults.update(default_ports(module))
    for service in sorted(services):
        schema.register_service(service)
    found = []
    for service in sorted(services):
        [ports], [interfaces] = schema.get(f"{service}_ports"), schema.get(f"{service}_interfaces")
        found += [replace(ports, default=defaults.get(service)), interfaces]
    return tuple(found)


def default_ports(module: Bundled) -> dict[str, list[int]]:
    """Return the default ports of the network services that a module offers, by service."""
    found: dict[str, list[int]] = {}
    if module.language != "Python":
        return found
    for node in ast.walk(ast.parse(module.text)):
        if isinstance(node, ast.Dict):
            item = {key.value: value.value for key, value in zip(node.keys, node.values)
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)}
            if item.get("name") in module.file.services and "default_port" in item:
                found[item["name"]] = [item["default_port"]]
    return found


def _section(section: Section) -> str:
    parts = [f"## {section.title}", section.text,
             *(option_text.entry(option, section.is_global) for option in section.options)]
    if section.also:
        parts.append("Reads also " + _links(section.also) + ".")
    return "\n\n".join(parts)


def _links(names: Iterable[str]) -> str:
    places = {option.name for section in sections() for option in section.options}
    return ", ".join(option_text.link(name) if name in places else f"`{name}`" for name in names)
