"""An account that is removed leaves nothing behind, in no store of any module."""

from __future__ import annotations

import sqlite3

import gevent
import pytest

from prosody_py.hosts import users
from prosody_py.testing.client import Closed, wait_until
from prosody_py.testing.managed import enable

MODULES = """
account_activity blocklist bookmarks carbons client_management cloud_notify csi csi_simple groups
groups_internal invites lastactivity mam mds message mimicking motd muc_unique offline pep presence
private register roster sasl2_bind2 sasl2_fast smacks spam_reporting strangers iq adhoc
user_account_management vcard4 vcard_legacy vjud welcome announce invites_adhoc
""".split()
ROOMS, NODES = "rooms.localhost", "pubsub.localhost"
NAME = "quasimodo"
PUBSUB, MUC = "http://jabber.org/protocol/pubsub", "http://jabber.org/protocol/muc"
DATA = "jabber:x:data"


@pytest.fixture
def running(start_server):
    return start_server(
        MODULES, storage="sqlite", allow_registration=True, components={
            ROOMS: {"module": "muc", "modules_enabled": ["muc_mam", "vcard_legacy"],
                    "muc_room_default_persistent": True, "muc_room_locking": False},
            NODES: {"module": "pubsub", "modules_enabled": ["disco"], "add_permissions": {
                "prosody:registered": ["pubsub:create-node"]}}})


def traces(running):
    """Return where the name is in the file: [(host, store, table, owner, content)]."""
    found = []
    database = sqlite3.connect(f"{running.folder}/data/prosody.sqlite")
    stores = {id: (host, name) for id, host, name in database.execute(
        "SELECT id, host, name FROM store")}
    for table in ("item", "archive", "archive_size"):
        for row in database.execute(f"SELECT * FROM {table}"):
            if any(NAME in str(column.decode("utf-8", "replace") if isinstance(column, bytes)
                               else column) for column in row):
                columns = dict(zip([column[1] for column in database.execute(
                    f"PRAGMA table_info({table})")], row, strict=True))
                found.append((*stores[columns["store"]], table, columns["user"], row))
    database.close()
    return found


def ask(client, type, payload, to=None):
    answer = client.iq(type, payload, to)
    assert answer.attr["type"] == "result", str(answer)
    return answer


def publish(client, node, id="current", payload="<x xmlns='urn:x'/>", to=None):
    ask(client, "set", f"<pubsub xmlns='{PUBSUB}'><publish node='{node}'><item id='{id}'>{payload}"
        "</item></publish></pubsub>", to)


def live(running, client):
    """Let an account do everything that leaves something behind."""
    ask(client, "get", "<query xmlns='jabber:iq:roster'/>")
    ask(client, "set", "<query xmlns='jabber:iq:roster'><item jid='esmeralda@localhost' name='E'/>"
        "</query>")
    client.send("<presence type='subscribe' to='esmeralda@localhost'/>")
    ask(client, "set", "<block xmlns='urn:xmpp:blocking'><item jid='frollo@localhost'/></block>")
    ask(client, "set", f"<vCard xmlns='vcard-temp'><FN>{NAME}</FN><PHOTO><TYPE>image/png</TYPE>"
        "<BINVAL>eA==</BINVAL></PHOTO></vCard>")
    ask(client, "set", "<query xmlns='jabber:iq:private'><a xmlns='urn:a'>b</a></query>")
    ask(client, "set", "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>")
    ask(client, "set", "<enable xmlns='urn:xmpp:push:0' jid='push.localhost' node='n'/>")
    publish(client, "urn:x:node")
    publish(client, "urn:xmpp:mds:displayed:0", "esmeralda@localhost",
            "<displayed xmlns='urn:xmpp:mds:displayed:0'/>")
    ask(client, "set", f"<pubsub xmlns='{PUBSUB}#owner'><delete node='urn:x:node'>"
        "<redirect uri='xmpp:elsewhere'/></delete></pubsub>")
    publish(client, "urn:x:other")
    client.send("<message to='esmeralda@localhost' type='chat' id='m'><body>bells</body></message>")
    client.send(f"<presence to='hall@{ROOMS}/bell'><x xmlns='{MUC}'/></presence>")
    ask(client, "set", f"<query xmlns='jabber:iq:register'><x xmlns='{DATA}' type='submit'>"
        f"<field var='FORM_TYPE'><value>{MUC}#register</value></field><field var='muc#register_"
        "roomnick'><value>ringer</value></field></x></query>", f"hall@{ROOMS}")
    ask(client, "set", f"<pubsub xmlns='{PUBSUB}'><create node='mine'/></pubsub>", NODES)
    publish(client, "mine", to=NODES)
    ask(client, "set", f"<pubsub xmlns='{PUBSUB}'><subscribe node='theirs' jid='{client.jid}'/>"
        "</pubsub>", NODES)
    ask(client, "set", "<command xmlns='http://jabber.org/protocol/commands' node="
        "'urn:xmpp:invite#invite'/>", "localhost")


def waiting(running):
    """Let a second client of the account wait, with something that it has not got."""
    other = running.client(NAME, "other").available()
    enable(other)
    other.send("<message to='esmeralda@localhost' type='chat'><body>x</body></message>").flush()
    other.sock.close()
    return other


def test_nothing_is_left_of_an_account(running):
    esmeralda = running.client("esmeralda", "r").available()
    ask(esmeralda, "set", f"<pubsub xmlns='{PUBSUB}'><create node='theirs'/></pubsub>", NODES)
    publish(esmeralda, "private")
    ask(esmeralda, "set", f"<pubsub xmlns='{PUBSUB}#owner'><affiliations node='private'>"
        f"<affiliation jid='{NAME}@localhost' affiliation='member'/></affiliations></pubsub>")
    esmeralda.send(f"<presence to='hall@{ROOMS}/e'><x xmlns='{MUC}'/></presence>").flush()
    client = running.client(NAME, "r").available()
    live(running, client)
    waiting(running)
    esmeralda.send(f"<message to='{NAME}@localhost/other' type='chat'><body>y</body></message>")
    esmeralda.flush()
    assert {(host, store) for host, store, *_ in traces(running)} >= {
        ("localhost", "accounts"), ("localhost", "archive"), (ROOMS, "config"),
        (NODES, "pubsub_nodes")}
    try:
        client.iq("set", "<query xmlns='jabber:iq:register'><remove/></query>")
        client.flush()
    except Closed:
        pass
    removing = running.server.hosts["localhost"].removing
    wait_until(lambda: NAME not in removing
               and not users.user_exists(running.server, NAME, "localhost"))
    esmeralda.flush()
    gevent.sleep(0.3)  # what a handler writes after the account is gone would be there by now
    left = [trace for trace in traces(running) if trace[:2] != ("localhost", "archive")
            and not trace[1].startswith("pubsub_mine")]
    assert left == []  # what was said belongs to those it was said to
    assert all(owner == "esmeralda" for _host, store, _table, owner, _row in traces(running)
               if store == "archive")
