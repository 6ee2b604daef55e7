"""Debian's modules that answer for a host: what it tells, counts, keeps and hands out."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from time import time

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.web import WebClient
from prosody_py.xmpp import ns

DISCO_INFO = "http://jabber.org/protocol/disco#info"
HTTP = {"http_ports": [0], "https_ports": []}


@pytest.fixture
def web():
    """Return a function that gives a web client of a server; all are closed at the end."""
    clients = []

    def connect(running):
        clients.append(WebClient(running.address("http")))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def disco(client):
    return client.iq("get", f"<query xmlns='{DISCO_INFO}'/>", "localhost").tags[0]


# -- what a host tells ---------------------------------------------------------------------


def test_clients_are_told_their_address(start_debian):
    client = start_debian("ipcheck").client("juliet")
    own = client.sock.getsockname()
    answer = client.iq("get", "<ip xmlns='urn:xmpp:sic:0'/>").tags[0]
    assert answer.get_text() == own[0]
    answer = client.iq("get", "<address xmlns='urn:xmpp:sic:1'/>").tags[0]
    assert (answer.get_child_text("ip"), answer.get_child_text("port")) == (own[0], str(own[1]))
    answer = client.iq("get", "<address xmlns='urn:xmpp:sic:1'/>", "romeo@localhost")
    assert answer.get_error()[1] == "forbidden"


@pytest.mark.parametrize(("options", "told"), [
    ({"contact_info": {"abuse": ["mailto:abuse@localhost", "xmpp:abuse@localhost"],
                       "support": ["https://localhost/"]}},
     {"abuse-addresses": ["mailto:abuse@localhost", "xmpp:abuse@localhost"],
      "support-addresses": ["https://localhost/"]}),
    ({"admins": ["root@localhost"]}, {"admin-addresses": ["xmpp:root@localhost"]})])
def test_contacts_of_the_server_are_told(start_each, options, told):
    client = start_each("server_contact_info", **options).client("juliet")
    form = disco(client).get_child("x", "jabber:x:data")
    fields = {field.attr["var"]: [tag.get_text() for tag in field.tags] for field in form.tags}
    assert fields.pop("FORM_TYPE") == ["http://jabber.org/network/serverinfo"]
    assert {name: values for name, values in fields.items() if values} == told


CATALOG = "urn:xmpp:sec-label:catalog:2"


def test_the_catalog_of_labels_is_shown(start_debian):
    client = start_debian("seclabels", security_catalog_name="House", security_labels=[
        {"name": "Public", "label": True, "default": True},
        {"name": "Secret", "color": "white", "bgcolor": "red",
         "label": "<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>AQ==</esssecuritylabel>"},
    ]).client("juliet")
    assert {"urn:xmpp:sec-label:0", CATALOG} <= {tag.attr.get("var") for tag in disco(client).tags}
    catalog = client.iq("get", f"<catalog xmlns='{CATALOG}' to='localhost'/>", "localhost").tags[0]
    assert (catalog.attr["name"], catalog.attr["to"]) == ("House", "localhost")
    public, secret = catalog.tags
    assert (public.attr["selector"], public.attr["default"]) == ("Public", "true")
    label = secret.get_child("securitylabel", "urn:xmpp:sec-label:0")
    marking = label.get_child("displaymarking")
    assert (marking.attr["fgcolor"], marking.attr["bgcolor"], marking.get_text()) == (
        "white", "red", "Secret")
    assert label.get_child("label").tags[0].attr["xmlns"] == "urn:xmpp:sec-label:ess:0"


def test_labels_without_configuration_are_nested(start_debian):
    client = start_debian("seclabels").client("juliet")
    catalog = client.iq("get", f"<catalog xmlns='{CATALOG}'/>", "localhost").tags[0]
    assert {item.attr["selector"] for item in catalog.tags} == {
        "Unclassified", "Classified|SECRET", "Classified|PUBLIC"}


def turn_password(secret, username):
    return base64.b64encode(hmac.digest(secret, username.encode(), "sha1")).decode()


def test_credentials_for_turn_are_handed_out(start_debian):
    client = start_debian("turncredentials", turncredentials_secret="key",
                          turncredentials_host="192.0.2.1").client("juliet")
    services = client.iq("get", "<services xmlns='urn:xmpp:extdisco:2'/>", "localhost").tags[0]
    turn = [tag.attr for tag in services.tags if tag.attr["type"] == "turn"]
    assert {attr["transport"] for attr in turn} == {"udp", "tcp"}
    assert turn[0]["host"] == "192.0.2.1" and turn[0]["port"] == "3478"
    assert int(turn[0]["username"]) > time() + 80000
    assert turn[0]["password"] == turn_password(b"key", turn[0]["username"])


def test_external_services_are_listed_with_credentials(start_debian):
    running = start_debian("external_services", "turn_external", turn_external_secret="key",
                           turn_external_host="turn.localhost", external_services=[
                               {"type": "ftp", "host": "ftp.localhost", "port": 21,
                                "transport": "tcp", "username": "u", "password": "p"}])
    client = running.client("juliet")
    xmlns = "urn:xmpp:extdisco:2"
    services = client.iq("get", f"<services xmlns='{xmlns}'/>", "localhost").tags[0]
    assert {tag.attr["type"] for tag in services.tags} >= {"ftp", "stun", "turn"}
    query = f"<services xmlns='{xmlns}' type='turn'/>"
    turn = client.iq("get", query, "localhost").tags[0].tags
    assert {tag.attr["type"] for tag in turn} == {"turn"}
    given = turn[0].attr
    assert given["password"] == turn_password(b"key", given["username"])
    expires = datetime.strptime(given["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert expires > datetime.now(UTC)
    query = (f"<credentials xmlns='{xmlns}'><service type='ftp' host='ftp.localhost' port='21'/>"
             "</credentials>")
    (ftp,) = client.iq("get", query, "localhost").tags[0].tags
    assert (ftp.attr["username"], ftp.attr["password"]) == ("u", "p")


# -- what accounts have from the beginning -------------------------------------------------


def test_who_has_no_bookmarks_gets_the_default_ones(start_debian):
    client = start_debian("default_bookmarks", modules=["private"], default_bookmarks=[
        "lobby@rooms.localhost",
        {"jid": "staff@rooms.localhost", "name": "Staff"}]).client("juliet")
    query = ("<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>%s</storage>"
             "</query>")

    def bookmarks():
        storage = client.iq("get", query % "").tags[0].get_child("storage", "storage:bookmarks")
        return [(tag.attr["jid"], tag.attr.get("name"), tag.get_child_text("nick"))
                for tag in storage.tags]

    assert bookmarks() == [("lobby@rooms.localhost", "lobby", "juliet"),
                           ("staff@rooms.localhost", "Staff", "juliet")]
    own = "<conference jid='mine@rooms.localhost'/>"
    assert client.iq("set", query % own).attr["type"] == "result"
    assert bookmarks() == [("mine@rooms.localhost", None, None)]


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_members_of_a_group_are_in_each_others_rosters(start_debian, tmp_path, storage):
    file = tmp_path / "groups.txt"
    file.write_text("[Capulets]\njuliet@localhost=Juliet\ntybalt@localhost=Tybalt\n"
                    "[+Everybody]\nnurse@localhost\n")
    running = start_debian("groups", groups_file=str(file), storage=storage)
    juliet, romeo = running.client("juliet"), running.client("romeo")

    def roster(client):
        query = client.iq("get", f"<query xmlns='{ns.ROSTER}'/>").tags[0]
        return {item.attr["jid"]: (item.attr.get("name"), item.attr["subscription"],
                                   [group.get_text() for group in item.tags])
                for item in query.tags}

    nurse = {"nurse@localhost": (None, "both", ["Everybody"])}
    assert roster(juliet) == {"tybalt@localhost": ("Tybalt", "both", ["Capulets"])} | nurse
    assert roster(romeo) == nurse
    juliet.iq("set", f"<query xmlns='{ns.ROSTER}'><item jid='paris@localhost'/></query>")
    assert len(roster(juliet)) == 3
    stored = running.server.storage.open("localhost", "roster").get("juliet")
    assert [jid for jid in stored if isinstance(jid, str) and "@" in jid] == ["paris@localhost"]
    tybalt = running.client("tybalt").available()
    juliet.available()
    tybalt.receive_until(lambda element: element.attr.get("from") == juliet.jid)


# -- what is counted and noted -------------------------------------------------------------


def test_stanzas_are_counted_and_shown(start_debian, debian_module, web):
    running = start_debian("stanza_counter", modules=["stanza_counter_http"],
                           more_folders=[str(debian_module("stanza_counter"))], **HTTP)
    juliet = running.client("juliet").available()
    juliet.iq("get", "<ping xmlns='urn:xmpp:ping'/>", "localhost")
    juliet.send("<message to='romeo@localhost' type='chat'><body>x</body></message>").flush()
    juliet.send("<message to='romeo@far.example' type='chat'><body>x</body></message>").flush()
    run = running.server.lua.lua.eval(
        b"function(G) local c = G.prosody.stanza_counter; return c.iq.incoming, "
        b"c.message.incoming, c.message.outgoing, c.presence.incoming; end")
    counts = running.server.lua.driver.call(run, running.server.lua.lua.globals())
    assert counts[0] >= 3 and counts[1:] == (1, 2, 1)
    answer = web(running).get("/stanza-counter/")  # it looks at a variable that nobody sets
    assert answer.status == 405 and "Only GET is supported" in answer.text


def flush_lua(running):
    """Write out what Lua's print has buffered."""
    runtime = running.server.lua
    runtime.driver.call(runtime.lua.eval(b"function() io.stdout:flush() end"))


