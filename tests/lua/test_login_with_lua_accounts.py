"""Accounts of a Lua module: clients log in by what the profile of its SASL handler has."""

from __future__ import annotations

import base64

import pytest

from prosody_py.lua.runtime import KINDS

PROVIDER = """
    local new_sasl = require "util.sasl".new;
    local usermanager = require "core.usermanager";
    local passwords = { juliet = "geheim", romeo = "offen" };
    local provider = {};
    function provider.user_exists(name) return passwords[name] ~= nil; end
    function provider.test_password(name, password)
        if passwords[name] == password then return true; end
        return nil, "Auth failed";
    end
    function provider.get_sasl_handler() return new_sasl(module.host, %s); end
    module:provides("auth", provider);
"""
PLAIN = """{ plain = function (_, name)
    return passwords[name] or "", passwords[name] and true; end }"""
PLAIN_TEST = """{ plain_test = function (_, name, password, realm)
    return usermanager.test_password(name, realm, password), true; end }"""


@pytest.fixture(params=KINDS)
def start(request, start_server, tmp_path):
    """Return a function that starts a server with the accounts; it takes the profile."""
    def make(profile):
        folder = tmp_path / "plugins"
        folder.mkdir()
        (folder / "mod_auth_own.lua").write_text(PROVIDER % profile)
        return start_server([], plugin_paths=[str(folder)], authentication="own",
                            lua_runtime=request.param)

    return make


def login(running, username, password, mechanism):
    client = running.connect()
    client.open()
    names = [tag.get_text() for tag in client.starttls().open().get_child(
        "mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl").tags]
    assert mechanism in names
    if mechanism == "PLAIN":
        client.sasl_auth("PLAIN", f"\0{username}\0{password}".encode())
        return client.receive().name
    return client.scram(username, password, mechanism).name


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"])
def test_a_known_password_is_good_for_plain_and_scram(start, mechanism):
    running = start(PLAIN)
    assert login(running, "juliet", "geheim", mechanism) == "success"
    for username, password in (("juliet", "falsch"), ("nobody", "geheim"), ("nobody", "")):
        assert login(running, username, password, mechanism) == "failure"


def test_the_salt_does_not_tell_who_has_an_account(start):
    running = start(PLAIN)

    def salt(username):
        client = running.connect()
        client.open()
        client.sasl_auth("SCRAM-SHA-1", f"n,,n={username},r=abcdef".encode())
        fields = base64.b64decode(client.receive().get_text()).decode().split(",")
        return fields[1:]

    assert salt("juliet") == salt("juliet") != salt("romeo")
    assert salt("nobody") == salt("nobody")
    assert [len(part) for part in salt("nobody")] == [len(part) for part in salt("juliet")]


def test_a_profile_may_ask_the_accounts_themselves(start):
    running = start(PLAIN_TEST)
    assert login(running, "juliet", "geheim", "PLAIN") == "success"
    assert login(running, "juliet", "falsch", "PLAIN") == "failure"
