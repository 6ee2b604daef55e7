"""Whatever a client sends: iqs are answered, nothing fails inside, and nobody else notices.

The stanzas are the examples of the specifications (`hostile_stanzas.txt`, one a line; JID stands
for any address), with parts left out, doubled, swapped and replaced, to every kind of address.
"""

from __future__ import annotations

import logging
import random
import secrets
from pathlib import Path
from xml.sax.saxutils import escape

import gevent
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from prosody_py.testing.client import Closed, wait_until
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamClose, parse_fragment
from prosody_py.xmpp.stanza import Stanza

MODULES = """
account_activity addressing adhoc admin_adhoc announce blocklist bookmarks cache_c2s_caps carbons
client_management cloud_notify csi csi_simple external_services groups_internal invites
invites_adhoc invites_register iq lastactivity limits mam mds message mimicking motd
muc_unique offline password_policy pep presence private register sasl2_bind2 sasl2_fast sasl2_sm
sasl2_upgrade server_contact_info server_info smacks spam_reporting strangers time
turn_external uptime user_account_management vcard4 vcard_legacy version vjud welcome
""".split()
ROOMS, NODES, SEARCH = "rooms.localhost", "pubsub.localhost", "search.localhost"
PUBSUB = "http://jabber.org/protocol/pubsub"
ROOM_MODULES = ["disco", "adhoc", "muc_hats_adhoc", "muc_mam", "muc_moderation", "muc_slow_mode",
                "muc_limits", "vcard_legacy"]
ADDRESSES = [None, "localhost", "mallory@localhost", "mallory@localhost/r", "mallory@localhost/x",
             "juliet@localhost", "juliet@localhost/r", "nobody@localhost", f"hall@{ROOMS}",
             f"den@{ROOMS}", f"hall@{ROOMS}/mallory", f"hall@{ROOMS}/juliet", f"hall@{ROOMS}/x",
             f"new@{ROOMS}", f"new@{ROOMS}/m", ROOMS, NODES, NODES, f"x@{NODES}", SEARCH,
             "localhost/res"]
# Who is asked by an iq to these is a client, which the test leaves unanswered.
CLIENTS = {"mallory@localhost/r", "juliet@localhost/r", f"hall@{ROOMS}/juliet", f"new@{ROOMS}/m",
           f"hall@{ROOMS}/mallory", f"den@{ROOMS}/mallory"}
# Where something is likely to be understood, by what the namespace contains.
FITTING = {"muc": [f"hall@{ROOMS}", f"den@{ROOMS}", f"den@{ROOMS}/mallory", f"hall@{ROOMS}/juliet"],
           "pubsub": [None, NODES, NODES, "juliet@localhost"],
           "mam": [None, f"hall@{ROOMS}", f"den@{ROOMS}", "juliet@localhost"],
           "commands": ["localhost", f"den@{ROOMS}", NODES], "search": [SEARCH, "localhost"],
           "moderate": [f"hall@{ROOMS}", f"den@{ROOMS}"],
           "register": ["localhost", f"hall@{ROOMS}", f"den@{ROOMS}"],
           "address": ["localhost", f"hall@{ROOMS}"], "blocking": [None],
           "private": [None], "vcard": [None, "juliet@localhost", f"den@{ROOMS}"],
           "push": [None], "carbons": [None], "roster": [None], "cam": [None],
           "last": [None, "juliet@localhost", "localhost"], "extdisco": ["localhost"]}
STANZAS = [parse_fragment(line) for line in Path(__file__).with_name(
    "hostile_stanzas.txt").read_text(encoding="utf-8").splitlines()]
VALUES = ["", " ", "0", "-1", "1", "1e9", "9" * 30, "true", "none", "owner", "admin", "member",
          "outcast", "moderator", "x" * 2000, "node", "default", "all", "*", "\N{PILE OF POO}",
          "\ufffe", "'\"<&>", "@", "/", "a@", "@b", "a@b/", "a b@c", "%00", "2010-06-07T00:00:00Z",
          "2010-13-07T99:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00",
          "==", "eA==", "e", "http://jabber.org/protocol/commands", "roster", "whitelist",
          "urn:xmpp:avatar:metadata", "urn:xmpp:bookmarks:1", "urn:xmpp:mds:displayed:0",
          "remove", "both", "get", "set", "submit", "cancel", "execute", "complete", "prev", "next"]
ATTRIBUTES = ["id", "node", "jid", "type", "var", "to", "from", "xmlns", "nick", "affiliation",
              "role", "action", "sessionid", "max", "stamp", "subscription", "by", "xml:lang"]
