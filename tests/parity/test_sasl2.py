"""Debian's mod_sasl2 and what goes with it (XEP-0388, 0386, 0484, 0198), ours, and both together.

Each test runs with Debian's modules, with ours beside Debian's other modules, and with Debian's
bind2 and sm on top of our mod_sasl2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.client import wait_until
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamOpen

SASL2, BIND2, FAST, SM = "urn:xmpp:sasl:2", "urn:xmpp:bind:0", "urn:xmpp:fast:0", "urn:xmpp:sm:3"
AGENT = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>T</software></user-agent>"
OURS = {"ours": ("sasl2", "sasl2_bind2", "sasl2_fast", "sasl2_sm", "smacks"),
        "mixed": ("sasl2", "sasl2_fast", "smacks")}


def encode(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def connect(running, sender=None):
    """Return a client whose stream is open; `sender` is the address in its header."""
    client = running.connect()
    client.open()
    client.starttls().parser.reset()
    address = f" from='{sender}'" if sender else ""
    client.send(f"<?xml version='1.0'?><stream:stream to='localhost'{address} version='1.0' "
                f"xmlns='{ns.CLIENT}' xmlns:stream='{ns.STREAM}'>")
    assert isinstance(client.receive(), StreamOpen)
    client.features = client.receive()
    return client


def offered(client):
    """Return (mechanisms, what may be asked for at once)."""
    authentication = client.features.get_child("authentication", SASL2)
    inline = authentication.get_child("inline", SASL2)
    return ({tag.get_text() for tag in authentication.tags if tag.name == "mechanism"},
            {tag.name: tag for tag in inline.tags} if inline is not None else {})


def begin(client, mechanism, initial, more=""):
    client.send(f"<authenticate xmlns='{SASL2}' mechanism='{mechanism}'><initial-response>"
                f"{encode(initial)}</initial-response>{AGENT}{more}</authenticate>")
    return client.receive()


def plain(client, more="", password="secret"):
    return begin(client, "PLAIN", f"\0juliet\0{password}", more)


def bind(inside=""):
    return f"<bind xmlns='{BIND2}'><tag>Phone</tag>{inside}</bind>"


def jid_of(success):
    return success.get_child_text("authorization-identifier")


@pytest.fixture(params=[*KINDS, *OURS])
def start(request, start_with_modules):
    ours = OURS.get(request.param, ())
    kind = "lua54" if ours else request.param

    def run(*names, modules=(), **options):
        names = ("sasl2", *names)
        running = start_with_modules(
            *(name for name in names if name not in ours), lua_runtime=kind,
            modules=[*(name for name in names if name in ours), *modules], **options)
        running.user("juliet")
        return running

    return run


def test_a_scram_login_ends_with_the_servers_proof_and_features(start):
    client = connect(start())
    mechanisms, inline = offered(client)
    assert {"PLAIN", "SCRAM-SHA-1"} <= mechanisms and inline == {}
    bare = "n=juliet,r=" + secrets.token_hex(9)
    challenge = begin(client, "SCRAM-SHA-1", "n,," + bare)
    assert challenge.name == "challenge"
    first = base64.b64decode(challenge.get_text()).decode()
    fields = dict(part.split("=", 1) for part in first.split(","))
    salted = hashlib.pbkdf2_hmac("sha1", b"secret", base64.b64decode(fields["s"]),
                                 int(fields["i"]))
    final = f"c=biws,r={fields['r']}"
    signed = f"{bare},{first},{final}".encode()
    key = hmac.digest(salted, b"Client Key", "sha1")
    signature = hmac.digest(hashlib.sha1(key).digest(), signed, "sha1")
    proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
    client.send(f"<response xmlns='{SASL2}'>{encode(final + ',p=' + encode(proof))}</response>")
    success = client.receive()
    assert success.name == "success" and jid_of(success) == "juliet@localhost"
    verifier = hmac.digest(hmac.digest(salted, b"Server Key", "sha1"), signed, "sha1")
    assert base64.b64decode(success.get_child_text("additional-data")) == (
        b"v=" + base64.b64encode(verifier))
    assert client.receive().get_child("bind", ns.BIND) is not None  # features, no new stream
    assert client.bind("balcony").jid == "juliet@localhost/balcony"
    client.available()


def test_failures_are_told(start):
    running = start()
    client = connect(running)
    assert begin(client, "UNKNOWN", "x").get_child("invalid-mechanism", ns.SASL) is not None
    failure = plain(client, password="wrong")
    assert failure.name == "failure" and failure.get_child("not-authorized", ns.SASL) is not None
    assert plain(connect(running)).name == "success"
    assert running.client("juliet").jid  # the older way is there as well


def test_a_resource_is_bound_with_the_login(start):
    running = start("sasl2_bind2", "carbons", modules=["csi"])
    client = connect(running)
    inline = offered(client)[1]["bind"].get_child("inline", BIND2)
    assert {tag.attr["var"] for tag in inline.tags} >= {"urn:xmpp:carbons:2", "urn:xmpp:csi:0"}
    success = plain(client, bind("<enable xmlns='urn:xmpp:carbons:2'/>"
                                 "<inactive xmlns='urn:xmpp:csi:0'/>"))
    bound = success.get_child("bound", BIND2)
    assert bound.get_child("enabled", "urn:xmpp:carbons:2") is not None
    client.jid = jid_of(success)
    assert client.jid.startswith(("juliet@localhost/Phone~", "juliet@localhost/Phone/"))
    session = running.server.full_sessions[client.jid]
    assert session.extras["want_carbons"] and session.extras["state"] == "inactive"
    client.receive()  # the features
    client.available()
    other = running.client("juliet", "desk").available()
    romeo = running.client("romeo").available()
    romeo.send(f"<message to='{other.jid}' type='chat'><body>hello</body></message>").flush()
    assert client.message().get_child("received", "urn:xmpp:carbons:2") is not None
    again = connect(running)  # the same device gets the same resource
    assert jid_of(plain(again, bind())) == client.jid
    assert client.closed_with() == "conflict"


def token_login(running, token, more=""):
    """Log in with a token in place of the password."""
    client = connect(running, "juliet@localhost")
    hashed = hmac.digest(token.encode(), b"Initiator", "sha256")
    answer = begin(client, "HT-SHA-256-NONE", b"juliet\0" + hashed,
                   f"<fast xmlns='{FAST}'{more}/>")
    if answer.name == "success":
        expected = hmac.digest(token.encode(), b"Responder", "sha256")
        assert base64.b64decode(answer.get_child_text("additional-data")) == expected
    return answer


def test_a_token_takes_the_place_of_the_password(start):
    running = start("sasl2_fast")
    client = connect(running, "juliet@localhost")
    fast = offered(client)[1]["fast"]
    assert "HT-SHA-256-NONE" in {tag.get_text() for tag in fast.tags}
    success = plain(client, f"<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>")
    token = success.get_child("token", FAST)
    assert token.attr["expiry"] and token.attr["token"].startswith("secret-token:")
    token = token.attr["token"]
    for _ in range(2):
        assert jid_of(token_login(running, token)) == "juliet@localhost"
    assert token_login(running, "secret-token:guess").name == "failure"
    assert token_login(running, token, " invalidate='true'").name == "success"


def test_tokens_expire_and_are_exchanged(start):
    running = start("sasl2_fast", sasl2_fast_token_min_ttl=0, sasl2_fast_token_ttl=1000)
    client = connect(running, "juliet@localhost")
    success = plain(client, f"<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>")
    old = success.get_child("token", FAST).attr["token"]
    new = token_login(running, old).get_child("token", FAST).attr["token"]
    assert new != old and token_login(running, new).name == "success"
    store = running.server.storage.open("localhost", "fast_tokens")
    store.set("juliet", {key: {**token, "expires_at": 1}
                         for key, token in store.get("juliet").items()})
    assert token_login(running, new).get_child("credentials-expired", ns.SASL) is not None


def test_that_a_session_can_be_resumed_is_offered(start):
    # Prosody 0.12's mod_smacks has not what mod_sasl2_sm needs for more than that.
    mechanisms, inline = offered(connect(start("sasl2_bind2", "smacks", "sasl2_sm")))
    assert "PLAIN" in mechanisms and inline["sm"].attr["xmlns"] == SM
    features = inline["bind"].get_child("inline", BIND2).tags
    assert SM in {feature.attr["var"] for feature in features}


@pytest.mark.parametrize("runtime", KINDS)
def test_the_answer_tells_of_the_archive_and_what_is_in_it_is_not_delivered(
        start_with_modules, runtime):
    """XEP-0386 section 3.2, with Debian's archive and our modules."""
    running = start_with_modules("mam", modules=["sasl2_bind2", "offline"], lua_runtime=runtime,
                                 default_archive_policy=True)
    running.user("juliet")
    offline = running.server.storage.open("localhost", "offline", "archive")
    empty = plain(connect(running), bind()).get_child("bound", BIND2)
    assert empty.get_child("metadata", "urn:xmpp:mam:2").tags == []
    running.clients.pop().close()
    wait_until(lambda: not running.server.full_sessions)
    romeo = running.client("romeo").available()
    for number in range(3):
        romeo.send(f"<message to='juliet@localhost' type='chat'><body>{number}</body></message>")
    romeo.send("<message to='juliet@localhost' type='chat'><body>not archived</body>"
               "<store xmlns='urn:xmpp:hints'/></message>").flush()
    wait_until(lambda: len(list(offline.find("juliet")[0])) == 4)
    kept = [(id, stanza) for id, stanza, _when, _with in offline.find("juliet")[0]]
    offline.set("juliet", kept[3][0], kept[3][1].remove_children("stanza-id", "urn:xmpp:sid:0"))
    client = connect(running)
    success = plain(client, bind())
    metadata = success.get_child("bound", BIND2).get_child("metadata", "urn:xmpp:mam:2")
    first = kept[0][1].get_child("stanza-id", "urn:xmpp:sid:0").attr["id"]
    assert metadata.tags[0].name == "start" and metadata.tags[0].attr["id"] == first
    assert metadata.tags[1].name == "end" and metadata.tags[1].attr["timestamp"].endswith("Z")
    client.jid = jid_of(success)
    client.receive()
    client.send("<presence/>")
    assert client.message().get_child_text("body") == "not archived"
    assert [element for element in client.flush() if element.name == "message"] == []


