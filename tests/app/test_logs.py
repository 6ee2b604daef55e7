"""The log: a line says which module and which session it is about."""

import json
import logging
import socket

import pytest

from prosody_py.app import logs
from prosody_py.app.errors import StartupError
from prosody_py.app.logs import JsonFormatter, TextFormatter
from prosody_py.config.load import load_mapping


def lines_of(start_server, tmp_path, form):
    log = tmp_path / "server.log"
    server = start_server(log={"level": "info", "format": form, "to": str(log)})
    server.client("alice")
    return [line for line in log.read_text().splitlines() if "Authenticated as alice" in line]


def test_a_line_names_the_module_and_the_session(start_server, tmp_path):
    (line,) = lines_of(start_server, tmp_path, "text")
    assert " mod_saslauth c2s" in line and " info " in line


def test_a_json_line_has_the_same_as_fields(start_server, tmp_path):
    entry = json.loads(lines_of(start_server, tmp_path, "json")[0])
    assert entry["source"] == "mod_saslauth" and entry["session"].startswith("c2s")
    assert entry["level"] == "info" and isinstance(entry["time"], float)


def test_what_a_peer_sends_cannot_forge_a_line():
    record = logging.makeLogRecord({"msg": "bad %s", "args": ("x\r\nNov 22 error \x1b[31m",),
                                    "name": "session", "module": "mod_c2s"})
    text = TextFormatter().format(record)
    assert "\r" not in text and "\x1b" not in text
    assert all(line.startswith("    ") for line in text.splitlines()[1:])
    assert json.loads(JsonFormatter().format(record))["message"].startswith("bad x\r\n")


def test_a_syslog_that_nobody_has_is_told_and_one_that_goes_loses_no_line(
        tmp_path, monkeypatch, capsys):
    path = tmp_path / "log"
    monkeypatch.setattr(logs, "_DEV_LOG", str(path))
    config = load_mapping({"log": {"to": "syslog"}, "hosts": {"localhost": {}}})
    with pytest.raises(StartupError, match=f"no syslog service listens on {path}"):
        logs.set_up(config, str(tmp_path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(path))
        try:
            logs.set_up(config, str(tmp_path))
            logging.getLogger("test").info("first")
            assert b"first" in syslog.recv(1000)
            syslog.close()
            path.unlink()
            logging.getLogger("test").info("second")
        finally:
            logs.take_down()
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("second")
