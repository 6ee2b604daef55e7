"""Debian's mod_component: services outside the server (XEP-0114), and what they may be allowed.

Delegated namespaces are XEP-0355, privileges XEP-0356.
"""

from __future__ import annotations

import hashlib

import pytest

from prosody_py.hosts.roster import RosterItem, commit, load_roster
from prosody_py.testing.client import Client, wait_until
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamOpen

ACCEPT = "jabber:component:accept"
BRIDGE = "bridge.localhost"
DELEGATION, PRIVILEGE = "urn:xmpp:delegation:2", "urn:xmpp:privilege:2"
FORWARD = "urn:xmpp:forward:0"
DISCO = "http://jabber.org/protocol/disco#info"


class Component(Client):
    """A service that speaks XEP-0114."""

    def open(self, to=None):
        """Open the stream; return its id."""
        self.parser.reset()
        self.send(f"<stream:stream to='{to or self.host}' xmlns='{ACCEPT}' "
                  f"xmlns:stream='{ns.STREAM}'>")
        header = self.receive()
        assert isinstance(header, StreamOpen) and header.default_ns == ACCEPT
        return header.attr.get("id")

    def handshake(self, secret):
        """Say that it knows the secret."""
        token = hashlib.sha1((self.open() + secret).encode()).hexdigest()
        return self.send(f"<handshake>{token}</handshake>")

    def login(self, secret="secret"):
        """Do everything up to the server's answer."""
        self.handshake(secret)
        assert self.receive().name == "handshake"
        return self

    def say(self, to, body, sender=BRIDGE):
        """Send a message from one of its addresses."""
        return self.send(f"<message from='{sender}' to='{to}'><body>{body}</body></message>")


class Stage:
    """A server with a component's host."""

    def __init__(self, start, *names, options=None, modules=(), **more):
        self.running = start(
            *names, "component", component_ports=[0], modules=["disco", *modules],
            components={BRIDGE: {"module": "component", "component_secret": "secret",
                                 "modules_enabled": list(names), **(options or {})}}, **more)

    def component(self):
        component = Component(self.running.address("component"), BRIDGE, timeout=5)
        self.running.clients.append(component)
        return component


@pytest.fixture
def stage(start_hosts):
    return lambda *names, **options: Stage(start_hosts, *names, **options)


def test_who_knows_the_secret_is_the_component_and_nobody_else(stage):
    place = stage()
    assert place.component().handshake("wrong").closed_with() == "not-authorized"
    component = place.component().login()
    assert place.component().handshake("secret").closed_with() == "conflict"
    unknown = place.component()
    unknown.send(f"<stream:stream to='elsewhere.example' xmlns='{ACCEPT}' "
                 f"xmlns:stream='{ns.STREAM}'>")
    assert unknown.closed_with() == "host-unknown"
    juliet = place.running.client("juliet").available()
    component.say(juliet.jid, "still here")
    assert juliet.message().get_child_text("body") == "still here"


def test_a_new_connection_replaces_the_old_one_where_that_is_wanted(stage):
    place = stage(options={"component_conflict_resolve": "kick_old"})
    old = place.component().login()
    place.component().login().say("nobody@localhost", "x")
    assert old.closed_with() == "conflict"


def test_stanzas_go_both_ways(stage):
    place = stage()
    component = place.component().login()
    juliet = place.running.client("juliet").available()
    juliet.send(f"<message to='romeo@{BRIDGE}/x' id='m1' type='chat'><body>Ay me</body>"
                "</message>")
    message = component.receive()
    assert (message.name, message.attr["from"], message.attr["to"], message.attr["id"]) == (
        "message", juliet.jid, f"romeo@{BRIDGE}/x", "m1")
    assert message.get_child_text("body") == "Ay me"
    component.say(juliet.jid, "She speaks", f"romeo@{BRIDGE}/x")
    message = juliet.message()
    assert message.attr["from"] == f"romeo@{BRIDGE}/x"
    assert message.get_child_text("body") == "She speaks"
    juliet.send(f"<iq type='get' id='v1' to='{BRIDGE}'><query xmlns='jabber:iq:version'/></iq>")
    request = component.receive()
    assert request.get_child("query", "jabber:iq:version") is not None
    component.send(f"<iq type='result' id='v1' from='{BRIDGE}' to='{juliet.jid}'>"
                   "<query xmlns='jabber:iq:version'><name>Bridge</name></query></iq>")
    answer = juliet.receive()
    assert answer.tags[0].get_child_text("name") == "Bridge"
    juliet.send(f"<presence to='romeo@{BRIDGE}'/>")
    assert component.receive().attr["from"] == juliet.jid
    juliet.close()
    assert component.receive().attr["type"] == "unavailable"


