"""Values that the server cannot work with: with one of them it neither starts nor reloads."""

from __future__ import annotations

from collections.abc import Iterator

from prosody_py.api.role_definitions import RoleOptions
from prosody_py.app.checks.modules import KnownModules
from prosody_py.app.options import RunOptions
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.hosts import modules_for
from prosody_py.config.options import Options, problem_of
from prosody_py.config.problems import ConfigError, Problem
from prosody_py.config.schema import GlobalOptions, HostOptions
from prosody_py.net import outgoing
from prosody_py.net.tls.settings import TlsOptionError, parse


def mistakes(config: Config, known: KnownModules) -> list[Problem]:
    """Return every wrong value of an option that the core or an enabled module declares.

    Names that nobody knows are not among them: they do no harm.
    """
    wanted: dict[tuple[type[Options], str], None] = {
        (options, GLOBAL): None for options in (GlobalOptions, RunOptions, *outgoing.OPTIONS)}
    for host in config.hosts:
        if not host.enabled:
            continue
        wanted[HostOptions, host.name] = wanted[RoleOptions, host.name] = None
        for name in modules_for(config, host.name):
            file = known.files.get(name)
            if file is not None and file.config is not None:
                wanted[file.config, GLOBAL if file.is_global else host.name] = None
    problems: dict[Problem, None] = {}
    for options, section in wanted:
        try:
            options.read(config, section)
        except ConfigError as error:
            problems.update(dict.fromkeys(error.problems))
    for option in known.schema.of_services():
        if config.is_set(GLOBAL, option.name):
            problems.update((problem_of(error, option, config, GLOBAL), None)
                            for error in option.errors(config.get(GLOBAL, option.name)))
    for section in config.sections:
        problems.update(dict.fromkeys(_tls(config, section)))
    return list(problems)


def _tls(config: Config, section: str) -> Iterator[Problem]:
    settings = config.get(section, "ssl") if config.is_set(section, "ssl") else None
    if isinstance(settings, dict):
        try:
            parse({key: value for key, value in settings.items() if value not in (None, "")})
        except TlsOptionError as error:
            yield Problem.at(config.location(section, "ssl"), str(error))
