"""Prosody's own storage modules keep what our modules store for real clients."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from prosody_py.hosts import users
from prosody_py.hosts.roster import load_roster
from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import wait_until
from prosody_py.xmpp import ns
from prosody_py.xmpp.builders import message

PRIVATE = "<query xmlns='jabber:iq:private'>{}</query>"
NOTE = "<note xmlns='urn:example:note'>{}</note>"
PUBSUB = "http://jabber.org/protocol/pubsub"
LASTING = ("internal", "sql")
SQL = {"driver": "SQLite3", "database": "prosody.sqlite"}


@pytest.fixture
def start_stored(start_debian):
    """Start a server that keeps everything with one of Prosody's storage modules."""
    def start(driver, *names, modules=("private",), **options):
        return start_debian(f"storage_{driver}", *names, modules=modules,
                            storage=options.pop("storage", driver), sql=SQL, **options)
    return start


def note(client):
    answer = client.iq("get", PRIVATE.format(NOTE.format("")))
    return answer.tags[0].tags[0].get_text()


def leave(running, client):
    client.close()
    wait_until(lambda: client.jid not in running.server.full_sessions)


def use(running):
    """Have two clients do what needs rosters, private data, and messages for later."""
    juliet = running.client("juliet", "balcony").available()
    juliet.iq("set", f"<query xmlns='{ns.ROSTER}'><item jid='romeo@localhost' name='R\u00f6meo'>"
              "<group>Montague</group></item></query>")
    juliet.iq("set", PRIVATE.format(NOTE.format("caf\u00e9 &amp; &lt;tea&gt;")))
    romeo = running.client("romeo").available()
    leave(running, juliet)
    for number in range(3):
        romeo.send(f"<message to='juliet@localhost' type='chat'><body>{number}</body></message>")
    romeo.flush()


def check(running):
    """See that all of it is there, once."""
    juliet = running.connect().login("juliet", resource="garden")
    (item,) = juliet.iq("get", f"<query xmlns='{ns.ROSTER}'/>").tags[0].tags
    assert (item.attr["jid"], item.attr["name"]) == ("romeo@localhost", "R\u00f6meo")
    assert item.get_child_text("group") == "Montague"
    assert note(juliet) == "caf\u00e9 & <tea>"
    juliet.send("<presence/>")
    bodies = [element.get_child_text("body") for element in juliet.flush()
              if element.name == "message"]
    assert bodies == ["0", "1", "2"]
    leave(running, juliet)
    again = running.connect().login("juliet").send("<presence/>")
    assert not [element for element in again.flush() if element.name == "message"]


@pytest.mark.parametrize("driver", [*LASTING, "memory"])
def test_rosters_private_data_and_waiting_messages_are_kept(start_stored, driver):
    running = start_stored(driver)
    use(running)
    check(running)


@pytest.mark.parametrize("driver", LASTING)
def test_what_was_kept_is_there_for_the_next_server(start_stored, driver, tmp_path, request):
    running = start_stored(driver)
    use(running)
    data = Path(running.server.paths["data"])
    running.stop()
    shutil.rmtree(tmp_path / "plugins")
    second = request.getfixturevalue("start_with_modules")(
        f"storage_{driver}", modules=["private"], storage=driver, sql=SQL, data_path=str(data),
        lua_runtime="lua54")
    check(second)


def test_files_are_those_that_prosody_reads(start_stored, debian):
    running = start_stored("internal")
    use(running)
    data = Path(running.server.paths["data"])
    prosody = debian / "prosody/usr/lib/prosody"
    lua = shutil.which("lua5.4")
    if lua is None:
        pytest.skip("there is no Lua to read them with")
    done = subprocess.run([lua, "-e", """
        package.path, package.cpath = arg[1] .. "/?.lua;" .. package.path,
            arg[1] .. "/?.so;" .. package.cpath;
        local dm = require "util.datamanager";
        dm.set_data_path(arg[2]);
        local roster = dm.load("juliet", "localhost", "roster");
        local offline = dm.list_load("juliet", "localhost", "offline");
        print(roster["romeo@localhost"].name, roster["romeo@localhost"].groups.Montague, #offline,
            offline[1].name or offline[1][1]);
    """, "-", str(prosody), str(data)], capture_output=True, text=True, timeout=20)
    if "module 'lfs' not found" in done.stderr:
        pytest.skip("there is no LuaFileSystem to read them with")
    assert done.stderr == "" and done.stdout.split("\t") == [
        "R\u00f6meo", "true", "3", "message\n"]


