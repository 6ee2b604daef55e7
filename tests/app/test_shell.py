"""The admin socket and its commands, from outside and through the command line."""

import json
import os
import socket
import stat

import pytest

from prosody_py.app.shell.client import AdminClient, CommandFailed


@pytest.fixture
def admin(running):
    """A connection to the admin socket."""
    client = AdminClient(str(running.folder / "data" / "prosody-py.sock"))
    yield client
    client.close()


def rows(admin, *words):
    return [tuple(row) for row in admin.run(list(words))["rows"]]


def test_the_socket_is_its_owners_alone(running):
    mode = os.stat(running.folder / "data" / "prosody-py.sock").st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_other_users_are_refused_whatever_the_files_permissions(running):
    path = str(running.folder / "data" / "prosody-py.sock")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        sock = socket.socket(socket.AF_UNIX)
        folder = os.open(os.path.dirname(path), os.O_PATH)
        os.fchdir(folder)
        os.chmod("prosody-py.sock", 0o666)
        os.setuid(65534)
        try:
            sock.connect("prosody-py.sock")
            sock.sendall(b'{"id": 1, "words": ["server", "version"]}\n')
        except OSError:
            pass
        try:
            os.write(writing, sock.recv(4096))
        except OSError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    answer = os.read(reading, 4096)
    os.close(reading)
    os.chmod(path, 0o600)
    assert b"Only the user" in answer or b"Permission denied" in answer
    assert b"0.1.0" not in answer


@pytest.mark.parametrize("line", [b"no json\n", b"[1]\n", b'{"a"' + b" " * 70_000 + b"\n",
                                  b"[" * 60_000 + b"\n"])
def test_what_is_no_question_gets_an_answer_and_the_end(running, line):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(running.folder / "data" / "prosody-py.sock"))
        sock.sendall(line)
        answer = json.loads(sock.makefile().readline())
    assert answer["ok"] is False and answer["id"] is None


@pytest.mark.parametrize(("words", "told"), [
    ([], "No command was given"),
    (["frobnicate"], "There is no command 'frobnicate'"),
    (["modul"], "did you mean module?"),
    (["module", "relod", "x"], "did you mean 'module reload'?"),
    (["module"], "module needs one more word"),
    (["user", "create", "alice@localhost"], "Usage: user create JID PASSWORD"),
    (["user", "list", "example.org"], "example.org is not a host of this server"),
    (["c2s", "close", "nobody@localhost"], "Nobody is connected as nobody@localhost"),
    (["module", "load", "no_such_thing"], "There is no module mod_no_such_thing"),
    (["server", "shutdown", "reason", "x"], "code: 'x' is not a whole number"),
    (["host", "activate", "example.org"], "is not in the configuration"),
    (["events", "explain", "message/bear"], "did you mean message/bare?"),
])
def test_what_cannot_be_done_is_explained(admin, words, told):
    with pytest.raises(CommandFailed) as error:
        admin.run(words)
    assert told in str(error.value)


def test_help_lists_every_command_and_explains_one(admin):
    text = admin.run(["help"])["text"]
    for command in admin.ask({"describe": True})["commands"]:
        assert " ".join(command["words"]) in text
        assert command["help"]
    assert admin.run(["help", "module", "reload"])["text"].splitlines()[1].startswith(
        "  module reload NAME [HOST]  ")


def test_clients_are_shown_counted_and_closed(running, admin):
    client = running.client("alice", resource="phone")
    assert rows(admin, "c2s", "count")[0][:2] == ("localhost", "logged in")
    shown = [row for row in rows(admin, "c2s", "show") if row[1] == "alice@localhost/phone"]
    assert shown and shown[0][2:5] == ("127.0.0.1", "logged in", "no")
    admin.run(["c2s", "close", "alice@localhost/phone", "time", "to", "go"])
    error = client.receive_until(lambda element: element.name == "error")
    assert error.tags[0].name == "reset" and error.get_child_text(
        "text", "urn:ietf:params:xml:ns:xmpp-streams") == "time to go"


def test_modules_are_unloaded_loaded_and_reloaded(running, admin):
    def loaded():
        return ("localhost", "disco", "python", "ok") in [
            (*row[:3], row[-1]) for row in rows(admin, "module", "list", "localhost")]

    lines = []
    assert loaded()
    admin.run(["module", "unload", "disco"], lines.append)
    assert not loaded()
    admin.run(["module", "load", "mod_disco", "localhost"], lines.append)
    admin.run(["module", "reload", "disco"], lines.append)
    assert loaded()
    assert lines == ["Unloaded disco on localhost", "Loaded disco on localhost",
                     "Reloaded disco on localhost"]
    done = running.run("module", "reload", "admin_socket")
    assert (done.returncode, done.output) == (0, "Reloaded admin_socket for all hosts\n")
    assert rows(admin, "host", "list")[0][:3] == ("localhost", "local", "active")


def test_an_account_is_disabled_and_enabled(running, admin):
    admin.run(["user", "create", "frank@localhost", "secret"])
    client = running.client("frank")
    admin.run(["user", "disable", "frank@localhost"])
    assert client.closed_with() == "not-authorized"
    with pytest.raises(AssertionError, match="account-disabled"):
        running.client("frank")
    admin.run(["user", "enable", "frank@localhost"])
    assert running.client("frank").jid


def test_the_value_of_an_option_comes_with_its_place(admin):
    assert admin.run(["config", "get", "run_as_root"])["text"].startswith("run_as_root: True (")
    assert admin.run(["config", "get", "motd_text"])["text"] == "motd_text is not set"


def test_events_are_explained_with_their_handlers(admin):
    text = admin.run(["events", "explain", "message/bare"])["text"]
    assert "A message to a bare address" in text
    assert "of mod_message on localhost, priority" in text


def test_what_a_module_adds_is_a_command(install):
    server = install(plugin_paths=["plugins"], modules_enabled=["saslauth", "adds"],
                     hosts={"localhost": {}, "example.org": {}})
    folder = server.folder / "plugins"
    folder.mkdir()
    (folder / "mod_adds.py").write_text(
        "def load(module):\n"
        "    def greet(call, jid, options):\n"
        "        call.session.print('working')\n"
        "        return True, f'{module.host} greets {jid} {options}'\n"
        "    module.add_item('shell-command', {\n"
        "        'section': 'greeting', 'section_desc': 'Greetings', 'name': 'say',\n"
        "        'desc': 'Greet somebody', 'args': [{'name': 'jid', 'type': 'string'}],\n"
        "        'host_selector': 'jid', 'flags': {'value_params': {'role': True}},\n"
        "        'handler': greet})\n")
    server.start()
    done = server.run("shell", "greeting", "say", "bob@example.org", "--role", "x")
    assert done.output == "working\nexample.org greets bob@example.org {'role': 'x'}\n"
    done = server.run("shell", input="greeting say eve@localhost # comment\n\ngreeting shout\n")
    assert "localhost greets eve@localhost {}" in done.stdout
    assert done.returncode == 1 and "greeting has no command 'shout'" in done.stderr
    done = server.run("shell", "server", "shutdown", "enough", "3")
    assert done.output == "The server is shutting down\n"
    assert server.end() == 3
    done = server.run("status")
    assert done.returncode == 1 and "No server is running" in done.output
