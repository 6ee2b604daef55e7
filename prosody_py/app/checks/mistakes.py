"""Values that the server cannot work with: with one of them it neither starts nor reloads."""

from __future__ import annotations

from prosody_py.api.role_definitions import RoleOptions
from prosody_py.app.checks.modules import KnownModules
from prosody_py.app.options import RunOptions
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.hosts import modules_for
from prosody_py.config.options import Options
from prosody_py.config.problems import ConfigError, Problem
from prosody_py.config.schema import GlobalOptions, HostOptions
from prosody_py.net import outgoing


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
    return list(problems)
