"""Run a server in the foreground until a signal ends it."""

from __future__ import annotations

import logging
import signal

import gevent
from gevent.event import Event as Flag

from prosody_py.app import logs
from prosody_py.app.startup import activate_hosts, assemble
from prosody_py.config.load import load
from prosody_py.events.bus import Event
from prosody_py.hosts.server import Server

log = logging.getLogger("prosody-py")


def start(path: str) -> Server:
    """Return a server that serves; raises ConfigError and StartupError."""
    config = load(path)
    logs.set_up(config, config.directory)
    server = assemble(config)
    server.events.fire_event("server-starting")
    activate_hosts(server)
    server.ports.start()
    server.mark_started()
    log.info("prosody-py %s serves %s", server.version, ", ".join(server.hosts) or "no host")
    return server


def stop(server: Server, reason: str) -> None:
    """Say good-bye to everybody, write what waits, close everything."""
    if server.stopping:
        return
    server.stopping = True
    log.info("Stopping: %s", reason)
    server.ports.close()
    server.events.fire_event("server-stopping", Event(reason=reason, code=0))
    server.events.fire_event("server-cleanup")
    server.events.fire_event("server-stopped")


def run(path: str) -> None:
    """Start the server and wait for SIGTERM or SIGINT."""
    server = start(path)
    ended = Flag()
    reasons: list[str] = []

    def end(name: str) -> None:
        reasons.append(f"received {name}")
        ended.set()

    for name in ("SIGTERM", "SIGINT"):
        gevent.signal_handler(getattr(signal, name), end, name)
    ended.wait()
    stop(server, reasons[0])
