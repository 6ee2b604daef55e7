"""Debian's modules for accounts that live elsewhere, and for tokens: clients log in."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import wait_until


def answer_to_plain(running, username, password):
    """Return what the server says to a login over TLS with PLAIN."""
    client = running.connect()
    client.open()
    client.starttls().open()
    client.sasl_auth("PLAIN", f"\0{username}\0{password}".encode())
    return client.receive().name


def ha1(username, password, realm="localhost", state="authorized"):
    digest = hashlib.md5(f"{username}:{realm}:{password}".encode()).hexdigest()
    return f"{username}:{digest}:{realm}:{state}\n"


def test_accounts_of_a_ha1_file_log_in(start_debian, tmp_path, caplog):
    file = tmp_path / "auth.txt"
    file.write_text("# accounts\n" + ha1("juliet", "secret") + ha1("tybalt", "x", state="no")
                    + ha1("paris", "x", realm="other.example") + "nonsense\n")
    running = start_debian("auth_ha1", authentication="ha1", auth_ha1_file=str(file))
    assert "Unable to parse line 5" in caplog.text
    client = running.connect().login("juliet", tls=True, mechanism="PLAIN")
    assert client.jid.startswith("juliet@localhost/")
    assert [answer_to_plain(running, *login) for login in (
        ("juliet", "wrong"), ("tybalt", "x"), ("paris", "x"), ("nobody", "x"))] == ["failure"] * 4
    file.write_text(ha1("paris", "new"))
    running.server.events.fire_event("config-reloaded")
    assert answer_to_plain(running, "paris", "new") == "success"
    assert answer_to_plain(running, "juliet", "secret") == "failure"


def test_accounts_of_a_sql_table_log_in(start_debian, tmp_path):
    file = tmp_path / "accounts.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE authreg (username TEXT, realm TEXT, password TEXT)")
        db.executemany("INSERT INTO authreg VALUES (?, ?, ?)", [
            ("juliet", "localhost", "geheim Ä"), ("romeo", "other.example", "x")])
    running = start_debian("auth_sql", authentication="sql",
                           auth_sql={"driver": "SQLite3", "database": str(file)})
    client = running.connect().login("juliet", "geheim Ä")  # SCRAM, of a password
    assert client.jid.startswith("juliet@localhost/")
    assert answer_to_plain(running, "juliet", "geheim Ä") == "success"
    assert answer_to_plain(running, "juliet", "wrong") == "failure"
    assert answer_to_plain(running, "romeo", "x") == "failure"
    assert list(users.provider(running.server, "localhost").users()) == ["juliet"]
    with sqlite3.connect(file) as db:
        db.execute("UPDATE authreg SET realm = 'localhost' WHERE username = 'romeo'")
    assert answer_to_plain(running, "romeo", "x") == "success"


TOKENS = """
    local tokens = module:depends "tokenauth";
    local st = require "util.stanza";
    local name = "{urn:example:token}token";
    module:hook("iq-get/host/urn:example:token:token", function (event)
        local token = tokens.create_jid_token(event.stanza.attr.from, event.stanza.attr.from,
            "chat", 60);
        event.origin.send(st.reply(event.stanza):text_tag("token", token));
        return true;
    end);
    module:hook("iq-set/host/urn:example:token:token", function (event)
        local tag = event.stanza.tags[1];
        if tag.attr.revoke then tokens.revoke_token(tag:get_text()); end
        local info, err = tokens.get_token_info(tag:get_text());
        local reply = st.reply(event.stanza);
        if info then reply:text_tag("owner", info.jid .. " " .. info.session.auth_scope);
        else reply:text_tag("error", err); end
        event.origin.send(reply);
        return true;
    end);
"""


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_tokens_stand_for_an_account_until_they_are_revoked(start_debian, tmp_path, storage):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "mod_tokens.lua").write_text(TOKENS)
    running = start_debian("tokenauth", modules=["tokens"], more_folders=[str(folder)],
                           storage=storage)
    juliet, romeo = running.client("juliet"), running.client("romeo")
    token = juliet.iq("get", "<token xmlns='urn:example:token'/>", "localhost").tags[0].get_text()

    def show(text, more=""):
        answer = romeo.iq("set", f"<token xmlns='urn:example:token' {more}>{text}</token>",
                          "localhost").tags[0]
        return answer.name, answer.get_text()

    assert show(token) == ("owner", f"{juliet.jid} chat")
    assert show("bm9uc2Vuc2U=") == ("error", "invalid-token-format")
    assert show(token, "revoke='1'") == ("error", "not-authorized")


def test_accounts_are_managed_by_their_owners(start_each):
    running = start_each("user_account_management")
    first, second = running.client("juliet", "one"), running.client("juliet", "two")
    register = "jabber:iq:register"
    query = first.iq("get", f"<query xmlns='{register}'/>").tags[0]
    assert query.get_child_text("username") == "juliet" and query.get_child("registered")
    change = (f"<query xmlns='{register}'><username>%s</username><password>new one</password>"
              "</query>")
    assert first.iq("set", change % "romeo").get_error()[1] == "bad-request"
    assert first.iq("set", change % "juliet").attr["type"] == "result"
    third = running.connect().login("juliet", "new one")
    third.send(f"<iq type='set' id='r1'><query xmlns='{register}'><remove/></query></iq>")
    answer = third.receive_until(lambda element: element.attr.get("id") == "r1")
    assert answer.attr["type"] == "result"
    for client in (first, second, third):
        assert client.closed_with() == "not-authorized"
    wait_until(lambda: "juliet@localhost" not in running.server.bare_sessions)
    assert not users.user_exists(running.server, "juliet", "localhost")


def test_the_names_of_deleted_accounts_stay_taken(start_debian):
    running = start_debian("tombstones", "user_account_management", modules=["register_ibr"],
                           allow_registration=True)
    romeo = running.client("romeo").available()
    running.client("juliet").available()
    users.delete_user(running.server, "juliet", "localhost")
    client = running.connect()
    client.open()
    register = ("<query xmlns='jabber:iq:register'><username>%s</username>"
                "<password>x</password></query>")
    assert client.iq("set", register % "juliet").get_error()[1] == "not-acceptable"
    assert client.iq("set", register % "mercutio").attr["type"] == "result"
    romeo.send("<presence to='juliet@localhost'/>")
    error = romeo.receive_until(lambda element: element.attr.get("type") == "error")
    assert error.get_error()[1] == "gone"
    assert romeo.presence().attr["type"] == "unsubscribe"
