"""A command is declared once: the shell, the command line and XEP-0050 show the same of it."""

from __future__ import annotations

import json
import subprocess

import pytest

from prosody_py.app.shell.client import AdminClient
from prosody_py.app.shell.table import as_json
from prosody_py.testing.adhoc import DATA, listed, note, run, step, values

PREFIX = "urn:prosody-py:commands#"
FORM = "urn:prosody-py:commands"
MODULE = '''
"""Commands of a module in Python."""

from prosody_py.api import CommandError, Table, command


@command("room", "open", "room:jid", "size:integer", "public:boolean?", "kind:small|large?",
         help="Rooms")
def open_room(module, call, room, size, public, kind):
    """Open a room."""
    call.print("working")
    return f"{module.host}: {room} {size!r} {public!r} {kind!r}"


@command("room", "list", "host:host", role="prosody:user")
def list_rooms(module, call, host):
    """List the rooms."""
    return Table(("room", "size"), [("a@x", 1), ("b@x", None)])


@command("room", "facts", "host:host")
def facts(module, call, host):
    """Show facts."""
    return Table(("what", "value"), [("name", "x"), ("owner", "a"), ("owner", "b")])


@command("room", "fail", "host:host", "how:string?")
def fail(module, call, host, how):
    """Fail."""
    raise CommandError("It cannot be", how)
'''
LUA = '''
module:add_item("shell-command", {
	section = "old"; section_desc = "Prosody's form"; name = "greet"; desc = "Greet somebody";
	args = { { name = "name", type = "string" }, { name = "password", type = "string" } };
	flags = { value_params = { from = true } };
	handler = function (self, name, password, given)
		self.session.print("working");
		return true, "hello " .. name .. " from " .. tostring(given.from);
	end;
});
local loop = { section = "broken"; name = "loop"; handler = print };
loop.loop = loop;
module:add_item("shell-command", loop);
module:add_item("shell-command", {
	section = "broken"; name = "role"; role = "king"; handler = function () return true, "ran"; end;
});
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An installation whose server runs: root administers it, warden only example.org."""
    from tests.app.conftest import Installation
    folder = tmp_path_factory.mktemp("faces")
    (folder / "mod_rooms.py").write_text(MODULE)
    (folder / "mod_older.lua").write_text(LUA)
    one = Installation(
        folder, plugin_paths=["."], admins=["root@localhost"],
        modules_enabled=["saslauth", "roster", "disco", "ping", "rooms", "older", "admin_adhoc"],
        hosts={"localhost": {}, "example.org": {"admins": ["root@localhost",
                                                           "warden@example.org"]}})
    one.account("root")
    one.account("juliet")
    one.start()
    done = one.run("user", "create", "warden@example.org", "--password-stdin", input="secret\n")
    assert done.output == "The account warden@example.org was made\n"
    yield one
    one.stop(9)


@pytest.fixture(scope="module")
def shell(place):
    client = AdminClient(str(place.folder / "data" / "prosody-py.sock"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def root(place):
    return place.client("root")


def by_adhoc(client, words, fields):
    return run(client, PREFIX + ":".join(words), fields or None, FORM, "localhost")


CASES = [
    (("room", "open"), {"room": "r@localhost", "size": "7", "public": "1", "kind": "large"},
     ["r@localhost", "7", "yes", "large"]),
    (("room", "open"), {"room": "r@localhost", "size": "7"}, ["r@localhost", "7"]),
    (("room", "list"), {"host": "localhost"}, ["localhost"]),
    (("room", "facts"), {"host": "localhost"}, ["localhost"]),
    (("host", "list"), {}, []),
    (("role", "list"), {"host": "localhost"}, ["localhost"]),
    (("user", "role"), {"jid": "root@localhost"}, ["root@localhost"]),
    (("user", "count"), {"host": "localhost", "state": "registered"}, ["localhost", "registered"]),
    (("old", "greet"), {"name": "bob", "password": "hidden", "--from": "eve"},
     ["bob", "hidden", "--from=eve"]),
]


@pytest.mark.parametrize(("words", "fields", "typed"), CASES)
def test_the_same_command_in_all_faces(place, shell, root, words, fields, typed):
    lines: list[str] = []
    answer = shell.run([*words, *typed], lines.append)
    typed_line = place.run(*words, *typed, "--json")
    assert typed_line.stdout == as_json(answer) + "\n" and typed_line.returncode == 0
    assert typed_line.stderr.splitlines() == lines
    last = by_adhoc(root, words, fields)
    form = last.get_child("x", DATA)
    if "rows" not in answer:
        assert note(last) == ("info", "\n".join([*lines, answer["text"]])) and form is None
    elif answer["columns"] == ["what", "value"]:
        assert form.attr["type"] == "result"
        assert [value for field in values(last).values() for value in field] == [
            str(value) for _what, value in answer["rows"]]
    else:
        columns = [field.attr["var"] for field in form.get_child("reported").tags]
        assert columns == answer["columns"]
        assert [[field.get_child_text("value") for field in item.tags]
                for item in form.childtags("item")] == [
            ["" if value is None else str(value) for value in row] for row in answer["rows"]]


def test_arguments_arrive_with_their_types(shell):
    answer = shell.run(["room", "open", "R@LOCALHOST", "7", "no", "small"], lambda line: None)
    assert answer["text"] == "localhost: r@localhost 7 False 'small'"


@pytest.mark.parametrize(("words", "fields", "typed", "told"), [
    (("room", "open"), {"room": "r@localhost", "size": "many"}, ["r@localhost", "many"],
     "is not a whole number"),
    (("room", "open"), {"room": "r@localhost", "size": "1", "kind": "huge"},
     ["r@localhost", "1", "no", "huge"], "is not one of small, large"),
    (("room", "open"), {"room": "a@b@c"}, ["a@b@c", "1"], "address"),
])
def test_wrong_arguments_are_refused_in_all_faces(place, shell, root, words, fields, typed, told):
    done = place.run(*words, *typed)
    assert done.returncode == 1 and told in done.stderr
    first = step(root, PREFIX + ":".join(words), to="localhost").tags[0]
    answer = step(root, PREFIX + ":".join(words), "complete", first.attr["sessionid"], fields,
                  FORM, "localhost")
    _type, condition, _text, extra = answer.get_error()
    assert (condition, extra.name) == ("bad-request", "bad-payload")


def test_the_form_says_what_an_argument_is(root):
    form = step(root, PREFIX + "room:open", to="localhost").tags[0].get_child("x", DATA)
    fields = {field.attr["var"]: field for field in form.childtags("field")}
    assert {name: field.attr["type"] for name, field in fields.items()} == {
        "FORM_TYPE": "hidden", "room": "jid-single", "size": "text-single",
        "public": "boolean", "kind": "list-single"}
    assert fields["size"].get_child("required") is not None
    assert fields["public"].get_child("required") is None
    assert [option.get_child_text("value") for option in fields["kind"].childtags("option")] == [
        "small", "large"]
    form = step(root, PREFIX + "user:create", to="localhost").tags[0].get_child("x", DATA)
    assert form.get_child_with_attr("field", None, "var", "password").attr["type"] == (
        "text-private")


def test_what_fails_is_a_note_or_the_error_that_was_named(root):
    last = by_adhoc(root, ("room", "fail"), {"host": "localhost"})
    assert note(last) == ("error", "It cannot be")
    first = step(root, PREFIX + "room:fail", to="localhost").tags[0]
    answer = step(root, PREFIX + "room:fail", "complete", first.attr["sessionid"],
                  {"host": "localhost", "how": "conflict"}, FORM, "localhost")
    assert answer.get_error()[1:3] == ("conflict", "It cannot be")


# -- who may -------------------------------------------------------------------------------


def test_a_user_sees_and_runs_what_users_may_alone(place):
    juliet = place.client("juliet")
    assert listed(juliet, "localhost") == {PREFIX + "room:list"}
    assert run(juliet, PREFIX + "room:list", {"host": "localhost"}, FORM).get_child("x", DATA)
    for node in ("room:facts", "user:create", "server:shutdown", "old:greet"):
        assert step(juliet, PREFIX + node).get_error()[1] == "forbidden"
    first = step(juliet, PREFIX + "room:list").tags[0]
    answer = step(juliet, PREFIX + "room:list", "complete", first.attr["sessionid"],
                  {"host": "example.org"}, FORM)
    assert answer.get_error()[1] == "forbidden", "of another host they are no users"


@pytest.fixture
def warden(place):
    port = place.client("root").sock.getpeername()[1]
    from prosody_py.testing.client import Client
    return Client(("127.0.0.1", port), "example.org").login("warden")


@pytest.mark.parametrize(("node", "fields", "condition"), [
    ("user:create", {"jid": "eve@localhost", "password": "x"}, "forbidden"),
    ("user:list", {"host": "localhost"}, "forbidden"),
    ("user:list", {"host": "nowhere.example"}, "forbidden"),
    ("role:list", {}, "forbidden"),
    ("user:setrole", {"jid": "warden@example.org", "role": "prosody:operator"}, "forbidden"),
    ("roster:subscribe", {"jid": "warden@example.org", "contact": "root@localhost"},
     "forbidden"),
])
def test_an_administrator_of_a_host_is_kept_to_it(warden, node, fields, condition):
    first = step(warden, PREFIX + node).tags[0]
    answer = step(warden, PREFIX + node, "complete", first.attr["sessionid"], fields, FORM)
    assert answer.get_error()[1] == condition


def test_an_administrator_of_a_host_administers_it(place, warden, shell):
    nodes = listed(warden)
    assert PREFIX + "user:create" in nodes
    assert not nodes & {PREFIX + name for name in (
        "server:shutdown", "module:load", "host:deactivate", "config:get", "old:greet",
        "watch:log", "debug:greenlets")}
    run(warden, PREFIX + "user:create", {"jid": "nurse@example.org", "password": "x"}, FORM)
    run(warden, PREFIX + "user:create", {"jid": "boss@example.org", "password": "x"}, FORM)
    assert run(warden, PREFIX + "user:delete", {"jid": "nurse@example.org"}, FORM)
    shell.run(["user", "setrole", "boss@example.org", "prosody:operator"])
    for node, more in (("password", {"password": "y"}), ("delete", {}), ("disable", {}),
                       ("setrole", {"role": "prosody:user"})):
        first = step(warden, f"{PREFIX}user:{node}").tags[0]
        answer = step(warden, f"{PREFIX}user:{node}", "complete", first.attr["sessionid"],
                      {"jid": "boss@example.org", **more}, FORM)
        assert answer.get_error()[1] == "forbidden", node
    shell.run(["user", "delete", "boss@example.org"])


def test_without_mod_admin_adhoc_nobody_administers_over_xmpp(place, shell, root):
    shell.run(["module", "unload", "admin_adhoc"], lambda line: None)
    try:
        assert listed(root, "localhost") == {PREFIX + "room:list"}
        assert step(root, PREFIX + "user:create", to="localhost").get_error()[1] == "forbidden"
    finally:
        shell.run(["module", "load", "admin_adhoc"], lambda line: None)


def test_a_command_for_a_role_that_does_not_exist_is_for_nobody_but_the_shell(
        shell, warden, root):
    assert shell.run(["broken", "role"])["text"] == "ran"
    for client in (warden, root):
        assert step(client, PREFIX + "broken:role", to="localhost").get_error()[1] == "forbidden"


def test_the_configuration_has_the_last_word(place, warden):
    denied = {"user:create", "user:list"}
    place.write(hosts={**place.options["hosts"], "example.org": {
        **place.options["hosts"]["example.org"],
        "remove_permissions": {"prosody:admin": sorted(denied)},
        "add_permissions": {"prosody:guest": ["room:facts"]}}})
    place.run("reload")
    nodes = listed(warden)
    assert PREFIX + "user:delete" in nodes and not nodes & {PREFIX + name for name in denied}
    assert step(warden, PREFIX + "user:create").get_error()[1] == "forbidden"
    place.write(hosts={**place.options["hosts"], "example.org": {
        "admins": ["root@localhost", "warden@example.org"]}})
    place.run("reload")
    assert PREFIX + "user:create" in listed(warden)


# -- secrets -------------------------------------------------------------------------------


def test_no_password_is_in_the_log(place, shell, root):
    shell.run(["user", "password", "juliet@localhost", "hush-1"])
    run(root, PREFIX + "user:password", {"jid": "juliet@localhost", "password": "hush-2"}, FORM,
        "localhost")
    by_adhoc(root, ("old", "greet"), {"name": "bob", "password": "hush-3"})
    shell.run(["old", "greet", "bob", "hush-4"], lambda line: None)
    place.run("user", "password", "juliet@localhost", "--password-stdin", input="secret\n")
    log = place.log.read_text()
    assert "hush" not in log and "root@localhost" in log
    assert "user password juliet@localhost (secret)" in log


# -- the command line ----------------------------------------------------------------------


def test_help_of_a_command_comes_from_the_server(place):
    assert "room open ROOM SIZE [PUBLIC] [KIND]  Open a room." in place.run(
        "room", "open", "--help").stdout
    assert "user create JID PASSWORD" in place.run("user", "--help").stdout
    assert "file" in place.run("module", "info", "rooms").stdout


def test_what_nobody_knows_is_wrong(place, install):
    done = place.run("rom", "open")
    assert done.returncode == 1 and "did you mean room?" in done.stderr
    done = install().run("rom")  # no server runs there
    assert done.returncode == 2 and "prosody-py --help" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("words", "expected"), [
    (["room", "o"], {"open"}), (["shell", "room", "l"], {"list"}),
    (["user", "count", "example.org", "i"], {"idle"}), (["room", "list", "ex"], {"example.org"})])
def test_bash_completes_what_the_server_knows(place, words, expected, tmp_path):
    script = place.run("completion", "bash").stdout
    command = place.command()
    (tmp_path / "prosody-py").write_text(
        "#!/bin/sh\nexec " + " ".join(command["args"]) + ' "$@"\n')
    (tmp_path / "prosody-py").chmod(0o755)
    line = " ".join(f"'{word}'" for word in [str(tmp_path / "prosody-py"), *words])
    script += (f"\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _prosody_py\n"
               'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20,
                          cwd=place.folder, env=command["env"])
    assert (set(done.stdout.split()), done.stderr) == (expected, "")


def test_a_table_is_json_for_programs(place):
    rows = json.loads(place.run("room", "list", "localhost", "--json").stdout)
    assert rows == [{"room": "a@x", "size": 1}, {"room": "b@x", "size": None}]
