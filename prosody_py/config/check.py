"""Find mistakes in a configuration without starting anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prosody_py.config.check_host import (
    OWN,
    CertificateFinder,
    ModuleFinder,
    check_host,
    no_module,
)
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.nearest import nearest
from prosody_py.config.obsolete import advice
from prosody_py.config.option import OptionError
from prosody_py.config.options import problem_of
from prosody_py.config.problems import WARNING, Location, Problem
from prosody_py.config.schema import Schema

ReaderFinder = Callable[[str], tuple[str, str] | None]
"""Returns (name of an option, module that reads it and is not enabled) for what was written, which
may be misspelt; None when there is none."""


def check(
    config: Config,
    known: Schema,
    find_module: ModuleFinder | None = None,
    find_certificate: CertificateFinder | None = None,
    find_reader: ReaderFinder | None = None,
) -> list[Problem]:
    """Return everything that looks wrong, in the order of the places.

    `known` should have the options of all modules that are enabled. What needs a finder is not
    checked without it.
    """
    problems: list[Problem] = []
    for section in config.sections:
        problems += _options(config, known, section, find_reader)
        problems += _module_lists(config, section, find_module)
    if not any(host.enabled for host in config.hosts):
        problems.append(Problem(config.file, 0, "no host is served", "add one under hosts"))
    for host in config.hosts:
        if host.enabled:
            problems += check_host(config, host, find_module, find_certificate)
    problems += _ports(config, known)
    unique = dict.fromkeys(problems)
    files = {file: index for index, file in enumerate(config.files)}
    return sorted(unique, key=lambda p: (files.get(p.file, -1), p.line, p.column))


def _options(config: Config, known: Schema, section: str,
             find_reader: ReaderFinder | None) -> Iterator[Problem]:
    """Check names, places and values of one section's options."""
    for name in config.keys(section):
        if name == OWN and config.host(section) and config.host(section).component_module:
            continue
        location = config.location(section, name)
        if name not in known:
            yield _unknown(config, known, name, location, find_reader)
            continue
        for option in known.get(name):
            wrong = _misplaced(option.where, section, name, location)
            if wrong:
                yield wrong
                break
            secret = config.is_secret(section, name)
            errors: list[OptionError] = option.errors(config.get(section, name), secret)
            yield from (problem_of(error, option, config, section) for error in errors)
            if errors:
                break


def _unknown(config: Config, known: Schema, name: str, location: Location,
             find_reader: ReaderFinder | None) -> Problem:
    instead = advice(name)
    if instead is not None:
        return Problem.at(location, f"the option {name} is not used any more", instead, WARNING)
    read, module = (find_reader(name) if find_reader else None) or (None, None)
    if read == name:
        return Problem.at(
            location, f"{name} has no effect: the module {module}, which reads it, is not enabled",
            f"add {module} to modules_enabled, or remove the option", WARNING)
    guess = nearest(name, known.names())
    if guess:
        return Problem.at(location, f"there is no option {name}", f"did you mean {guess}?")
    if read:
        return Problem.at(location, f"there is no option {name}", f"did you mean {read}? "
                          f"The module {module} reads it, and is not enabled")
    if "." in name or config.host(name):
        return Problem.at(
            location, f"there is no option {name}",
            "a host is written below 'hosts:' and indented",
        )
    return Problem.at(
        location, f"there is no option {name}", "no module that is enabled reads it"
    )


def _misplaced(where: str, section: str, name: str, location: Location) -> Problem | None:
    if where == "global" and section != GLOBAL:
        return Problem.at(
            location, f"{name} has no effect for a single host", "set it at the top level", WARNING
        )
    if where == "host" and section == GLOBAL:
        return Problem.at(
            location, f"{name} has no effect at the top level", "set it for a host", WARNING
        )
    return None


def _module_lists(
    config: Config, section: str, find_module: ModuleFinder | None
) -> Iterator[Problem]:
    """Check the entries of `modules_enabled` and `modules_disabled`."""
    for option in ("modules_enabled", "modules_disabled"):
        if not config.is_set(section, option):
            continue
        value = config.get(section, option)
        seen: set[str] = set()
        for index, name in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(name, str):
                continue  # reported as a wrong value
            place = config.location(section, option, index)
            if name.startswith("mod_"):
                yield Problem.at(
                    place, f"{option} has {name}; modules are listed without mod_",
                    f"write {name.removeprefix('mod_')}",
                )
            elif name in seen:
                yield Problem.at(place, f"{option} has {name} twice", severity=WARNING)
            elif find_module and option == "modules_enabled" and not find_module(name):
                yield no_module(name, place)
            seen.add(name)


def _ports(config: Config, known: Schema) -> Iterator[Problem]:
    """Find ports that two services are to listen on, at the same addresses."""
    taken: dict[int, str] = {}
    for name in sorted(known.names()):
        service = name.removesuffix("_ports")
        if service == name or not config.is_set(GLOBAL, name) or config.is_set(
                GLOBAL, f"{service}_interfaces"):
            continue
        value = config.get(GLOBAL, name)
        for number in value if isinstance(value, list) else [value]:
            first = taken.setdefault(number, name) if isinstance(number, int) and number else name
            if first != name:
                yield Problem.at(config.location(GLOBAL, name),
                                 f"port {number} is in {first} and in {name}",
                                 "give each service a port of its own")
