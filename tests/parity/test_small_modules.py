"""Small modules of Debian's prosody-modules, each with what it is for."""

from __future__ import annotations

from gevent import socket

from prosody_py.testing.client import wait_until
from prosody_py.testing.web import WebClient

COMMANDS = "http://jabber.org/protocol/commands"
ATOM, PUBSUB = "http://www.w3.org/2005/Atom", "http://jabber.org/protocol/pubsub"
HTTP = {"http_ports": [0], "https_ports": []}


def run(client, node, inside="", **attributes):
    more = " ".join(f"{name}='{value}'" for name, value in attributes.items())
    return client.iq("set", f"<command xmlns='{COMMANDS}' node='{node}' {more}>{inside}</command>",
                     "localhost").tags[0]


def field(name, *values):
    inside = "".join(f"<value>{value}</value>" for value in values)
    return f"<field var='{name}'>{inside}</field>"


def test_a_public_microblog_is_an_atom_feed(start_debian, debian_module):
    running = start_debian("pep", "atom", modules=["http"], **HTTP,
                           more_folders=[str(debian_module("pep").parent)])
    juliet = running.client("juliet")
    options = ("<publish-options><x xmlns='jabber:x:data' type='submit'>"
               + field("FORM_TYPE", f"{PUBSUB}#publish-options")
               + field("pubsub#access_model", "open") + "</x></publish-options>")
    published = juliet.iq("set", f"<pubsub xmlns='{PUBSUB}'><publish node='urn:xmpp:microblog:0'>"
                          f"<item id='1'><entry xmlns='{ATOM}'><title>Night</title></entry></item>"
                          f"</publish>{options}</pubsub>")
    assert published.attr["type"] == "result"
    web = WebClient(running.address("http"))
    answer = web.get("/atom/juliet")
    assert answer.status == 200 and answer.headers["content-type"] == "application/xml"
    assert "<title>Night</title>" in answer.text and f"xmlns='{ATOM}'" in answer.text
    assert web.get("/atom/nobody").status == 404
    assert web.get("/atom/JULIET").headers["location"].endswith("/juliet")
    running.user("romeo")
    assert web.get("/atom/romeo").status == 403
    web.close()


def test_private_data_is_shown_by_a_command(start_debian):
    running = start_debian("adhoc", "private", "private_adhoc")
    juliet = running.client("juliet")
    assert "No data found" in str(run(juliet, "private_adhoc"))
    juliet.iq("set", "<query xmlns='jabber:iq:private'><notes xmlns='x:notes'>hi</notes></query>")
    form = run(juliet, "private_adhoc").get_child("x", "jabber:x:data")
    assert "<notes" in form.get_child("field").get_text() or "notes" in str(form)


def test_archive_preferences_are_a_form(start_debian, debian_module):
    running = start_debian("adhoc", "mam", "mam_adhoc", modules=["cron"],
                           more_folders=[str(debian_module("mam").parent)])
    juliet = running.client("juliet")
    first = run(juliet, "urn:xmpp:mam#configure")
    assert first.attr["status"] == "executing"
    form = ("<x xmlns='jabber:x:data' type='submit'>" + field("default", "roster")
            + field("always", "romeo@localhost") + field("never", "tybalt@localhost") + "</x>")
    done = run(juliet, "urn:xmpp:mam#configure", form, sessionid=first.attr["sessionid"],
               action="complete")
    assert done.attr["status"] == "completed"
    prefs = juliet.iq("get", "<prefs xmlns='urn:xmpp:mam:2'/>").tags[0]
    assert prefs.attr["default"] == "roster"
    assert prefs.get_child("always").get_child_text("jid") == "romeo@localhost"
    assert prefs.get_child("never").get_child_text("jid") == "tybalt@localhost"


def test_blocking_is_a_privacy_list(start_debian):
    running = start_debian("privacy_lists", "blocking", storage="sqlite")
    juliet, romeo = (running.client(name).available() for name in ("juliet", "romeo"))

    def block(name):
        return juliet.iq("set", f"<{name} xmlns='urn:xmpp:blocking'>"
                         "<item jid='romeo@localhost'/></block>".replace("block>", f"{name}>"))

    def listed():
        items = juliet.iq("get", "<blocklist xmlns='urn:xmpp:blocking'/>").tags[0].tags
        return [item.attr["jid"] for item in items]

    assert block("block").attr["type"] == "result" and listed() == ["romeo@localhost"]
    assert block("unblock").attr["type"] == "result" and listed() == []
    assert romeo.jid


def test_modules_follow_the_configuration(start_debian):
    running = start_debian("reload_modules", modules=["time"],
                           reload_modules=["time", "version", "uptime"])
    modules = running.server.hosts["localhost"].modules
    before = modules["time"]
    kept = running.options["modules_enabled"]
    running.write_config(modules_enabled=[*kept, "version"])
    running.reload_config()
    running.server.events.fire_event("config-reloaded", None)
    wait_until(lambda: "version" in modules and modules["time"] is not before)
    running.write_config(modules_enabled=[name for name in kept if name != "time"])
    running.reload_config()
    running.server.events.fire_event("config-reloaded", None)
    wait_until(lambda: "time" not in modules and "version" not in modules)


def test_apps_are_known_to_other_modules(start_debian):
    running = start_debian("register_apps", modules=["http"],
                           site_apps_show=["gajim", "monal"], site_apps_hide=["monal"], **HTTP)
    module = running.server.hosts["localhost"].modules["register_apps"]
    apps = module.shared("apps")
    assert apps["gajim"]["name"] == "Gajim" and "dino" not in apps and "monal" not in apps
    web = WebClient(running.address("http"))
    logo = web.get("/register_apps/assets/logos/gajim.svg")
    assert logo.status == 200 and b"<svg" in logo.body
    web.close()


def test_a_thing_connects_with_mqtt(start_debian):
    # The module miscounts the length of CONNECT, so what a real client sends next is lost.
    running = start_debian("pubsub", "pubsub_mqtt", host="pubsub.localhost", component=True,
                           pubsub_mqtt_ports=[0])
    with socket.create_connection(running.address("pubsub_mqtt"), 5) as sock:
        name = b"\0\x04MQTT\x04\x02\0\x3c\0\x04test"
        sock.sendall(b"\x10" + bytes((len(name),)) + name)
        assert sock.recv(4) == b"\x20\x02\0\0"
