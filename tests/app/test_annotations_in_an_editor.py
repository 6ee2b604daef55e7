"""A language server reads the annotations: it finds mistakes in a module and nothing else.

With EmmyLua's `emmylua_ls` in PATH; the annotations are in the format of the Lua language server,
which it reads too.
"""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
import time

import pytest

from prosody_py.app.main import main

SERVER = shutil.which("emmylua_ls")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    SERVER is None, reason="no emmylua_ls in PATH, so nobody can read the annotations")]

GOOD = """
local st = require "util.stanza";
local array = require "util.array";
local limit = module:get_option_number("limit", 5);
local names = module:get_option_set("names", {});

function module.load() module._log("debug", "%d names", #array.collect(names:items())); end

module:hook("presence/initial", function (event)
	local session = event.origin;
	session.greeted = (session.greeted or 0) + 1;
	if session.type ~= "c2s" or session.greeted > limit then return; end
	session.send(st.message({ to = session.full_jid }, array({ "a", "b" }):concat(" ")));
end, 10);
module:add_timer(60, function () return limit + 1; end);
"""
WRONG = """
local st = require "util.stanza";

module:hook("presence/initial", function (event)
	event.origin.send(st.mesage({ to = event.origin.full_jid }, "x"));
	module:lgo("info", "x");
end);
module:add_timer("soon", function () end);
"""
MISTAKES = [(4, "undefined-field"), (5, "undefined-field"), (7, "param-type-mismatch")]


class Editor:
    """The other end of a language server; answers what it is asked with nothing."""

    def __init__(self, folder):
        self.process = subprocess.Popen([SERVER, "--log-level", "error"], cwd=folder,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.came, self.number = queue.Queue(), 0
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("initialize", {
            "processId": None, "rootUri": folder.as_uri(), "capabilities": {
                "workspace": {"configuration": True}, "textDocument": {"diagnostic": {}}},
            "workspaceFolders": [{"uri": folder.as_uri(), "name": "modules"}]})
        self.tell("initialized", {})

    def _read(self):
        stream = self.process.stdout
        while header := stream.readline().strip():
            while line := stream.readline().strip():
                header = line if line.lower().startswith(b"content-length") else header
            self.came.put(json.loads(stream.read(int(header.partition(b":")[2]))))

    def _send(self, **message):
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self.process.stdin.flush()

    def tell(self, method, params):
        self._send(method=method, params=params)

    def ask(self, method, params):
        self.number += 1
        self._send(id=self.number, method=method, params=params)
        while True:
            message = self.came.get(timeout=120)
            if "method" in message and "id" in message:
                items = message["params"].get("items")
                self._send(id=message["id"], result=items and [None] * len(items))
            elif message.get("id") == self.number:
                return message.get("result")

    def complaints(self, path):
        """Return (line, code) of all but hints."""
        found = self.ask("textDocument/diagnostic", {"textDocument": {"uri": path.as_uri()}})
        return sorted((one["range"]["start"]["line"], one["code"])
                      for one in (found or {}).get("items", []) if one.get("severity", 1) < 4)


@pytest.fixture
def editor(tmp_path):
    made = []

    def start():
        made.append(Editor(tmp_path))
        for path in tmp_path.glob("*.lua"):
            made[0].tell("textDocument/didOpen", {"textDocument": {
                "uri": path.as_uri(), "languageId": "lua", "version": 1,
                "text": path.read_text()}})
        return made[0]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()


def test_mistakes_are_found_and_nothing_else(tmp_path, editor, capsys):
    assert main(["module", "annotations", str(tmp_path)]) == 0
    assert main(["module", "new", "fresh", "--lua", "--folder", str(tmp_path)]) == 0
    (tmp_path / "mod_good.lua").write_text(GOOD)
    (tmp_path / "mod_wrong.lua").write_text(WRONG)
    opened = editor()
    until = time.monotonic() + 120
    while (found := opened.complaints(tmp_path / "mod_wrong.lua")) != MISTAKES:
        assert time.monotonic() < until, found
        time.sleep(0.2)
    assert opened.complaints(tmp_path / "mod_good.lua") == []
    assert opened.complaints(tmp_path / "mod_fresh.lua") == []
