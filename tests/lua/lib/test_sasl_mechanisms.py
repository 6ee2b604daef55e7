"""The mechanisms of util.sasl.*, against clients that are written here."""

import base64
import hashlib
import hmac

import pytest

HASHES = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
HANDLER = """
    local sasl = require "util.sasl";
    local function handler(profile, mechanism)
        local made = sasl.new("example.com", profile);
        assert(made:select(mechanism), "not offered");
        return made;
    end
    local passwords = { alice = "pencil", ["off"] = "pencil" };
    local plain = { plain = function (_, username)
        if username == "off" then return "pencil", false; end
        return passwords[username], passwords[username] and true or nil;
    end };
"""


class ScramClient:
    """The other side of SCRAM (RFC 5802 section 3)."""

    def __init__(self, name, username, password, gs2=b"n,,", binding=b""):
        self.hash, self.password = HASHES[name], password
        self.gs2, self.binding = gs2, binding
        self.bare = b"n=" + username + b",r=clientnonce"

    def first(self):
        return self.gs2 + self.bare

    def final(self, challenge, change=b""):
        nonce, salt, count = (part[2:] for part in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, base64.b64decode(salt), int(count))
        key = hmac.digest(salted, b"Client Key", self.hash)
        without = b"c=" + base64.b64encode(self.gs2 + self.binding) + b",r=" + nonce + change
        self.signed = self.bare + b"," + challenge + b"," + without
        stored = hashlib.new(self.hash, key).digest()
        signature = hmac.digest(stored, self.signed, self.hash)
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        self.expected = b"v=" + base64.b64encode(
            hmac.digest(hmac.digest(salted, b"Server Key", self.hash), self.signed, self.hash))
        return without + b",p=" + base64.b64encode(proof)


def talk(lua, client, mechanism, profile="plain", change=b""):
    """Return what the handler says at last, and its username."""
    process = lua.run(HANDLER + f"""
        local made = handler({profile}, "{mechanism}");
        return function (message)
            local status, data, text = made:process(message);
            return status, data, made.username;
        end;
    """)
    status, data, *rest = process(client.first())
    if status == b"challenge":
        status, data, *rest = process(client.final(data, change))
    return status, data, rest[0]


@pytest.mark.parametrize("name", HASHES)
def test_the_right_password_proves_itself_to_both_sides(lua, name):
    client = ScramClient(name, b"alice", b"pencil")
    assert talk(lua, client, "SCRAM-" + name) == (b"success", client.expected, b"alice")


@pytest.mark.parametrize(("username", "password", "expected"), [
    (b"alice", b"wrong", b"not-authorized"), (b"nobody", b"pencil", b"not-authorized"),
    (b"off", b"pencil", b"account-disabled"), (b"ali=2Cce=3D", b"x", b"not-authorized"),
    (b"ali=ce", b"x", b"malformed-request"), (b"a@b c", b"x", b"malformed-request")])
def test_other_passwords_and_names_fail(lua, username, password, expected):
    status, condition, _ = talk(lua, ScramClient("SHA-256", username, password), "SCRAM-SHA-256")
    assert (status, condition) == (b"failure", expected)


def test_an_unknown_name_looks_like_a_known_one_until_the_end(lua):
    code = HANDLER + """
        local function salt()
            local _, challenge = handler(plain, "SCRAM-SHA-1"):process("n,,n=nobody,r=x");
            return challenge:match(",(s=.*)$");
        end
        return salt() == salt(), salt();
    """
    same, text = lua.run(code)
    assert same and text.startswith(b"s=") and b",i=" in text


def test_stored_keys_are_enough(lua):
    profile = """{ scram_sha_1 = function (_, username, realm)
        local _, stored, server = require "util.sasl.scram".hashers["SHA-1"]("pencil", "salt",
            4096);
        return stored, server, 4096, "salt", true;
    end }"""
    client = ScramClient("SHA-1", b"alice", b"pencil")
    assert talk(lua, client, "SCRAM-SHA-1", profile)[:2] == (b"success", client.expected)


def test_keys_are_those_of_the_standard(lua):
    """The example of RFC 5802 section 5."""
    salted = hashlib.pbkdf2_hmac("sha1", b"pencil", b"A%\xc2G\xe4:\xb1\xe9<m\xffv", 4096)
    stored = hashlib.sha1(hmac.digest(salted, b"Client Key", "sha1")).digest()
    hasher = "require 'util.sasl.scram'.hashers['SHA-1']"
    ok, first, second = lua.run(f"return {hasher}('pencil', (...), 4096)",
                                b"A%\xc2G\xe4:\xb1\xe9<m\xffv")
    assert (ok, first, second) == (True, stored, hmac.digest(salted, b"Server Key", "sha1"))
    for call in ("('\\255', 's', 1)", "(nil, 's', 1)", "('p', 's', 'x')"):
        assert lua.run(f"return ({hasher}{call})") is False


BOUND = "{ plain = plain.plain, cb = { ['tls-exporter'] = function () return 'data'; end } }"


@pytest.mark.parametrize(("mechanism", "gs2", "binding", "expected"), [
    ("SCRAM-SHA-256-PLUS", b"p=tls-exporter,,", b"data", b"success"),
    ("SCRAM-SHA-256-PLUS", b"p=tls-exporter,,", b"other", b"failure"),
    ("SCRAM-SHA-256-PLUS", b"p=tls-unique,,", b"data", b"failure"),
    ("SCRAM-SHA-256-PLUS", b"n,,", b"", b"failure"),
    ("SCRAM-SHA-256", b"n,,", b"", b"success"),
    ("SCRAM-SHA-256", b"y,,", b"", b"failure"),  # somebody has cut our offer out
    ("SCRAM-SHA-256", b"p=tls-exporter,,", b"data", b"failure")])
