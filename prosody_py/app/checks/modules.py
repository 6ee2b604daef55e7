"""The modules that a configuration names: are their files there, and what do they read?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from prosody_py.api.errors import LoadError
from prosody_py.api.role_definitions import RoleOptions
from prosody_py.app.checks import module_files
from prosody_py.app.checks.module_files import ModuleFile
from prosody_py.app.options import RunOptions
from prosody_py.app.places import plugin_folders
from prosody_py.config.config import COMPONENT, GLOBAL, Config, HostConfig
from prosody_py.config.hosts import modules_for
from prosody_py.config.nearest import nearest
from prosody_py.config.problems import WARNING, Location, Problem
from prosody_py.config.schema import Schema
from prosody_py.hosts.users import DEFAULT_PROVIDER
from prosody_py.loader.find import Source, available, bundled_folders, find
from prosody_py.net import outgoing
from prosody_py.storage.open import DEFAULT_DRIVER

_FEDERATION = ("s2s", "s2s_bidi", "s2s_auth_certs", "s2s_auth_dane_in", "dialback")
ALWAYS = ("admin_socket", "admin_shell")
_PLACE = re.compile(r"(?P<file>/[^:]+):(?P<line>\d+): (?P<text>.*)", re.DOTALL)


@dataclass
class KnownModules:
    """The modules of a configuration: their files by name, the options of all, what is wrong.

    `missing` has a problem for each module that there is not, `problems` all others.
    """

    files: dict[str, ModuleFile] = field(default_factory=dict)
    schema: Schema = field(default_factory=Schema)
    problems: list[Problem] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    _elsewhere: dict[str, str] | None = None  # option -> module that reads it, of those not enabled

    def reader_of(self, option: str) -> tuple[str, str] | None:
        """Return (option, module) of a module that is not enabled and reads an option.

        The option is the nearest to what was written; None when there is none.
        """
        if self._elsewhere is None:
            self._elsewhere = {}
            # Of several modules the one with the shortest name is the main one.
            modules = available(self.folders)
            for name in sorted(modules, key=len):
                if name not in self.files:
                    for read in module_files.options_in(modules[name]):
                        self._elsewhere.setdefault(read, name)
        found = option if option in self._elsewhere else nearest(option, self._elsewhere)
        return (found, self._elsewhere[found]) if found else None


def look(config: Config) -> KnownModules:
    """Find and read the modules that the configuration names, and those that they need."""
    folders = [*plugin_folders(config), *bundled_folders()]
    known = KnownModules(folders=folders)
    for options in (RunOptions, RoleOptions, *outgoing.OPTIONS):
        known.schema.register(options)
    wanted: dict[str, tuple[Location, str]] = {}
    for host in config.hosts:
        if host.enabled:
            for name, place, hint in _named_by(config, host):
                wanted.setdefault(name, (place, hint))
    for name, (place, hint) in wanted.items():
        source = find(name, folders)
        if source is None:
            known.missing += _missing(name, place, hint, folders)
        elif source.remark:
            known.problems.append(_replaced(source, place))
    waiting = [*ALWAYS, *wanted]
    while waiting:
        name = waiting.pop(0)
        source = find(name, folders)
        if name in known.files or source is None:
            continue
        try:
            file = known.files[name] = module_files.read(source)
        except LoadError as error:
            known.files[name] = ModuleFile(source)
            known.problems.append(_broken(name, source.path, str(error)))
            continue
        _register(known.schema, file)
        waiting += sorted(file.depends)
    return known


def _named_by(config: Config, host: HostConfig) -> Iterator[tuple[str, Location, str]]:
    """Yield (module, place, name as written) of everything that one host names."""
    for name in modules_for(config, host.name):
        if name == host.component_module:
            yield name, config.location(host.name, "component_module") or host.location, name
        else:
            yield name, _place_in_list(config, host, name), name
    if host.component_module is None:
        provider = config.get(host.name, "authentication") or DEFAULT_PROVIDER
        place = config.location(host.name, "authentication") or host.location
        yield f"auth_{provider}", place, str(provider)
    storage = config.get(host.name, "storage")
    drivers = list(storage.values()) if isinstance(storage, dict) else [storage]
    drivers.append(config.get(host.name, "default_storage"))
    if not any(isinstance(driver, str) for driver in drivers):
        drivers = [DEFAULT_DRIVER]
    place = (config.location(host.name, "storage")
             or config.location(host.name, "default_storage") or host.location)
    for driver in drivers:
        if isinstance(driver, str):
            yield f"storage_{driver}", place, driver


def _place_in_list(config: Config, host: HostConfig, name: str) -> Location:
    for section in (host.name, GLOBAL):
        if config.is_set(section, "modules_enabled"):
            value = config.get(section, "modules_enabled")
            if isinstance(value, list) and name in value:
                return config.location(section, "modules_enabled", value.index(name))
    return host.location


def _missing(name: str, place: Location, written: str, folders: list[str]) -> Iterator[Problem]:
    if name.startswith("mod_"):
        return  # told with the option
    guess = nearest(name, available(folders))
    if name == COMPONENT:
        yield Problem.at(place, "this component has no module, and there is none for components "
                         "that connect from outside", "write for instance 'module: muc' below it")
        return
    if any(mark in name for mark in " ,;"):
        hint = "write a list with an entry for each module, such as [saslauth, tls]"
    elif name in _FEDERATION:
        hint = "there is none here; Prosody's works when plugin_paths has the folder of its modules"
    elif guess:
        prefix = name.removesuffix(written)
        hint = f"did you mean {guess.removeprefix(prefix)}?"
    else:
        hint = "check the spelling, or add the folder that has its file to plugin_paths"
    yield Problem.at(place, f"there is no module {name}", hint)


def _replaced(source: Source, place: Location) -> Problem:
    hint = ("take it out of modules_enabled" if source.language == "none"
            else f"the module that comes with the server is taken: {source.path}")
    return Problem.at(place, source.remark, hint, WARNING)


def _broken(name: str, path: str, text: str) -> Problem:
    found = _PLACE.match(text)
    place = Location(found["file"], int(found["line"])) if found else Location(path)
    why = found["text"] if found else text
    return Problem.at(place, f"the module {name} cannot be read: {why}",
                      "correct the file, or take the module out of modules_enabled")


def _register(schema: Schema, file: ModuleFile) -> None:
    if file.config is not None:
        schema.register(file.config)
    schema.register_names(file.names)
    schema.register_read(file.read)
    for service in file.services:
        schema.register_service(service)