NAMES = ["value", "item", "x", "query", "set", "field", "max", "before", "after", "index", "jid",
         "body", "subject", "error", "items", "publish", "options"]


def value(chance: random.Random) -> str:
    """Return any value of an attribute or text."""
    if chance.random() < 0.4:
        return chance.choice(ADDRESSES) or ""
    return chance.choice(VALUES)


def elements(stanza: Stanza) -> list[Stanza]:
    """Return an element and all below it."""
    return [stanza, *(found for child in stanza.tags for found in elements(child))]


def change(stanza: Stanza, chance: random.Random) -> None:
    """Change one thing somewhere in a stanza."""
    found = elements(stanza)
    element = chance.choice(found)
    kind = chance.randrange(9)
    if kind == 0 and element.children:
        del element.children[chance.randrange(len(element.children))]
    elif kind == 1 and element.children:
        twice = chance.choice(element.children)
        element.children.append(twice if type(twice) is str else twice.clone())
    elif kind == 2 and element.attr and element is not stanza:
        del element.attr[chance.choice(list(element.attr))]
    elif kind == 3 and element.attr and element is not stanza:
        element.attr[chance.choice(list(element.attr))] = value(chance)
    elif kind == 4:
        element.attr[chance.choice(ATTRIBUTES[1:])] = value(chance)
    elif kind == 5:
        element.children[:] = [value(chance)]
    elif kind == 6:
        other = chance.choice(elements(chance.choice(STANZAS))[1:] or [Stanza("x")])
        element.children.insert(chance.randint(0, len(element.children)), other.clone())
    elif kind == 7 and element is not stanza:
        element.name = chance.choice(NAMES)
    elif kind == 8 and element.tags:
        chance.shuffle(element.children)


def address(stanza: Stanza, chance: random.Random) -> str | None:
    """Return where to send a stanza, most times something that may understand it."""
    if chance.random() < 0.7:
        for child in stanza.tags:
            for part, fitting in FITTING.items():
                if part in child.attr.get("xmlns", ""):
                    return chance.choice(fitting)
    return chance.choice(ADDRESSES)


def written(stanza: Stanza) -> str:
    """Return a stanza as XML, without what XML does not allow."""
    return "".join(char for char in str(stanza) if char not in "\ufffe")


@st.composite
def hostile(draw):
    """Return a stanza: (XML, id, whether it is an iq that the server must answer)."""
    chance = draw(st.randoms(use_true_random=False))
    stanza = chance.choice(STANZAS).clone()
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        change(stanza, chance)
    to = address(stanza, chance)
    for element in elements(stanza)[1:]:
        for name, text in element.attr.items():
            if "JID" in text:
                element.attr[name] = value(chance)
        element.children[:] = [value(chance) if child == "JID" else child
                               for child in element.children]
    if "xmlns" in stanza.attr:  # not a stanza
        return written(stanza), None, False
    stanza.attr = {"type": stanza.attr.get("type"), "to": to, "id": secrets.token_hex(4)}
    stanza.attr = {name: text for name, text in stanza.attr.items() if text is not None}
    asked = stanza.name == "iq" and stanza.attr.get("type") in ("get", "set")
    return written(stanza), stanza.attr["id"], asked and to not in CLIENTS


class Hall:
    """A server with everything, mallory who is hostile, and juliet, both in a room."""

    def __init__(self, running):
        self.running = running
        self.juliet = self.log_in("juliet")
        self.mallory = self.log_in("mallory")
        self.juliet.iq("set", "<query xmlns='http://jabber.org/protocol/muc#admin'><item "
                       "affiliation='owner' jid='mallory@localhost'/></query>", f"den@{ROOMS}")
        self.mallory.iq("set", f"<pubsub xmlns='{PUBSUB}'><create node='node'/></pubsub>", NODES)

    def log_in(self, name):
        removing = self.running.server.hosts["localhost"].removing
        wait_until(lambda: name not in removing)  # as it may have asked for
        client = self.running.client(name, "r").available()
        self.enter(client, name)
        client.flush()
        return client

    def enter(self, client, name):
        for room in ("hall", "den"):
            client.send(f"<presence to='{room}@{ROOMS}/{name}'>"
                        "<x xmlns='http://jabber.org/protocol/muc'/></presence>")

    def attack(self, said):
        """Let mallory send; return the answers: {id: [iq]}."""
        answers = {}
        self.mallory.send("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>")
        self.mallory.send("<presence/>")
        self.enter(self.mallory, "mallory")
        try:
            self.mallory.send("".join(text for text, _, _ in said))
            end = secrets.token_hex(6)
            self.mallory.send(f"<iq type='get' id='{end}' to='localhost'>"
                              "<ping xmlns='urn:xmpp:ping'/></iq>")
            while True:
                element = self.mallory.receive()
                if isinstance(element, StreamClose):
                    raise Closed
                if element.name == "iq":
                    answers.setdefault(element.attr["id"], []).append(element)
                if element.attr.get("id") == end:
                    return answers
        except Closed:
            self.mallory.close()
            self.running.clients.remove(self.mallory)
            self.mallory = self.log_in("mallory")
            return None


