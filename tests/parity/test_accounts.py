"""Authentication modules of Debian: clients log in with their accounts."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.hosts.users import AccountError


def test_accounts_with_passwords_log_in(start_debian):
    running = start_debian("auth_internal_plain", authentication="internal_plain")
    server = running.server
    assert server.hosts["localhost"].users.name == "internal_plain"
    users.create_user(server, "juliet", "secret", "localhost")
    assert list(users.provider(server, "localhost").users()) == ["juliet"]
    client = running.connect().login("juliet", tls=True, mechanism="PLAIN")
    assert client.jid.startswith("juliet@localhost/")
    users.set_password(server, "juliet", "other", "localhost")
    for name, password in (("juliet", "secret"), ("romeo", "secret"), ("romeo", "")):
        client = running.connect()
        client.open()
        client.starttls().open()
        client.sasl_auth("PLAIN", f"\0{name}\0{password}".encode())
        assert client.receive().name == "failure"
    with pytest.raises(AccountError, match="not available"):
        users.set_password(server, "romeo", "other", "localhost")
    users.delete_user(server, "juliet", "localhost")
    assert not users.user_exists(server, "juliet", "localhost")


def test_keys_of_a_lua_module_serve_scram(start_debian, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "mod_auth_keys.lua").write_text("""
        local sasl, hashes = require "util.sasl", require "util.hashes";
        local salt, count = "\\0\\255salt", 4096;
        local salted = hashes.pbkdf2_hmac_sha1("secret", salt, count);
        local stored_key = hashes.sha1(hashes.hmac_sha1(salted, "Client Key"));
        local server_key = hashes.hmac_sha1(salted, "Server Key");
        local provider = { user_exists = function (name) return name == "juliet"; end };
        function provider.get_sasl_handler()
            return sasl.new(module.host, { scram_sha_1 = function (_, name)
                if name ~= "juliet" then return nil; end
                return stored_key, server_key, count, salt, true;
            end });
        end
        module:provides("auth", provider);
    """)
    running = start_debian("time", authentication="keys", modules_enabled=["saslauth", "tls"],
                           more_folders=[str(folder)])
    client = running.connect().login("juliet", mechanism="SCRAM-SHA-1")
    assert client.jid.startswith("juliet@localhost/")
    client = running.connect()
    client.open()
    with pytest.raises(AssertionError, match="failure"):
        client.authenticate("juliet", "wrong")


@pytest.mark.parametrize(("message", "answer"), [
    (b"\0juliet\0secret", ("success",)), (b"\0juliet\0wrong", ("failure", "not-authorized")),
    (b"juliet@localhost\0juliet\0secret", ("success",)),
    (b"romeo@localhost\0juliet\0secret", ("failure", "invalid-authzid")),
    (b"juliet", ("failure", "malformed-request"))])
def test_modules_can_conduct_a_login_themselves(start_debian, message, answer):
    running = start_debian("time")
    running.user("juliet")
    runtime = running.server.lua
    code = runtime.compile(b"""
        local handler = require "core.usermanager".get_sasl_handler("localhost");
        assert(handler:mechanisms().PLAIN);
        assert(handler:select("PLAIN"));
        local status, condition = handler:process(...);
        assert(status ~= "success" or handler.username == "juliet");
        return status, condition;
    """, "test", runtime.lua.globals())
    result = tuple(map(runtime.to_python, runtime.driver.call(code, message)))
    assert result[:len(answer)] == answer
