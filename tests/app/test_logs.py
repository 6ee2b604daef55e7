"""The log: a line says which module and which session it is about."""

import json
import logging

from prosody_py.app.logs import JsonFormatter, TextFormatter


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