@pytest.fixture(scope="module")
def hall(tmp_path_factory, launch):
    running = launch(
        tmp_path_factory.mktemp("server"), MODULES, storage="sqlite",
        turn_external_secret="secret", motd_text="News.", allow_registration=True,
        contact_info={"admin": ["mailto:admin@example.com"]}, log={"level": "info"},
        components={ROOMS: {"module": "muc", "modules_enabled": ROOM_MODULES},
                    NODES: {"module": "pubsub", "modules_enabled": ["disco", "adhoc"],
                            "autocreate_on_publish": True, "add_permissions": {
                                "prosody:registered": ["pubsub:create-node"]}},
                    SEARCH: {"module": "vjud"}})
    hall = Hall(running)
    yield hall
    running.stop()


def check(hall, caplog, said):
    """Let mallory send something; see that it is answered and that nothing fails."""
    caplog.clear()
    caplog.set_level(logging.WARNING)
    answers = hall.attack(said)
    bad = [record for record in caplog.records if record.levelno >= logging.ERROR
           or record.exc_info]
    assert not bad, "\n".join(record.getMessage() + (
        logging.Formatter().formatException(record.exc_info) if record.exc_info else "")
        for record in bad)
    for text, id, asked in said if answers is not None else ():
        found = answers.get(id, [])
        if asked:
            assert [iq.attr["type"] in ("result", "error") for iq in found] == [True], text
        for iq in found:
            if iq.attr["type"] == "error":
                error = iq.get_child("error")
                assert error.get_child("internal-server-error", ns.STANZA_ERRORS) is None, text
                assert any(tag.attr.get("xmlns") == ns.STANZA_ERRORS for tag in error.tags), text
    hall.juliet.flush()


def attack(examples):
    return settings(max_examples=examples, deadline=None, database=None,
                    phases=[Phase.generate, Phase.shrink],
                    suppress_health_check=[HealthCheck.function_scoped_fixture,
                                           HealthCheck.too_slow, HealthCheck.data_too_large])


@attack(30)
@given(said=st.lists(hostile(), min_size=1, max_size=20))
def test_every_iq_is_answered_and_nothing_fails(hall, caplog, said):
    check(hall, caplog, said)


@pytest.mark.slow
@attack(2000)
@given(said=st.lists(hostile(), min_size=1, max_size=20))
def test_every_iq_of_many_is_answered_and_nothing_fails(hall, caplog, said):
    check(hall, caplog, said)


def test_the_examples_as_they_are(hall, caplog):
    for to in dict.fromkeys(ADDRESSES):
        said = []
        for stanza in STANZAS:
            if "xmlns" not in stanza.attr:
                stanza, id = stanza.clone(), secrets.token_hex(4)
                stanza.attr |= {"id": id, **({"to": to} if to else {})}
                asked = stanza.name == "iq" and stanza.attr.get("type") in ("get", "set")
                said.append((written(stanza).replace("JID", escape(to or "juliet@localhost")), id,
                             asked and to not in CLIENTS))
        for at in range(0, len(said), 40):
            check(hall, caplog, said[at:at + 40])


@pytest.mark.slow
@attack(600)
@given(said=st.lists(hostile(), min_size=1, max_size=20), chance=st.randoms(use_true_random=False))
def test_modules_are_reloaded_meanwhile(hall, caplog, said, chance):
    modules = hall.running.server.modules
    host = chance.choice(["localhost", ROOMS, NODES])
    name = chance.choice([name for name in modules.get_modules(host)
                          if name not in ("c2s", "storage_sqlite", "auth_internal_hashed")])
    reloading = gevent.spawn(modules.reload, "*" if modules.is_loaded("*", name) else host, name)
    check(hall, caplog, said)
    reloading.get()
