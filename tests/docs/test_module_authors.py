"""Every code block of docs/module-authors.md does what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from prosody_py.api.commands import Call, CommandError, Registry
from prosody_py.api.commands.running import run
from prosody_py.events.bus import Event
from prosody_py.lua.runtime import KINDS
from prosody_py.testing import adhoc
from prosody_py.testing.client import Client, wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "module-authors.md").read_text(encoding="utf-8")
MARKED = re.findall(r"^<!-- (\w+)(?: (\S+))? -->\n```\w+\n(.*?)^```$", PAGE,
                    re.DOTALL | re.MULTILINE)
FILES = {name: text for mark, name, text in MARKED if mark == "file"}
STORY = [(mark, text) for mark, _name, text in MARKED if mark != "file"]
EACH = pytest.mark.parametrize(("extension", "runtime"), [
    ("py", KINDS[0]), *(("lua", kind) for kind in KINDS)])


@pytest.fixture
def start(tmp_path, start_server):
    """Return a function that starts a server with modules of the page."""
    def start(*files, runtime=KINDS[0], **options):
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        for file in files:
            (folder / file).write_text(FILES[file], encoding="utf-8")
        names = [file.partition(".")[0].removeprefix("mod_") for file in files]
        running = start_server(names, plugin_paths=[str(folder)], lua_runtime=runtime, **options)
        for file, name in zip(files, names):
            loaded = running.server.modules.get_module("localhost", name)
            assert loaded is not None and loaded.path == str(folder / file)
        return running
    return start


def test_every_block_is_marked_and_there_are_blocks():
    assert len(MARKED) == PAGE.count("\n```") // 2 > 15


# -- five minutes --------------------------------------------------------------------------


def greeting(client):
    return client.iq("get", "<greeting xmlns='urn:example:hello'/>",
                     to="localhost").tags[0].get_text()


@pytest.mark.parametrize("language", ["python", "lua"])
def test_the_five_minutes_go_as_told(shell, language):
    shell.write({"prosody.cfg.yaml": FILES["prosody.cfg.yaml"]})
    client, port, outputs = None, None, []
    for mark, text in STORY:
        if language == "lua":
            text = text.replace("--python", "--lua").replace("hello.py", "hello.lua")
        if mark == "server":
            port = shell.serve(text)
            continue
        done = shell.run(text)
        assert (done.returncode != 0) == (mark == "fails"), done.stdout
        outputs.append(done.stdout)
        if port is not None and client is None:
            client = Client(("127.0.0.1", port)).login("alice", tls=True)
            assert greeting(client) == "Hello"
            assert "alice@localhost/" in shell.log.read_text()
    assert greeting(client) == "Moin"
    assert "2 passed" in outputs[0] and "mod_hello" in outputs[-1]
    [file] = (shell.folder / "plugins").glob("mod_hello.*")
    last = len(file.read_text().splitlines())
    assert f":{last}:" in outputs[-1], outputs[-1]


# -- the modules ---------------------------------------------------------------------------


def visits(client):
    answer = client.iq("get", "<visits xmlns='urn:example:visits'/>", to="localhost")
    return answer.tags[0].attr["count"]


@EACH
def test_visits_are_counted_across_a_reload(start, extension, runtime, caplog):
    running = start(f"mod_visits.{extension}", runtime=runtime)
    alice = running.client("alice")
    running.client("bob")
    assert visits(alice) == "2"
    running.server.modules.reload("localhost", "visits")
    running.client("carol")
    assert visits(alice) == "3"
    assert "Counted up to 2" in caplog.text


@EACH
def test_messages_that_speak_of_casinos_are_refused(start, extension, runtime):
    running = start(f"mod_nocasino.{extension}", runtime=runtime)
    alice, bob = running.client("alice").available(), running.client("bob").available()
    for to in (bob.jid, bob.bare_jid):
        alice.send(f"<message to='{to}' type='chat'><body>Visit my casino</body></message>")
        error = alice.message()
        assert error.attr["type"] == "error" and error.get_error()[1] == "policy-violation"
        alice.send(f"<message to='{to}' type='chat'><body>Visit me</body></message>")
        assert bob.message().get_child_text("body") == "Visit me"


@EACH
def test_long_messages_are_refused_as_the_options_say(start, extension, runtime):
    running = start(f"mod_brevity.{extension}", runtime=runtime, brevity_limit=10,
                    brevity_exempt=["bob@localhost"])
    alice, bob = running.client("alice").available(), running.client("bob").available()
    long = "<message to='{}' type='chat'><body>Eleven chars</body></message>"
    alice.send(long.format(bob.jid))
    assert alice.message().get_error()[1:3] == ("not-acceptable", "At most 10 characters")
    bob.send(long.format(alice.jid))
    assert alice.message().get_child_text("body") == "Eleven chars"


@EACH
def test_phrases_are_kept_by_commands_and_read_by_users(start, extension, runtime):
    running = start(f"mod_phrases.{extension}", runtime=runtime, admins=["root@localhost"],
                    modules_enabled=["saslauth", "disco", "ping", "adhoc"])
    server = running.server

    def shell(*words):
        found, rest = Registry.of(server).find(list(words))
        return run(found, found.parse(rest), Call(server, print, 0))

    text = "Neither a borrower nor a lender be"
    assert "was added" in shell("phrase", "add", "localhost", "p1", *text.split())["text"]
    with pytest.raises(CommandError, match="already"):
        shell("phrase", "add", "localhost", "p1", "again")
    shell("phrase", "add", "localhost", "p2", "Brevity")
    assert shell("phrase", "list", "localhost")["rows"] == [["p1", text], ["p2", "Brevity"]]
    alice, node = running.client("alice"), "urn:prosody-py:commands#phrase:"
    assert adhoc.listed(alice) == {node + "list"}
    form = adhoc.run(alice, node + "list", {"host": "localhost"}).get_child("x", adhoc.DATA)
    assert len(list(form.childtags("item"))) == 2
    assert adhoc.step(alice, node + "add").get_error()[1] == "forbidden"


def note(text=""):
    return f"<note xmlns='urn:example:notes'>{text}</note>"


@EACH
def test_notes_are_kept_until_the_account_goes(start, extension, runtime):
    running = start(f"mod_notes.{extension}", runtime=runtime)
    alice = running.client("alice")
    assert alice.iq("get", note()).tags[0].get_text() == ""
    assert alice.iq("set", note("Buy milk")).attr["type"] == "result"
    assert alice.iq("get", note()).tags[0].get_text() == "Buy milk"
    notes = running.server.storage.open("localhost", "notes", "keyval")
    assert list(notes.users()) == ["alice"]
    running.server.hosts["localhost"].users.delete_user("alice")
    running.server.hosts["localhost"].events.fire_event("user-deleted", Event(username="alice"))
    assert list(notes.users()) == []


@EACH
def test_breaks_come_again_and_again_until_the_session_ends(start, extension, runtime):
    running = start(f"mod_breaks.{extension}", runtime=runtime, breaks_every="0.05 seconds")
    alice = running.client("alice").available()
    assert [alice.message().get_child_text("body") for _ in range(2)] == ["Have a break"] * 2
    module = running.server.modules.get_module("localhost", "breaks")
    timers = [entry for entry in module.registrations.entries if "Timer" in type(entry).__name__]
    assert len(timers) == 1
    alice.close()
    wait_until(lambda: timers[0] not in module.registrations.entries)


@pytest.mark.parametrize("offers", ["py", "lua"])
@EACH
def test_jokes_are_collected_in_any_language(start, extension, runtime, offers):
    running = start(f"mod_jokes.{extension}", f"mod_jokes_classic.{offers}", runtime=runtime)
    alice = running.client("alice")
    asked = "<jokes xmlns='urn:example:jokes'/>"
    [joke] = alice.iq("get", asked, to="localhost").tags[0].tags
    assert joke.get_text() == "Knock, knock."
    running.server.modules.reload("localhost", "jokes")
    assert len(alice.iq("get", asked, to="localhost").tags[0].tags) == 1
    running.server.modules.unload("localhost", "jokes_classic")
    assert alice.iq("get", asked, to="localhost").tags[0].tags == []


@EACH
def test_clients_are_asked_what_they_are(start, extension, runtime):
    running = start(f"mod_whatclient.{extension}", runtime=runtime)
    alice = running.client("alice").send("<presence/>")
    asked = alice.receive_until(lambda element: element.name == "iq")
    assert asked.attr["type"] == "get" and asked.get_child("query", "jabber:iq:version")
    alice.send(f"<iq type='result' id='{asked.attr['id']}' to='{asked.attr['from']}'>"
               "<query xmlns='jabber:iq:version'><name>Pan</name></query></iq>")
    assert alice.message().get_child_text("body") == "So you are Pan"


@pytest.mark.parametrize("runtime", KINDS)
def test_reading_first_and_sorting_then_works_in_lua(start, runtime):
    running = start("mod_sorted.lua", runtime=runtime)
    notes = running.server.storage.open("localhost", "notes", "keyval")
    for name, text in (("alice", "xx"), ("bob", "xxx"), ("carol", "x")):
        notes.set(name, {"text": text})
    listed = running.client("dave").iq("get", "<list xmlns='urn:example:sorted'/>", to="localhost")
    assert listed.tags[0].get_text() == "bob alice carol"


@pytest.mark.parametrize("runtime", KINDS)
def test_waiting_while_sorting_is_an_error_that_says_so(start, runtime, caplog):
    running = start("mod_sorted.lua", runtime=runtime)
    path = Path(running.server.modules.find("sorted").path)
    text = FILES["mod_sorted.lua"].replace("return lengths[a] > lengths[b];",
                                           "return notes:get(a).text > notes:get(b).text;")
    assert text != FILES["mod_sorted.lua"]
    path.write_text(text)
    running.server.modules.reload("localhost", "sorted")
    notes = running.server.storage.open("localhost", "notes", "keyval")
    for name in ("alice", "bob"):
        notes.set(name, {"text": name})
    answer = running.client("dave").iq("get", "<list xmlns='urn:example:sorted'/>", to="localhost")
    assert answer.get_error()[1] == "internal-server-error"
    assert "which Lua cannot do inside a callback" in caplog.text


def test_the_tests_pass(tmp_path):
    for test, module in (("test_notes.py", "mod_notes.py"), ("test_notes.py", "mod_notes.lua"),
                         ("test_visits.py", "mod_visits.lua"),
                         ("test_nocasino.py", "mod_nocasino.py")):
        folder = tmp_path / module.replace(".", "_")
        folder.mkdir()
        for file in (module, test):
            (folder / file).write_text(FILES[file], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-p", "prosody_py.testing.plugin", "--strict-markers", "--import-mode=importlib",
         str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=60)
    assert "8 passed" in done.stdout, done.stdout


def test_every_file_of_the_page_is_named_in_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    for name in FILES:
        stem, _, extension = name.partition(".")
        assert name in text or f"{stem}.{{extension}}" in text or f"{stem}.{{offers}}" in text, name
