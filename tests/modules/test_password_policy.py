"""mod_password_policy: what passwords have to be like."""

from __future__ import annotations

import pytest

from prosody_py import lua

REGISTER = "jabber:iq:register"


def register(running, username, password):
    client = running.connect()
    client.open()
    return client.iq("set", f"<query xmlns='{REGISTER}'><username>{username}</username>"
                            f"<password>{password}</password></query>")


def change(client, password):
    return client.iq("set", f"<query xmlns='{REGISTER}'><username>juliet</username>"
                            f"<password>{password}</password></query>")


@pytest.mark.parametrize(("password", "reason"), [
    ("short", "at least 10"), ("my-JULIET-password", "must not contain"),
    ("good enough", None)])
def test_new_accounts_need_a_good_password(start_server, password, reason):
    running = start_server(["register_ibr", "password_policy"], allow_registration=True,
                           password_policy={"length": 10})
    answer = register(running, "juliet", password)
    if reason is None:
        assert answer.attr["type"] == "result"
    else:
        assert answer.get_error()[:2] == ("modify", "not-acceptable")
        assert reason in answer.get_error()[2]


def test_a_weak_password_does_not_replace_a_good_one(start_server):
    running = start_server(["user_account_management", "password_policy"])
    juliet = running.client("juliet")
    assert change(juliet, "short").get_error()[1] == "not-acceptable"
    assert running.client("juliet").jid
    assert change(juliet, "long enough").attr["type"] == "result"


def test_the_username_may_be_allowed(start_server):
    running = start_server(["user_account_management", "password_policy"],
                           password_policy={"exclude_username": False})
    assert change(running.client("juliet"), "juliet juliet").attr["type"] == "result"


def test_lua_modules_ask_for_it(start_server):
    running = start_server(["password_policy"], password_policy={"length": 9})
    border = lua.runtime_of(running.server)
    chunk = border.compile(b"""
        local policy = require "core.modulemanager".get_module("localhost", "password_policy");
        local _, why, rule = policy.check_password("my-juliet-word", { username = "juliet" });
        local ok = policy.check_password("my-juliet-word", nil);
        local _, _, other = policy.check_password("short");
        return policy.get_policy().length, rule, other, ok;
    """, "test.lua", border.lua.globals())
    answer = border.driver.call(chunk)
    assert tuple(map(border.to_python, answer)) == (9, "exclude_username", "length", True)
