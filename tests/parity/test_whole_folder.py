"""`plugin_paths` at the whole folder of an installed Prosody's modules, a list like its own."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS

ENABLED = ["disco", "roster", "saslauth", "tls", "blocklist", "bookmarks", "carbons", "limits",
           "pep", "private", "smacks", "vcard4", "vcard_legacy", "csi_simple", "invites",
           "invites_adhoc", "invites_register", "ping", "register", "time", "uptime", "version",
           "mam", "admin_adhoc", "admin_shell", "posix", "lastactivity", "groups",
           "server_contact_info", "announce", "welcome", "watchregistrations", "motd",
           "tombstones"]
OWN = {"admin_shell", "admin_socket", "c2s", "posix"}


@pytest.fixture(params=KINDS)
def running(request, start_server, debian, guarded):
    return start_server(
        plugin_paths=[str(debian / "prosody/usr/lib/prosody/modules")], lua_runtime=request.param,
        modules_enabled=ENABLED, limits={"c2s": {"rate": "100kb/s"}}, log={"level": "info"},
        components={"rooms.localhost": {"module": "muc", "modules_enabled": ["muc_mam"]}})


def test_everything_enabled_is_prosodys_but_for_what_the_server_has_in_itself(running):
    modules = running.server.modules
    loaded = {name: module.code.language for host in ("*", "localhost", "rooms.localhost")
              for name, module in modules.get_modules(host).items()}
    assert set(ENABLED) <= set(loaded)
    assert {name for name, language in loaded.items() if language != "lua"} == OWN


def test_clients_log_in_over_tls_and_talk(running):
    juliet = running.client("juliet", "balcony", tls=True, mechanism="SCRAM-SHA-1").available()
    romeo = running.client("romeo", "orchard", tls=True).available()
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>").flush()
    assert juliet.presence().attr["type"] == "subscribe"
    juliet.send("<presence type='subscribed' to='romeo@localhost'/>").flush()
    roster = romeo.iq("get", "<query xmlns='jabber:iq:roster'/>").tags[0].tags
    assert [(item.attr["jid"], item.attr["subscription"]) for item in roster] == [
        ("juliet@localhost", "to")]
    romeo.send("<message to='juliet@localhost' type='chat'><body>Hail</body></message>")
    message = juliet.message()
    assert message.get_child_text("body") == "Hail"
    assert message.get_child("stanza-id", "urn:xmpp:sid:0") is not None
    juliet.send("<presence type='unavailable'/>").flush()
    gone = romeo.receive_until(lambda element: element.attr.get("type") == "unavailable")
    assert gone.attr["from"] == juliet.jid
    romeo.send("<message to='juliet@localhost' type='chat'><body>Later</body></message>").flush()
    juliet.send("<presence/>")
    assert juliet.message().get_child_text("body") == "Later"


def test_an_account_is_removed_over_the_stream(running):
    client = running.client("juliet", "balcony")
    removed = client.iq("set", "<query xmlns='jabber:iq:register'><remove/></query>")
    assert removed.attr["type"] == "result"
    assert client.closed_with() == "not-authorized"
    assert "juliet" not in running.server.hosts["localhost"].sessions
