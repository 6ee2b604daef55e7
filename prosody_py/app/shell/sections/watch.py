"""`watch ...`: look on for a while; Ctrl-C ends it."""

from __future__ import annotations

import fnmatch
import logging

from prosody_py.api.commands import CommandError, Section
from prosody_py.app.logs import LEVELS, TextFormatter
from prosody_py.app.shell.watching import Watch, without_secrets
from prosody_py.events import filters
from prosody_py.xmpp import jid as addresses

SECTION = Section("watch", "Look on for a while")


class _ToWatch(logging.Handler):
    """Shows lines of the log."""

    def __init__(self, watch: Watch, level: int, pattern: str | None):
        super().__init__(level)
        self.watch, self.pattern = watch, pattern
        self.setFormatter(TextFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if self.pattern is None or fnmatch.fnmatch(line, f"*{self.pattern}*"):
            self.watch.add(line)


@SECTION.command("log", "level:debug|info|warn|error?", "pattern:string?", "seconds:integer?",
                 everywhere=True, streams=True)
def watch_log(call, level, pattern, seconds):
    """Show the lines of the log from a level on, of those that the option log lets through."""
    watch = Watch(call, seconds)
    handler = _ToWatch(watch, LEVELS[level or "info"], pattern)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        return watch.show()
    finally:
        root.removeHandler(handler)


@SECTION.command("stanzas", "jid:jid", "seconds:integer?", everywhere=True, streams=True)
def watch_stanzas(call, jid, seconds):
    """Show what an account, a full address or all clients of a host send (>) and get (<).

    Passwords and the like are taken out; what people write is not.
    """
    _node, host, resource = addresses.split(jid)
    if host not in call.server.hosts:
        raise CommandError(f"{host} is not a host of this server", "item-not-found")
    watch = Watch(call, seconds)

    def sent(data, session):
        watch.add(f"> {session.full_jid} {without_secrets(str(data))}")
        return data

    def got(data, session):
        text = data if isinstance(data, str) else bytes(data).decode("utf-8", "replace")
        watch.add(f"< {session.full_jid} {without_secrets(text)}")
        return data

    watched: list = []

    def begin(session):
        if session not in watched and (session.full_jid == jid or not resource and jid in (
                session.bare_jid, session.host)):
            watched.append(session)
            filters.add_filter(session, "stanzas/in", sent, 1_000_000)
            filters.add_filter(session, "bytes/out", got, 1_000_000)

    def bound(event):
        begin(event.session)

    events = call.server.hosts[host].events
    events.add_handler("resource-bind", bound, 1_000_000)
    try:
        for session in list(call.server.full_sessions.values()):
            begin(session)
        return watch.show()
    finally:
        events.remove_handler("resource-bind", bound)
        for session in watched:
            filters.remove_filter(session, "stanzas/in", sent)
            filters.remove_filter(session, "bytes/out", got)


@SECTION.command("events", "host:host", "pattern:string?", "seconds:integer?", everywhere=True,
                 streams=True)
def watch_events(call, host, pattern, seconds):
    """Show the events of a host as they are fired; a pattern such as "iq*" picks some."""
    found = call.server.hosts.get(host)
    if found is None:
        raise CommandError(f"{host} is not a host of this server", "item-not-found")
    watch = Watch(call, seconds)

    def wrapper(fire, name, data):
        if pattern is None or fnmatch.fnmatchcase(name, pattern):
            fields = ", ".join(sorted(getattr(data, "__dict__", None) or ()))
            watch.add(f"{name} ({fields})" if fields else name)
        return fire(name, data)

    found.events.add_wrapper(None, wrapper)
    try:
        return watch.show()
    finally:
        found.events.remove_wrapper(None, wrapper)
