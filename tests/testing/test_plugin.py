"""The plugin for pytest: its fixtures start what the marks say, and end it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = "prosody_py.testing.plugin"
PYTHON = """
from prosody_py.api import Options, iq, stanza, string

class Config(Options):
    word = string("hello", doc="What is said.")

@iq("get", "urn:x", "say")
def say(module, event):
    return stanza.stanza("say", xmlns="urn:x").text(module.options.word)
"""
LUA = """
local st = require "util.stanza";
module:hook("iq-get/host/urn:y:say", function (event)
    local word = module:get_option_string("word", "hello");
    event.origin.send(st.reply(event.stanza):tag("say", { xmlns = "urn:y" }):text(word));
    return true;
end);
"""
TESTS = """
import os
import pytest

pytestmark = pytest.mark.prosody("python", word="moin")


def said(client, xmlns):
    return client.iq("get", f"<say xmlns='{xmlns}'/>", to=client.host).tags[0].get_text()


def test_module_of_the_file(client):
    assert said(client, "urn:x") == "moin" and client.jid.startswith("alice@localhost/")


@pytest.mark.prosody("lua", word="servus", lua_runtime="luajit21")
def test_modules_add_up_and_the_nearest_option_counts(client, prosody):
    assert said(client, "urn:x") == said(client, "urn:y") == "servus"
    assert prosody.server.lua.kind == "luajit21"


@pytest.mark.prosody(hosts={"example.com": {}})
class TestHosts:
    @pytest.mark.prosody("lua")
    def test_the_first_host_is_taken(self, clients):
        alice, bob = clients("alice", "bob")
        assert alice.host == bob.host == "example.com" and alice.jid != bob.jid
        assert said(alice, "urn:y") == "moin"


@pytest.mark.prosody("more", plugin_paths=["further"])
def test_paths_begin_in_the_folder_of_the_test(prosody):
    assert prosody.server.modules.is_loaded("localhost", "more")


def test_several_servers(start_prosody, prosody):
    other = start_prosody("lua", word="other")
    assert said(other.client("alice"), "urn:y") == "other"
    assert said(prosody.client("alice"), "urn:x") == "moin"
    assert other.address() != prosody.address()


@pytest.mark.prosody("broken")
def test_broken(prosody):
    pass


@pytest.mark.prosody("nowhere")
def test_nowhere(client):
    pass
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What pytest says of a file of tests that use the fixtures."""
    folder = tmp_path_factory.mktemp("tests")
    (folder / "further").mkdir()
    for name, text in (("mod_python.py", PYTHON), ("mod_lua.lua", LUA), ("test_it.py", TESTS),
                       ("mod_broken.lua", "\nerror('oh no')"), ("further/mod_more.py", "")):
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", PLUGIN,
         "--strict-markers", "--show-capture=no", str(folder)], cwd=folder, capture_output=True,
        text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", re.findall(r"def (test_\w+)", TESTS))
def test_the_fixtures_do_as_told(outcome, name):
    wanted = "ERROR" if name in ("test_broken", "test_nowhere") else "PASSED"
    assert re.search(rf"::{name} {wanted}", outcome), outcome


def test_a_module_that_is_not_loaded_fails_the_test_and_says_why(outcome):
    assert "mod_broken could not be loaded on localhost: " in outcome
    assert "mod_broken.lua:2: oh no" in outcome and "There is no module mod_nowhere" in outcome


def test_the_plugin_costs_nothing_until_it_is_used():
    code = (f"import sys, {PLUGIN}\n"
            "assert not {'gevent', 'lupa', 'OpenSSL', 'prosody_py.app'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20, cwd=ROOT)


def test_the_entry_point_is_named_like_the_file():
    """So that pytest -p and an installation together load it once."""
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert f'"pytest11": ["{PLUGIN} = {PLUGIN}"]' in text
