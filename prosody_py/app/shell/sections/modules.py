"""`module ...`: load, unload and reload modules while the server runs."""

from __future__ import annotations

from collections.abc import Callable

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.api.errors import LoadError
from prosody_py.app.shell.sections.server import all_modules
from prosody_py.loader.find import available

# What a module does it does to the whole server: so loading one is not for a host's administrators.
SECTION = Section("module", "Modules")
GLOBAL = "*"


@SECTION.command("list", "host:host?")
def list_modules(call, host):
    """List the loaded modules, of one host or of all, with what they have cost so far.

    Times of Python modules are there with the option measure_modules.
    """
    if host is not None:
        _known(call.server, host)
    server = call.server
    rows = [(module.host, module.name, module.code.language, *_effort(server, module),
             _state(module)) for module in all_modules(server) if host in (None, module.host)]
    rows += [(where, name, "", "", "", "", "", f"switched off: {reason}")
             for (where, name), reason in server.modules.switched_off.reasons.items()
             if host in (None, where)]
    if server.lua is not None:
        call.print(f"Lua ({server.lua.kind}) holds {server.lua.memory() / 2**20:.1f} MB, for all "
                   "modules together")
    return Table(("host", "module", "language", "calls", "errors", "mean ms", "worst ms", "state"),
                 sorted(rows))


def _effort(server, module) -> tuple:
    """Return calls, errors, and times; no calls of what is not measured."""
    effort = module.effort
    if module.code.language == "lua" or server.measuring:
        times = (f"{effort.mean * 1000:.3f}", f"{effort.worst * 1000:.3f}") if effort.calls else (
            "", "")
        return effort.calls, effort.errors, *times
    return "", effort.errors, "", ""


def _state(module) -> str:
    if module.errors:
        errors = "1 error" if module.errors == 1 else f"{module.errors} errors"
        return f"{errors}, last in {module.last_error}"
    if module.status_message:
        return f"{module.status_type}: {module.status_message}"
    return "ok"


@SECTION.command("info", "name:module")
def info(call, name):
    """Show everything about a module: its file, where it is loaded, what it needs and offers."""
    modules = call.server.modules
    source = modules.find(name)
    rows = [("file", source.path), ("language", source.language)]
    for module in all_modules(call.server):
        if module.name != name:
            continue
        rows.append(("loaded on", f"{module.host} ({_state(module)})"))
        rows += [("  needs", other) for other in module.dependencies]
        rows += [("  offers", f"{key}: {len(items)}") for key, items in module.items.items()]
    if len(rows) == 2:
        rows.append(("loaded on", "no host"))
    return Table(("what", "value"), rows)


@SECTION.command("available")
def list_available(call):
    """List the modules whose file can be found, loaded or not."""
    loaded = {module.name for module in all_modules(call.server)}
    rows = [(name, source.language, "yes" if name in loaded else "no", source.path)
            for name, source in sorted(available(call.server.modules.folders).items())]
    return Table(("module", "language", "loaded", "file"), rows)


@SECTION.command("load", "name:module", "host:host?", everywhere=True)
def load(call, name, host):
    """Load a module, on one host or on all hosts with accounts."""
    server = call.server
    call.server.modules.find(name)
    hosts = [_known(server, host)] if host else [
        one.host for one in server.hosts.values() if one.type == "local"]
    return _each(call, f"Loaded {name}", hosts, lambda where: server.modules.load(where, name))


@SECTION.command("unload", "name:module", "host:host?", everywhere=True)
def unload(call, name, host):
    """Unload a module, from one host or from everywhere."""
    server = call.server
    hosts = [_known(server, host)] if host else _places(server, name)
    return _each(call, f"Unloaded {name}", hosts,
                 lambda where: server.modules.unload(where, name))


@SECTION.command("reload", "name:module", "host:host?", everywhere=True)
def reload(call, name, host):
    """Put a fresh instance of a module in service, on one host or everywhere."""
    server = call.server
    hosts = [_known(server, host)] if host else _places(server, name)
    return _each(call, f"Reloaded {name}", hosts,
                 lambda where: server.modules.reload(where, name))


def _known(server, host: str) -> str:
    if host not in server.hosts:
        raise CommandError(f"{host} is not a host of this server; 'host list' lists them")
    return host


def _places(server, name: str) -> list[str]:
    """Return where a module is loaded; "*" stands for all of a global module's instances."""
    if server.modules.is_loaded(GLOBAL, name):
        return [GLOBAL]
    places = [host for host in server.hosts if server.modules.is_loaded(host, name)]
    if not places:
        raise LoadError(f"mod_{name} is not loaded on any host", "module-not-loaded")
    return places


def _each(call, done: str, hosts: list[str], step: Callable[[str], object]) -> str:
    """Do a step for each host; what fails on one does not keep it from the others."""
    if not hosts:
        raise CommandError("There is no host for it")
    failed = 0
    for host in hosts:
        where = "for all hosts" if host == GLOBAL else f"on {host}"
        try:
            step(host)
            call.print(f"{done} {where}")
        except LoadError as error:
            if error.code == "global-module-already-loaded" and len(hosts) > 1:
                continue
            if len(hosts) == 1:
                raise CommandError(str(error)) from None
            failed += 1
            call.print(str(error))
    if failed:
        raise CommandError(f"{failed} of {len(hosts)} failed")
    return ""