def test_a_component_speaks_for_its_own_addresses_alone(stage):
    place = stage()
    component = place.component().login()
    component.say("juliet@localhost", "it is me", sender="romeo@localhost")
    assert component.closed_with() == "invalid-from"


def test_without_its_component_a_host_answers_for_it(stage):
    place = stage(options={"name": "The bridge"})
    juliet = place.running.client("juliet").available()

    def bounced():
        juliet.send(f"<message to='romeo@{BRIDGE}' type='chat'><body>?</body></message>")
        return juliet.message().get_error()[:2]

    assert bounced() == ("wait", "remote-server-timeout")
    (identity, *_) = juliet.iq("get", f"<query xmlns='{DISCO}'/>", BRIDGE).tags[0].tags
    assert identity.attr["name"] == "The bridge"
    component = place.component().login()
    juliet.send(f"<message to='romeo@{BRIDGE}' type='chat'><body>there</body></message>")
    assert component.receive().get_child_text("body") == "there"
    component.sock.close()
    module = place.running.server.modules.get_module(BRIDGE, "component")
    wait_until(lambda: "Disconnected" in str(module.status_message))
    assert bounced() == ("wait", "remote-server-timeout")
    place.component().login()


def test_what_is_no_xml_ends_the_stream(stage):
    place = stage()
    component = place.component().login()
    assert component.send("<message><</message>").closed_with() == "not-well-formed"
    place.component().login()


def delegated(component):
    """Answer the questions about features; return the namespaces that are delegated."""
    asked = []
    while True:
        element = component.receive()
        if element.name == "message":
            assert element.attr["from"] == "localhost" and len(asked) == 2
            told = element.get_child("delegation", DELEGATION)
            return [tag.attr["namespace"] for tag in told.tags]
        node = element.tags[0].attr["node"]
        asked.append(node)
        feature = "urn:example:main" if node.startswith(DELEGATION + "::") else "urn:example:bare"
        component.send(f"<iq type='result' id='{element.attr['id']}' from='{BRIDGE}' "
                       f"to='localhost'><query xmlns='{DISCO}' node='{node}'>"
                       f"<feature var='{feature}'/></query></iq>")


def test_a_delegated_namespace_is_answered_by_the_component(stage):
    place = stage("delegation", delegations={"urn:example:shop": {"jid": BRIDGE}},
                  modules=["delegation"])
    juliet = place.running.client("juliet").available()
    question = "<query xmlns='urn:example:shop'/>"
    assert juliet.iq("get", question, "localhost").get_error()[1] == "service-unavailable"
    component = place.component().login()
    assert delegated(component) == ["urn:example:shop"]
    for to in (None, "localhost"):
        address = f" to='{to}'" if to else ""
        juliet.send(f"<iq type='get' id='d1'{address}>{question}</iq>")
        outer = component.receive()
        inner = outer.get_child("delegation", DELEGATION).get_child("forwarded", FORWARD).tags[0]
        assert inner.attr["from"] == juliet.jid
        assert inner.tags[0].attr["xmlns"] == "urn:example:shop"
        component.send(
            f"<iq type='result' id='{outer.attr['id']}' from='{BRIDGE}' to='localhost'>"
            f"<delegation xmlns='{DELEGATION}'><forwarded xmlns='{FORWARD}'>"
            f"<iq xmlns='jabber:client' type='result' id='d1' to='{juliet.jid}'>"
            f"<query xmlns='urn:example:shop'><goods/></query></iq>"
            "</forwarded></delegation></iq>")
        answer = juliet.receive_until(lambda element: element.attr.get("id") == "d1")
        assert answer.attr["type"] == "result" and answer.tags[0].tags[0].name == "goods"
    info = juliet.iq("get", f"<query xmlns='{DISCO}'/>", "localhost").tags[0]
    assert "urn:example:main" in {tag.attr.get("var") for tag in info.tags}


@pytest.fixture
def privileged(stage):
    """Return (server, component, what it was told) with privileges of each kind."""
    place = stage("privilege", modules=["privilege", "private"], privileged_entities={BRIDGE: {
        "roster": "both", "message": "outgoing", "presence": "roster",
        "iq": {"jabber:iq:private": "both"}}})
    return place


def test_a_privileged_component_is_told_what_it_may(privileged):
    component = privileged.component().login()
    told = component.receive().get_child("privilege", PRIVILEGE)
    assert {tag.attr["access"]: tag.attr.get("type") for tag in told.tags} == {
        "roster": "both", "message": "outgoing", "presence": "roster", "iq": None}


