"""Find mistakes in a configuration without starting anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prosody_py.config.config import GLOBAL, Config, HostConfig
from prosody_py.config.hosts import AUTOLOAD, modules_for, names
from prosody_py.config.nearest import nearest
from prosody_py.config.obsolete import advice
from prosody_py.config.option import OptionError
from prosody_py.config.options import problem_of
from prosody_py.config.problems import WARNING, Location, Problem
from prosody_py.config.schema import Schema
from prosody_py.config.values import Wrong, boolean

ModuleFinder = Callable[[str], bool]
"""Says whether a file for the module of this name exists."""

ReaderFinder = Callable[[str], str | None]
"""Returns the module that reads an option and is not enabled, None when there is none."""

CertificateFinder = Callable[[str], bool]
"""Says whether a host has a certificate that can be used."""

_OWN = "component_module"  # set by the loader, not by the operator
_REGISTRATION_LIMITS = (
    "min_seconds_between_registrations", "registration_throttle_max", "registration_invite_only",
    "allowlist_registration_only",
)


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
        if not host.enabled:
            continue
        problems += _modules_of(config, host, find_module)
        if host.component_module is None:
            problems += _registration(config, host)
            problems += _encryption(config, host, find_certificate)
    unique = dict.fromkeys(problems)
    files = {file: index for index, file in enumerate(config.files)}
    return sorted(unique, key=lambda p: (files.get(p.file, -1), p.line, p.column))


def _options(config: Config, known: Schema, section: str,
             find_reader: ReaderFinder | None) -> Iterator[Problem]:
    """Check names, places and values of one section's options."""
    for name in config.keys(section):
        if name == _OWN and config.host(section) and config.host(section).component_module:
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
    reader = find_reader(name) if find_reader else None
    if reader:
        return Problem.at(location, f"there is no option {name}",
                          f"the module {reader} reads it, and is not enabled")
    guess = nearest(name, known.names())
    if guess:
        return Problem.at(location, f"there is no option {name}", f"did you mean {guess}?")
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
                yield _no_module(name, place)
            seen.add(name)


def _no_module(name: str, place: Location) -> Problem:
    return Problem.at(
        place, f"there is no module {name}",
        "check the spelling, or add the folder that has it to plugin_paths",
    )


def _modules_of(
    config: Config, host: HostConfig, find_module: ModuleFinder | None
) -> Iterator[Problem]:
    """Check which modules a host ends up with."""
    modules = modules_for(config, host.name)
    own = host.component_module
    if own is not None:
        place = config.location(host.name, _OWN)
        for section in (GLOBAL, host.name):
            if own in names(config, section, "modules_enabled"):
                yield Problem.at(
                    config.location(section, "modules_enabled"),
                    f"{own} is in modules_enabled and also the module of the component "
                    f"{host.name}",
                    "remove it from modules_enabled; a component brings its own module",
                )
        if own.startswith("mod_"):
            yield Problem.at(
                place, f"module: {own} of {host.name}; modules are named without mod_",
                f"write {own.removeprefix('mod_')}",
            )
        elif find_module and not find_module(own):
            yield _no_module(own, place)
    elif set(modules) <= set(AUTOLOAD):
        yield Problem.at(
            host.location, f"{host.name} has no modules, so nobody can log in",
            "add 'modules_enabled: [roster, saslauth, tls, disco]' for it or at the top level",
        )
    if "vcard" in modules and "vcard_legacy" in modules:
        yield Problem.at(
            host.location, f"{host.name} has both vcard and vcard_legacy", "remove vcard"
        )


def _registration(config: Config, host: HostConfig) -> Iterator[Problem]:
    """Warn of accounts for everybody, without any limit."""
    if not _on(config, host.name, "allow_registration", False):
        return
    if not {"register", "register_ibr"} & set(modules_for(config, host.name)):
        return
    if any(config.get(host.name, limit) for limit in _REGISTRATION_LIMITS):
        return
    yield Problem.at(
        config.location(host.name, "allow_registration"),
        f"anybody can make any number of accounts on {host.name}",
        "set min_seconds_between_registrations, or registration_invite_only",
        WARNING,
    )


def _encryption(
    config: Config, host: HostConfig, find_certificate: CertificateFinder | None
) -> Iterator[Problem]:
    """Find hosts that demand TLS and cannot offer it."""
    if not _on(config, host.name, "c2s_require_encryption", True):
        return
    place = config.location(host.name, "c2s_require_encryption") or host.location
    modules = modules_for(config, host.name)
    if "c2s" in modules and "tls" not in modules and not config.get(
        host.name, "c2s_direct_tls_ports"
    ):
        yield Problem.at(
            place, f"{host.name} requires encryption, but the module tls is not enabled",
            "add tls to modules_enabled",
        )
    elif find_certificate and "c2s" in modules and not find_certificate(host.name):
        yield Problem.at(
            place, f"{host.name} requires encryption, but no certificate for it was found",
            f"put {host.name}.crt and {host.name}.key into the folder of the option certificates",
        )


def _on(config: Config, host: str, name: str, default: bool) -> bool:
    """Read a boolean; a wrong value counts as the default, it is reported elsewhere."""
    value = config.get(host, name)
    try:
        return default if value is None else boolean(value)
    except Wrong:
        return default