def test_the_channel_is_part_of_the_proof(lua, mechanism, gs2, binding, expected):
    client = ScramClient("SHA-256", b"alice", b"pencil", gs2, binding)
    assert talk(lua, client, mechanism, BOUND)[0] == expected


def test_what_is_not_offered_cannot_be_selected(lua):
    assert lua.run(HANDLER + """
        local made = sasl.new("example.com", plain);
        local names = made:mechanisms();
        return names["SCRAM-SHA-256"], names["SCRAM-SHA-256-PLUS"], names.PLAIN, names.EXTERNAL,
            made:select("EXTERNAL"), made:select("PLAIN"), made:select("SCRAM-SHA-1"),
            made:clean_clone():select("SCRAM-SHA-1");
    """) == (True, None, True, None, None, True, None, True)


@pytest.mark.parametrize("message", [
    b"", b"n,,", b"n,,n=,r=x", b"n,,n=alice", b"x,,n=alice,r=x", b"n,,m=x,n=alice,r=x", b"\0" * 100,
    b"n,a=bob,n=alice,r=x", b"n,,n=alice,r=x" * 1000, b"\xff,,n=\xff,r=\xff"])
def test_bad_messages_end_the_exchange(lua, message):
    assert lua.run(HANDLER + """
        local made = handler(plain, "SCRAM-SHA-256");
        return (made:process((...))), (handler(plain, "SCRAM-SHA-256"):process(nil));
    """, message)[0] == b"failure"


def test_a_proof_is_tried_once(lua):
    client = ScramClient("SHA-256", b"alice", b"wrong")
    process = lua.run(HANDLER + """
        local made = handler(plain, "SCRAM-SHA-256");
        return function (message) return made:process(message); end;
    """)
    status, challenge = process(client.first())
    assert status == b"challenge"
    assert process(client.final(challenge))[:2] == (b"failure", b"not-authorized")
    client.password = b"pencil"
    assert process(client.final(challenge)) == (b"failure", b"malformed-request")
    assert process(client.first()) == (b"failure", b"malformed-request")


def test_extra_attributes_are_signed(lua):
    client = ScramClient("SHA-256", b"alice", b"pencil")
    assert talk(lua, client, "SCRAM-SHA-256", change=b",x=y")[0] == b"success"


# OAUTHBEARER and EXTERNAL -----------------------------------------------------------------------

OAUTH = """{ oidc_discovery_url = "https://a/b", oauthbearer = function (_, token, realm, authzid)
    if token == "off" then return "alice", false; end
    if token == "good" then return "alice", true, { scope = "x" }; end
end }"""


@pytest.mark.parametrize(("message", "expected"), [
    (b"n,,\x01auth=Bearer good\x01\x01", b"success"),
    (b"n,a=alice@example.com,\x01host=h\x01auth=bearer good\x01\x01", b"success"),
    (b"n,a=bob@example.com,\x01auth=Bearer good\x01\x01", b"failure"),
    (b"n,,\x01auth=Bearer bad\x01\x01", b"challenge"),
    (b"n,,\x01auth=Bearer off\x01\x01", b"failure"), (b"\x01", b"failure"), (b"", b"failure"),
    (b"n,,\x01auth=Basic good\x01\x01", b"failure"), (b"n,,\x01xauth=Bearer good\x01\x01",
        b"failure"),
    (b"n,,\x01auth=Bearer go od\x01\x01", b"failure"), (b"n,," + b"\x01" * 70_000, b"failure")])
def test_bearer_tokens_are_asked_about(lua, message, expected):
    status, data = lua.run(HANDLER + f"""
        local made = handler({OAUTH}, "OAUTHBEARER");
        local status, data = made:process((...));
        return status, status == "success" and made.token_info.scope or data;
    """, message)
    assert status == expected
    if expected == b"challenge":
        assert data == b'{"openid-configuration":"https://a/b","status":"invalid_token"}'


@pytest.mark.parametrize(("message", "expected"), [
    (b"n,a=alice@example.com,\x01auth=Bearer good\x01\x01", (b"success", b"alice")),
    (b"n,a=bob@example.com,\x01auth=Bearer good\x01\x01", (b"challenge", None)),
    (b"n,a=alice@example.org,\x01auth=Bearer good\x01\x01", (b"challenge", None)),
    (b"n,,\x01auth=Bearer good\x01\x01", (b"challenge", None))])
def test_older_profiles_are_asked_for_the_name_that_is_claimed(lua, message, expected):
    assert lua.run(HANDLER + """
        local made = handler({ oauthbearer = function (_, username, token, realm)
            return username == "alice" and token == "good" and realm == "example.com", true;
        end }, "OAUTHBEARER");
        local status = made:process((...));
        return status, made.username;
    """, message) == expected


def test_mechanisms_of_modules_join_the_others(lua):
    assert lua.run(HANDLER + """
        sasl.registerMechanism("X-ECHO", { "echo" }, function (self, message)
            self.username = message;
            return "success";
        end);
        local names = {};
        require "util.sasl.external".init(function (name) names[#names + 1] = name; end);
        local made = handler({ echo = true }, "X-ECHO");
        local external = handler({ external = function (m) return m ~= "" and m or nil,
            "invalid-authzid"; end },
            "EXTERNAL");
        return made:process("me"), made.username, names[1], external:process(nil),
            external:process("me"),
            select(2, external:process("")), (external:process("\\255"));
    """) == (b"success", b"me", b"EXTERNAL", b"challenge", b"success", b"invalid-authzid",
        b"failure")