def test_tables_of_the_database_are_prosodys(start_stored):
    running = start_stored("sql")
    use(running)
    database = sqlite3.connect(f"{running.server.paths['data']}/prosody.sqlite")
    try:
        kept = set(database.execute('SELECT "store", "key", "type" FROM "prosody" '
                                    'WHERE "user" = \'juliet\' AND "host" = \'localhost\''))
        assert ("roster", "romeo@localhost", "json") in kept
        assert {store for store, _key, _type in kept} == {"accounts", "private", "roster"}
        assert database.execute('SELECT "store", "type", COUNT(*) FROM "prosodyarchive" '
                                'WHERE "user" = \'juliet\'').fetchall() == [("offline", "xml", 3)]
    finally:
        database.close()


@pytest.mark.parametrize("driver", ["internal", "memory", "sql"])
def test_archives_know_ranges_numbers_and_what_they_hold(start_stored, driver):
    archive = start_stored(driver).server.storage.open("localhost", "log", "archive")
    first = archive.append("juliet", None, message(type="chat").text_tag("body", "one"), 1000.5,
                           "romeo@localhost")
    archive.append("juliet", "key2", message().text_tag("body", "two"), 2000, "romeo@localhost")
    archive.append("juliet", "key3", message().text_tag("body", "three"), 90000, "n@localhost")

    def keys(**query):
        return [item[0] for item in archive.find("juliet", query)[0]]

    assert keys() == [first, "key2", "key3"] and keys(reverse=True, limit=1) == ["key3"]
    assert keys(after="key2") == ["key3"] and keys(before="key2") == [first]
    assert keys(start=1500, end=2500) == ["key2"]
    assert keys(**{"with": "romeo@localhost"}) == [first, "key2"]
    assert archive.find("juliet", {"total": True, "limit": 1})[1] == 3
    assert list(archive.users()) == ["juliet"]
    assert archive.dates("juliet") == ["1970-01-01", "1970-01-02"]
    assert archive.summary("juliet")["counts"] == {"romeo@localhost": 2, "n@localhost": 1}
    value, when, with_ = archive.get("juliet", "key2")
    assert (value.get_child_text("body"), when, with_) == ("two", 2000, "romeo@localhost")
    archive.set("juliet", "key2", message().text_tag("body", "zwei"))
    assert archive.get("juliet", "key2")[0].get_child_text("body") == "zwei"
    for wrong in (lambda: keys(after="unknown"),
                  lambda: archive.set("juliet", "unknown", message())):
        with pytest.raises(StorageError) as raised:
            wrong()
        assert raised.value.condition == "item-not-found"
    assert archive.delete("juliet", {"key": "key2"}) == 1 and keys() == [first, "key3"]


@pytest.mark.parametrize("driver", LASTING)
def test_a_user_is_purged_from_all_stores(start_stored, driver):
    storage = start_stored(driver).server.storage
    for user in ("juliet", "romeo"):
        storage.open("localhost", "things").set(user, {"a": 1})
        storage.open("localhost", "log", "archive").append(user, None, message(), 1, "x")
    storage.purge("localhost", "juliet")
    assert list(storage.open("localhost", "things").users()) == ["romeo"]
    assert list(storage.open("localhost", "log", "archive").users()) == ["romeo"]


def test_a_store_that_keeps_nothing_says_so(start_stored):
    running = start_stored("none", storage={"private": "none"}, default_storage="memory")
    juliet = running.client("juliet")
    answer = juliet.iq("set", PRIVATE.format(NOTE.format("x")))
    assert answer.attr["type"] == "error"
    assert note(juliet) == ""


