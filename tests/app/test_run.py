"""`prosody-py run`: a process that starts, serves, and ends in good order."""

import os
import signal
import socket
import time

import pytest

from prosody_py.app import logs
from prosody_py.app.main import main

OFFLINE = "<message to='bob@localhost' type='chat'><body>kept</body></message>"


def test_sigterm_says_goodbye_and_keeps_what_was_accepted(install):
    server = install(pidfile="server.pid")
    server.account("alice")
    server.account("bob")
    server.start()
    pid = (server.folder / "server.pid").read_text()
    assert pid == f"{server.process.pid}\n"
    alice = server.client("alice").available()
    alice.send(OFFLINE)
    alice.flush()
    server.kill(signal.SIGTERM)
    assert alice.closed_with() == "system-shutdown"
    alice.sock.close()
    assert server.end() == 0
    assert not (server.folder / "server.pid").exists()
    assert not (server.folder / "data" / "prosody-py.sock").exists()

    server.start()
    bob = server.client("bob")
    bob.send("<presence/>")
    assert bob.message(timeout=5).get_child_text("body") == "kept"
    bob.close()
    assert server.stop(signal.SIGINT) == 0


def test_a_second_signal_ends_at_once(install):
    server = install()
    plugin = server.folder / "plugins" / "mod_dawdle.py"
    plugin.parent.mkdir()
    plugin.write_text("import gevent\nfrom prosody_py.api import hook\n\n"
                      "@hook('server-stopping', on='global')\n"
                      "def wait(module, event):\n    gevent.sleep(60)\n")
    server.write(plugin_paths=["plugins"], modules_enabled=["saslauth", "dawdle"])
    server.start()
    server.kill(signal.SIGTERM)
    server.wait_for("Stopping:")
    began = time.monotonic()
    assert server.stop(signal.SIGTERM) == -signal.SIGTERM
    assert time.monotonic() - began < 5


def test_signals_for_modules_are_events(install):
    server = install()
    plugin = server.folder / "plugins" / "mod_hears.lua"
    plugin.parent.mkdir()
    plugin.write_text("module:set_global();\nfor _, name in ipairs { 'SIGUSR1', 'SIGUSR2' } do\n"
                      "module:hook('signal/' .. name, function (event)\n"
                      "module:log('info', 'Heard %s', name); end); end\n")
    server.write(plugin_paths=["plugins"], modules_enabled=["saslauth", "hears"])
    server.start()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        server.kill(number)
        server.wait_for(f"Heard {number.name}")
    assert server.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(("options", "told"), [
    ({"c2s_timeout": "banana"}, "prosody.cfg.yaml:4:1: c2s_timeout: expected a period"),
    ({"log": {"to": "missing/log"}}, "missing/log: No such file"),
    ({"ssl": {"ciphers": "NONSENSE"}}, ": ssl: ciphers: OpenSSL knows none of"),
    ({"data_path": "prosody.cfg.yaml"}, "prosody.cfg.yaml: File exists"),
    pytest.param({"run_as_root": None}, "does not run as root", marks=pytest.mark.skipif(
        os.geteuid() != 0, reason="only root can be refused")),
])
def test_mistakes_are_told_in_a_line(install, umask, capsys, options, told):
    try:
        assert main(["--config", str(install(**options).file), "run"]) == 1
    finally:
        logs.take_down()
    assert told in capsys.readouterr().err


def test_a_server_that_nobody_can_reach_ends(install):
    done = install(hosts={}).run("run")
    assert done.returncode == 1
    assert "no port could be opened" in done.stderr and "Traceback" not in done.output


def test_a_missing_configuration_is_named(capsys):
    assert main(["--config", "nowhere.yaml", "run"]) == 1
    assert "nowhere.yaml" in capsys.readouterr().err


def test_the_service_manager_hears_ready_reloading_watchdog_and_stopping(install, tmp_path):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = f"\0prosody-py-test-{os.getpid()}"
    manager.bind(address)
    manager.settimeout(20)
    server = install()
    server.start(NOTIFY_SOCKET="@" + address[1:], WATCHDOG_USEC="100000")

    def next_message(wanted):
        while wanted not in (message := manager.recv(4096).decode()).split("\n"):
            pass
        return message

    assert "STATUS=Serves localhost on c2s 127.0.0.1:" in next_message("READY=1")
    next_message("WATCHDOG=1")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.kill(signal.SIGHUP)
    lines = dict(line.split("=", 1) for line in next_message("RELOADING=1").split("\n"))
    assert int(lines["MONOTONIC_USEC"]) >= before
    next_message("READY=1")
    server.kill(signal.SIGTERM)
    next_message("STOPPING=1")
    assert server.end() == 0
    manager.close()
