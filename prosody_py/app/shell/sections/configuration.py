"""`config ...`: the configuration that is in force."""

from __future__ import annotations

from prosody_py.api.commands import SECRET, CommandError, Section
from prosody_py.app.errors import StartupError
from prosody_py.config.values import is_secret_name

SECTION = Section("config", "The configuration")


@SECTION.command("get", "option:string", "host:host?", everywhere=True)
def get(call, option, host):
    """Show the value of an option, for one host or at the top level, and where it is set."""
    config, section = call.server.config, host or "*"
    if host is not None and config.host(host) is None:
        raise CommandError(f"{host} is not in the configuration")
    value = config.get(section, option)
    if value is None:
        return f"{option} is not set"
    hidden = config.is_secret(section, option) or is_secret_name(option)
    return f"{option}: {SECRET if hidden else value!r} ({config.location(section, option)})"


@SECTION.command("reload")
def reload(call):
    """Read the configuration file anew and apply what has changed."""
    try:
        report = call.server.reload_config()
    except StartupError as error:
        raise CommandError(str(error)) from None
    call.print(str(report))
    if report.failed:
        steps = "1 step" if len(report.failed) == 1 else f"{len(report.failed)} steps"
        raise CommandError(f"{steps} failed; the rest is applied")
    return ""