def test_the_last_login_is_noted_and_the_inactive_are_listed(start_debian, capfd):
    running = start_debian("lastlog", "list_inactive", lastlog_ip_address=True)
    store = running.server.storage.open("localhost", "lastlog")
    client = running.client("juliet")
    wait_until(lambda: store.get("juliet"))
    assert (store.get("juliet")["event"], store.get("juliet")["ip"]) == ("login", "127.0.0.1")
    client.close()
    wait_until(lambda: store.get("juliet")["event"] == "logout")
    running.user("nobody")
    running.user("romeo")
    store.set("romeo", {"event": "login", "timestamp": int(time()) - 3 * 86400})
    lastlog, inactive = (running.server.modules.get_module("localhost", name).code
                         for name in ("lastlog", "list_inactive"))
    capfd.readouterr()
    assert lastlog.call("command", ["juliet@localhost"]) == 0
    inactive.call("command", ["localhost", "2day"])
    inactive.call("command", ["localhost", "1week", "event"])
    flush_lua(running)
    told = [line for line in capfd.readouterr().out.splitlines() if line]
    assert told[0].startswith("Last logout: ") and told[1] == "IP address: 127.0.0.1"
    assert sorted(told[2:4]) == ["nobody@localhost", "romeo@localhost"]
    assert [line.partition(" 1970")[0] for line in told[4:]] == ["nobody@localhost ?"]


