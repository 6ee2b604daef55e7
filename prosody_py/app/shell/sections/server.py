"""`server ...` and `help`: the process as a whole."""

from __future__ import annotations

import gc
import os
import time
from itertools import groupby

import gevent

from prosody_py.api.commands import CommandError, Section, Table
from prosody_py.xmpp.builders import message

SECTION = Section("server", "The server as a whole")
_GIVE_TIME = 0.1  # seconds for the answer to reach the one who asked for the end


@SECTION.command("version")
def version(call):
    """Show the server's version."""
    return call.server.version


@SECTION.command("uptime")
def uptime(call):
    """Show how long the server has been running."""
    return duration(time.time() - call.server.start_time)


@SECTION.command("status")
def status(call):
    """Show version, uptime, hosts, ports, connections, and modules with errors."""
    server = call.server
    rows = [("version", server.version), ("process", os.getpid()),
            ("uptime", duration(time.time() - server.start_time)),
            ("configuration", os.path.abspath(server.config.file))]
    rows += [("host", f"{host.host} ({host.type}, {len(host.modules)} modules)")
             for host in server.hosts.values()]
    rows += [("port", f"{port.service} {port.interface} {port.port}")
             for port in server.ports.open.values()]
    c2s = server.modules.get_module("*", "c2s")
    rows.append(("connections", len(c2s.listener.sessions) if c2s is not None else 0))
    rows.append(("users online", len(server.bare_sessions)))
    for module in all_modules(server):
        if module.errors or module.status_type == "error":
            told = module.status_message or f"last in {module.last_error}"
            rows.append(("module with errors", f"{module}: {module.errors} errors, {told}"))
    return Table(("what", "value"), rows)


@SECTION.command("memory")
def memory(call):
    """Show the memory that the process uses."""
    with open("/proc/self/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if line.startswith("Vm"))
    rows = [("resident", fields.get("VmRSS", "?").strip()),
            ("most so far", fields.get("VmHWM", "?").strip()),
            ("tracked objects", len(gc.get_objects())),
            ("sessions", len(call.server.full_sessions))]
    return Table(("what", "value"), rows)


@SECTION.command("shutdown", "reason:string?", "code:integer?", "delay:integer?")
def shutdown(call, reason, code, delay):
    """Stop the server in good order, after so many seconds; clients are told the reason.

    With a delay, everybody who is online is told before.
    """
    server = call.server
    told = reason or "the administrator stops the server"
    gevent.spawn_later(max(_GIVE_TIME, delay or 0), server.shutdown, told, code or 0)
    if not delay:
        return "The server is shutting down"
    if reason:
        for jid, session in list(server.full_sessions.items()):
            session.send(message({"from": session.host, "to": jid, "type": "headline"}, reason))
    return f"The server is shutting down in {delay} seconds"


def help_text(call, words: str | None) -> str:
    """List the commands, or say more about one section or command."""
    registry = call.registry
    wanted = (words or "").split()
    commands = [command for name, command in sorted(registry.commands.items())
                if list(name[:len(wanted)]) == wanted]
    if not commands:
        raise CommandError(f"There is no command that begins with {words!r}; 'help' lists them")
    lines: list[str] = []
    for section, group in groupby(commands, key=lambda command: command.words[0]):
        group = list(group)
        lines.append(registry.sections.get(section) or section)
        width = max(len(command.usage) for command in group)
        lines += [f"  {command.usage:<{width}}  {command.help}" for command in group]
    if not wanted:
        lines += ["", "Capitals stand for what you fill in, brackets for what may be left out."]
    return "\n".join(lines)


HELP = Section("", "Help")
HELP.command("help", "words:text?")(help_text)


def all_modules(server) -> list:
    """Return every loaded instance, the server's first."""
    return [module for host in ("*", *server.hosts)
            for module in server.modules.get_modules(host).values()]


def duration(seconds: float) -> str:
    """Return a length of time in words, such as "2 days 3 hours"."""
    seconds = int(seconds)
    parts = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count or (name == "second" and not parts):
            parts.append(f"{count} {name}" + ("" if count == 1 else "s"))
    return " ".join(parts[:2])
