"""Run a server in the foreground until a signal ends it."""

from __future__ import annotations

import logging
import math
import signal
from collections.abc import Iterable

import gevent
from gevent import get_hub
from gevent.event import Event as Flag

from prosody_py.api import measures
from prosody_py.api.timing import stop_timers
from prosody_py.app import logs, places, process
from prosody_py.app.errors import StartupError
from prosody_py.app.options import RunOptions
from prosody_py.app.reload import reload_config
from prosody_py.app.shell.address import answers
from prosody_py.app.shell.sections import SECTIONS
from prosody_py.app.stalls import StallWatch
from prosody_py.app.startup import activate_hosts, assemble, load_module
from prosody_py.app.systemd import Notifier
from prosody_py.concurrency import workers
from prosody_py.concurrency.timer import Timer
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.hosts import names
from prosody_py.config.load import load
from prosody_py.config.problems import ConfigError
from prosody_py.events.bus import Event
from prosody_py.hosts.server import Server

log = logging.getLogger("prosody-py")
ADMIN_MODULE = "admin_shell"
PATIENCE = 3  # seconds that requests which are under way may take to end when the server stops


def start(path: str) -> Server:
    """Return a server that serves; raises ConfigError and StartupError."""
    config = load(path)
    logs.set_up(config, config.directory)
    return start_with(config)


def start_with(config: Config, administered: bool = False) -> Server:
    """Return a server that serves; `administered` gives it the admin socket and shell."""
    server = assemble(config)
    server.not_its_workers = workers.under_way()  # of another server in this process
    server.shutdown = lambda reason=None, code=0: stop(server, reason or "asked to", code)
    server.reload_config = lambda: reload_config(server)
    server.command_sections = SECTIONS
    server.events.fire_event("server-starting")
    activate_hosts(server)
    server.events.fire_event("hosts-activated", {
        section: {name: setting.value for name, setting in settings.items()}
        for section, settings in config.sections.items()})
    if administered and ADMIN_MODULE not in names(config, GLOBAL, "modules_disabled"):
        load_module(server, GLOBAL, ADMIN_MODULE)
    server.ports.start()
    server.mark_started()
    collect_regularly(server)
    log.info("prosody-py %s serves %s", server.version, ", ".join(server.hosts) or "no host")
    return server


def collect_regularly(server: Server) -> None:
    """Ask for the numbers that modules report only now and then, as long as the server runs."""
    interval = RunOptions.read(server.config, GLOBAL).statistics_interval
    if interval == math.inf:
        return

    def collect(_now: float) -> float:
        measures.collect(server)
        return interval

    timer = Timer(interval, collect)
    server.events.add_handler("server-cleanup", lambda _event: timer.stop())


def stop(server: Server, reason: str, code: int = 0) -> None:
    """Say good-bye to everybody, write what waits, close everything."""
    if server.stopping:
        return
    server.stopping = True
    server.shutdown_reason, server.shutdown_code = reason, code
    log.info("Stopping: %s", reason)
    server.ports.close()
    server.events.fire_event("server-stopping", Event(reason=reason, code=code))
    for host in (GLOBAL, *server.hosts):
        stop_timers(server.modules.get_modules(host).values())
    left = workers.settle(PATIENCE, server.not_its_workers)
    if left:
        log.warning("Stopping, though %d requests are still under way", left)
    server.events.fire_event("server-cleanup")
    server.events.fire_event("server-stopped")


def serve(config: Config, remarks: Iterable[str] = ()) -> int:
    """Be the server until a signal or the shell ends it; return the exit code.

    `remarks` on the configuration go to the log as warnings. Raises ConfigError and StartupError
    for what the operator has to put right.
    """
    process.refuse_root(config)
    process.set_umask(config)
    logs.set_up(config, config.directory)
    for remark in remarks:
        log.warning("%s", remark)
    process.raise_file_limit()
    if answers(places.admin_socket(config)):
        raise StartupError("A server with this data folder runs already: it answers at "
                           f"{places.admin_socket(config)}. 'prosody-py status' shows it.")
    path = places.pidfile(config)
    pidfile = process.PidFile(path) if path else None
    try:
        return _Serving(config).run()
    finally:
        if pidfile is not None:
            pidfile.remove()


class _Serving:
    """One run of the server: what signals and the service manager have to do with it."""

    def __init__(self, config: Config):
        self.config = config
        self.notifier = Notifier()
        self.ended = Flag()
        self.reason, self.code = "", 0
        self.watchers: list = []

    def run(self) -> int:
        """Start, serve, stop."""
        get_hub().print_exception = _log_exception
        server = self.server = start_with(self.config, administered=True)
        server.shutdown, server.reload_config = self.end, self.reload
        if not server.ports.open:
            stop(server, "no port is open", 1)
            raise StartupError("Nothing can be reached: no port could be opened. The log says "
                               "why, above.")
        self._listen_to_signals()
        self._say_ready()
        stalls = StallWatch()
        self.ended.wait()
        stalls.stop()
        self.notifier.stopping()
        self._die_at_the_next_signal()
        stop(server, self.reason, self.code)
        log.info("Stopped")
        return self.code

    def end(self, reason: str | None = None, code: int = 0) -> None:
        """Stop the server, in good order."""
        self.reason, self.code = reason or "asked to", code or 0
        self.ended.set()

    def reload(self):
        """Read the configuration anew; return the report (see prosody_py.app.reload)."""
        self.notifier.reloading()
        try:
            return reload_config(self.server)
        finally:
            self._say_ready()

    def _say_ready(self) -> None:
        ports = listening(self.server)
        log.info("Ready: listens on %s", ports)
        self.notifier.ready(f"Serves {', '.join(self.server.hosts)} on {ports}")

    def _listen_to_signals(self) -> None:
        for name in ("SIGTERM", "SIGINT"):
            self._watch(name, self.end, "received " + name)
        self._watch("SIGHUP", self._hang_up)
        for name in ("SIGUSR1", "SIGUSR2"):
            self._watch(name, self.server.events.fire_event, "signal/" + name)

    def _watch(self, name: str, function, *args) -> None:
        self.watchers.append(gevent.signal_handler(getattr(signal, name), function, *args))

    def _hang_up(self) -> None:
        log.info("Received SIGHUP: reading the configuration anew")
        try:
            self.reload()
        except ConfigError as error:
            # What is wrong is in the log already.
            log.error("The configuration was not reloaded: %d problems", len(error.problems))
        except StartupError as error:
            log.error("%s", error)

    def _die_at_the_next_signal(self) -> None:
        for watcher in self.watchers:
            watcher.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)


def listening(server: Server) -> str:
    """Return where the server can be reached, such as "c2s 0.0.0.0:5222, [::]:5222"."""
    services: dict[str, list[str]] = {}
    for port in server.ports.open.values():
        address = f"[{port.interface}]" if ":" in port.interface else port.interface
        services.setdefault(port.service, []).append(f"{address}:{port.port}")
    return "; ".join(f"{name} {', '.join(places)}" for name, places in services.items())


def _log_exception(context, kind, value, traceback) -> None:
    """Put the error of a greenlet that nobody waits for into the log."""
    if kind is not None and issubclass(kind, gevent.GreenletExit):
        return
    log.error("Error in %s", context, exc_info=(kind, value, traceback))