def test_active_users_are_counted(start_debian, debian_module, web, tmp_path):
    metrics = debian_module("http_openmetrics")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / metrics.name).symlink_to(metrics)
    running = start_debian("measure_active_users", "lastlog2", modules=["http_openmetrics"],
                           more_folders=[str(tmp_path / "more")], statistics_interval="manual",
                           openmetrics_allow_ips=["127.0.0.1"], **HTTP)
    store = running.server.storage.open("localhost", "lastlog2")
    for name, days in (("yesterday", 2), ("lately", 20), ("long-ago", 60)):
        store.set(name, {"login": {"timestamp": int(time()) - days * 86400}})
    running.client("juliet")
    wait_until(lambda: store.get("juliet"))
    module = running.server.modules.get_module("localhost", "measure_active_users")
    assert module.exports.update_calculations() >= 3600  # its timer comes after 15 seconds
    page = web(running).get("/metrics")
    assert page.status == 200
    shown = {days: line.rpartition(" ")[2] for line in page.text.splitlines()
             for days in ("1d", "7d", "30d")
             if f"active_users_{days}" in line and not line.startswith("#")}
    assert {days: float(value) for days, value in shown.items()} == {"1d": 1, "7d": 2, "30d": 3}


# -- what is too long ----------------------------------------------------------------------


def test_long_messages_become_links(start_debian, web):
    running = start_debian("pastebin", pastebin_threshold=50, pastebin_line_threshold=3,
                           pastebin_trigger="!paste", **HTTP)
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))

    def said(text):
        juliet.send(f"<message to='{romeo.jid}' type='chat'><body>{text}</body></message>")
        return romeo.message()

    assert said("short").get_child_text("body") == "short"
    long = "wörd " * 20
    for text, paste in ((long, long), ("a\nb\nc\nd\ne", "a\nb\nc\nd\ne"), ("!paste hi", "hi")):
        message = said(text)
        summary, _, url = message.get_child_text("body").rpartition("\n")
        assert paste.strip().startswith(summary.strip()) and "/pastebin/" in url
        assert message.get_child("query", "jabber:iq:oob").get_child_text("url") == url
        assert message.get_child("html", "http://jabber.org/protocol/xhtml-im") is not None
        answer = web(running).get("/pastebin/" + url.rpartition("/")[2])
        assert (answer.status, answer.text) == (200, paste)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "expired" in web(running).get("/pastebin/nothing").text