def test_a_privileged_component_reads_and_changes_rosters(privileged):
    running = privileged.running
    component = privileged.component().login()
    component.receive()
    juliet = running.client("juliet")
    roster = load_roster(running.server, "juliet", "localhost")
    with roster.lock:
        commit(running.server, roster, "romeo@localhost",
               RosterItem("both", name="Romeo", groups=["Friends"]))
    juliet.iq("get", f"<query xmlns='{ns.ROSTER}'/>")
    component.send(f"<iq type='get' id='r1' from='{BRIDGE}' to='juliet@localhost'>"
                   f"<query xmlns='{ns.ROSTER}'/></iq>")
    answer = component.receive()
    (item,) = answer.tags[0].tags
    assert (item.attr["jid"], item.attr["subscription"], item.attr["name"]) == (
        "romeo@localhost", "both", "Romeo")
    assert item.tags[0].get_text() == "Friends"
    component.send(f"<iq type='set' id='r2' from='{BRIDGE}' to='juliet@localhost'>"
                   f"<query xmlns='{ns.ROSTER}'><item jid='pigeon@{BRIDGE}' name='Pigeon' "
                   "subscription='to'/></query></iq>")
    assert component.receive().attr["type"] == "result"
    push = juliet.receive_until(lambda element: element.attr.get("type") == "set")
    assert push.tags[0].tags[0].attr["name"] == "Pigeon"
    item = load_roster(running.server, "juliet", "localhost")[f"pigeon@{BRIDGE}"]
    assert (item.subscription, item.name) == ("to", "Pigeon")


def test_a_privileged_component_speaks_for_users(privileged):
    component = privileged.component().login()
    component.receive()
    juliet, romeo = (privileged.running.client(name).available() for name in ("juliet", "romeo"))
    component.send(f"<message from='{BRIDGE}' to='localhost'><privilege xmlns='{PRIVILEGE}'>"
                   f"<forwarded xmlns='{FORWARD}'><message xmlns='jabber:client' "
                   f"from='juliet@localhost' to='{romeo.jid}' type='chat'><body>by bridge</body>"
                   "</message></forwarded></privilege></message>")
    message = romeo.message()
    while message.attr["from"] == "localhost":  # what each client is told of its privileges
        message = romeo.message()
    assert message.attr["from"] == "juliet@localhost"
    assert message.get_child_text("body") == "by bridge"


def test_a_privileged_component_asks_as_a_user(privileged):
    component = privileged.component().login()
    component.receive()
    privileged.running.user("juliet")

    def ask(type, payload):
        component.send(
            f"<iq type='{type}' id='o1' from='{BRIDGE}' to='juliet@localhost'>"
            f"<privileged_iq xmlns='{PRIVILEGE}'><iq xmlns='jabber:client' type='{type}' id='i1'>"
            f"{payload}</iq></privileged_iq></iq>")
        return component.receive()

    stored = "<query xmlns='jabber:iq:private'>{}</query>"
    answer = ask("set", stored.format("<note xmlns='urn:example:note'>x</note>"))
    assert answer.attr["type"] == "result", str(answer)
    answer = ask("get", stored.format("<note xmlns='urn:example:note'/>"))
    inner = answer.get_child("privilege", PRIVILEGE).get_child("forwarded", FORWARD).tags[0]
    assert inner.tags[0].tags[0].get_text() == "x"
    assert ask("get", "<query xmlns='jabber:iq:version'/>").attr["type"] == "error"


def test_a_privileged_component_sees_presence(privileged):
    running = privileged.running
    nurse = running.client("nurse").available()
    roster = load_roster(running.server, "nurse", "localhost")
    with roster.lock:  # a contact of another server: it is probed, in vain
        commit(running.server, roster, "peter@elsewhere.example", RosterItem("to"))
    component = privileged.component().login()
    component.receive()
    assert component.receive().attr["from"] == nurse.jid
    juliet = running.client("juliet").available("<show>away</show>")
    presence = component.receive_until(lambda element: element.attr["from"] == juliet.jid)
    assert presence.name == "presence" and presence.attr["from"] == juliet.jid
    assert presence.get_child_text("show") == "away"


def test_without_privileges_a_component_may_not(stage):
    place = stage("privilege", modules=["privilege"])
    component = place.component().login()
    place.running.user("juliet")
    component.send(f"<iq type='get' id='r1' from='{BRIDGE}' to='juliet@localhost'>"
                   f"<query xmlns='{ns.ROSTER}'/></iq>")
    answer = component.receive()
    assert answer.attr["type"] == "error" and answer.tags[-1].tags[0].name == "forbidden"