WATCHER = """
    local st = require "util.stanza";
    local xmlns = "urn:example:watch";
    module:depends "sasl2";
    module:hook("advertise-sasl-features", function (event)
        event.features:tag("watch", { xmlns = xmlns, from = event.stream.from }):up();
    end);
    module:hook_tag("urn:xmpp:sasl:2", "authenticate", function (session, auth)
        session.watch_request = auth:get_child("watch", xmlns);
    end, 100);
    module:hook("authentication-success", function (event)
        local session = event.session;
        session.watched = session.sasl_handler.selected .. " " .. session.sasl_handler.username
            .. " " .. session.client_id .. " " .. session.user_agent.software;
    end);
    module:hook("sasl2/c2s/success", function (event)
        if event.session.watch_request then
            event.success:text_tag("watched", event.session.watched, { xmlns = xmlns });
        end
    end, 50);
    module:hook("sasl2/c2s/failure", function (event)
        if event.message == "not-authorized" then event.error_text = "No, " .. event.error_text; end
    end, 10);
    module:hook("authentication-failure", function (event)
        if event.condition == "invalid-mechanism" then event.condition = "mechanism-too-weak"; end
    end);
"""


@pytest.mark.parametrize("runtime", KINDS)
def test_modules_in_lua_take_part(start_with_modules, tmp_path, runtime):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "mod_watch.lua").write_text(WATCHER)
    running = start_with_modules(modules=["watch"], more_folders=[str(folder)],
                                 lua_runtime=runtime)
    running.user("juliet")
    client = connect(running, "juliet@localhost")
    assert offered(client)[1]["watch"].attr["from"] == "juliet@localhost"
    failure = plain(client, password="wrong")
    assert failure.get_child_text("text") == "No, Wrong user name or password."
    assert begin(client, "UNKNOWN", "x").get_child("mechanism-too-weak", ns.SASL) is not None
    success = plain(client, "<watch xmlns='urn:example:watch'/>")
    assert success.get_child_text("watched", "urn:example:watch") == (
        "PLAIN juliet d4565fa7-4d72-4749-b3d3-740edbf87770 T")
    assert jid_of(success) == "juliet@localhost" and client.receive().name == "features"
