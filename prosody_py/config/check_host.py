"""Find what one host of a configuration lacks, and what on it contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prosody_py.config.config import GLOBAL, Config, HostConfig
from prosody_py.config.hosts import AUTOLOAD, modules_for, names
from prosody_py.config.problems import WARNING, Location, Problem
from prosody_py.config.values import Wrong, boolean
from prosody_py.xmpp import jid

ModuleFinder = Callable[[str], bool]
"""Says whether a file for the module of this name exists."""

CertificateFinder = Callable[[str], bool]
"""Says whether a host has a certificate that can be used."""

OWN = "component_module"  # set by the loader, not by the operator
_LOGINS = {"saslauth", "sasl2", "legacyauth"}
_REGISTRATION_LIMITS = (
    "min_seconds_between_registrations", "registration_throttle_max", "registration_invite_only",
    "allowlist_registration_only",
)


def check_host(config: Config, host: HostConfig, find_module: ModuleFinder | None,
               find_certificate: CertificateFinder | None) -> Iterator[Problem]:
    """Yield what is wrong with one host that is served."""
    yield from _admins(config, host)
    if any(isinstance(config.get(section, "modules_enabled"), dict)
           for section in (GLOBAL, host.name)):
        return  # reported as a wrong value; what the host lacks is not known
    yield from _modules_of(config, host, find_module)
    if host.component_module is None:
        yield from _login(config, host)
        yield from _registration(config, host)
        yield from _encryption(config, host, find_certificate)


def _admins(config: Config, host: HostConfig) -> Iterator[Problem]:
    """Find administrators who are nobody here."""
    section = host.name if config.is_set(host.name, "admins") else GLOBAL
    value = config.get(section, "admins")
    for index, entry in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(entry, str):
            continue  # not set, or reported as a wrong value
        place = config.location(section, "admins", index)
        node, domain, _resource = jid.prepped_split(entry)
        if node is None:
            yield Problem.at(place, f"admins: {entry!r} is not the address of an account",
                             "write it like alice@example.com")
        elif config.host(domain) is None:
            yield Problem.at(place, f"admins: {domain} in {entry} is not a host of this server",
                             "an administrator needs an account here", WARNING)


def _login(config: Config, host: HostConfig) -> Iterator[Problem]:
    modules = set(modules_for(config, host.name))
    if "c2s" in modules and not modules <= set(AUTOLOAD) and not modules & _LOGINS:
        yield Problem.at(host.location, f"nobody can log in to {host.name}: neither saslauth nor "
                         "sasl2 is enabled", "add saslauth to modules_enabled", WARNING)


def no_module(name: str, place: Location) -> Problem:
    """Return what to say of a module that is nowhere."""
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
        place = config.location(host.name, OWN)
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
            yield no_module(own, place)
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