def test_accounts_and_rosters_are_kept_as_xep_0227_files(start_stored, debian_module):
    running = start_stored(
        "xep0227", "auth_internal_plain", authentication="internal_plain",
        storage=dict.fromkeys(("accounts", "roster", "private", "vcard"), "xep0227"),
        default_storage="memory", more_folders=[str(debian_module("pubsub"))])
    server = running.server
    users.create_user(server, "juliet", "secret", "localhost")
    juliet = running.connect().login("juliet", tls=True, mechanism="PLAIN")
    juliet.iq("set", f"<query xmlns='{ns.ROSTER}'><item jid='romeo@localhost' name='R'/></query>")
    juliet.iq("set", PRIVATE.format(NOTE.format("kept")))
    assert note(juliet) == "kept"
    file = Path(server.paths["data"], "juliet@localhost.xml").read_text()
    for part in ("<server-data xmlns='urn:xmpp:pie:0'>", "password='secret'",
                 "jid='romeo@localhost'", ">kept</note>"):
        assert part in file
    assert load_roster(server, "juliet", "localhost")["romeo@localhost"].name == "R"


def test_pubsub_service_of_prosody_keeps_nodes_and_tells_subscribers(start_debian):
    running = start_debian("pubsub", host="news.localhost", admins=["editor@localhost"])
    editor = running.client("editor")
    juliet = running.client("juliet").available()

    def ask(client, kind, payload, owner=""):
        answer = client.iq(kind, f"<pubsub xmlns='{PUBSUB}{owner}'>{payload}</pubsub>",
                           "news.localhost")
        return answer.get_error()[1] if answer.attr["type"] == "error" else answer

    assert ask(juliet, "set", "<create node='gossip'/>") == "forbidden"
    ask(editor, "set", "<create node='gossip'/>")
    assert ask(editor, "set", "<create node='gossip'/>") == "conflict"
    ask(juliet, "set", f"<subscribe node='gossip' jid='{juliet.bare_jid}'/>")
    publish = "<publish node='gossip'><item id='1'><entry xmlns='urn:e'>x</entry></item></publish>"
    assert ask(juliet, "set", publish) == "forbidden"
    ask(editor, "set", publish)
    (event,) = juliet.message().tags
    item = event.tags[0].tags[0]
    assert item.attr["id"] == "1" and item.get_child_text("entry", "urn:e") == "x"
    items = ask(juliet, "get", "<items node='gossip'/>").tags[0].tags[0]
    assert [item.attr["id"] for item in items.tags] == ["1"]
    ask(editor, "set", "<retract node='gossip' notify='1'><item id='1'/></retract>")
    (event,) = juliet.message().tags
    assert event.tags[0].tags[0].name == "retract"
    assert ask(editor, "set", "<delete node='none'/>", "#owner") == "item-not-found"
    assert ask(editor, "set", "<delete node='gossip'/>", "#owner").attr["type"] == "result"


def test_personal_eventing_of_prosody_publishes_to_contacts(start_debian, debian_module):
    running = start_debian("pep", more_folders=[str(debian_module("pubsub"))])
    juliet = running.client("juliet").available()
    answer = juliet.iq("set", f"<pubsub xmlns='{PUBSUB}'><publish node='urn:example:mood'><item>"
                       "<mood xmlns='urn:example:mood'>happy</mood></item></publish></pubsub>")
    assert answer.attr["type"] == "result"
    answer = juliet.iq("get", f"<pubsub xmlns='{PUBSUB}'><items node='urn:example:mood'/></pubsub>")
    (item,) = answer.tags[0].tags[0].tags
    assert item.get_child_text("mood", "urn:example:mood") == "happy"
    romeo = running.client("romeo")
    stranger = romeo.iq("get", f"<pubsub xmlns='{PUBSUB}'><items node='urn:example:mood'/>"
                        "</pubsub>", "juliet@localhost")
    assert stranger.get_error()[1] in ("forbidden", "not-authorized", "service-unavailable")
