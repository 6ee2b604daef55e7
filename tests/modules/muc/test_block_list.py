"""Those who are on a block list stay out of rooms (mod_muc_rtbl), with a small service for it.

tests/parity/test_room_modules.py has the same with Prosody's mod_pubsub as the service.
"""

from __future__ import annotations

import hashlib

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.rooms import HOST, Party, error
from prosody_py.xmpp import builders

LISTS = "lists.localhost"
SERVICE = '''
"""A node of XEP-0060 that can be read and tells its subscribers of changes."""

from prosody_py.api import StanzaError, iq, stanza

XMLNS = "http://jabber.org/protocol/pubsub"


def load(module):
    module.items_of_node, module.subscribers, module.there = {}, [], True


@iq("set", XMLNS, "pubsub")
def subscribe(module, event):
    if not module.there:
        raise StanzaError("item-not-found")
    module.subscribers.append(event.stanza.tags[0].tags[0].attr["jid"])


@iq("get", XMLNS, "pubsub")
def items(module, event):
    if not module.there:
        raise StanzaError("item-not-found")
    reply = stanza.stanza("pubsub", xmlns=XMLNS).tag("items", node="muc_bans_sha256")
    for id in module.items_of_node:
        reply.tag("item", id=id).up()
    return reply.reset()
'''


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def running(launch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "mod_lists.py").write_text(SERVICE)
    running = launch(tmp_path_factory.mktemp("server"), ["disco"], plugin_paths=[str(folder)],
                     muc_rtbl_jid=LISTS, components={
                         LISTS: {"module": "lists"},
                         HOST: {"module": "muc", "modules_enabled": ["muc_rtbl"]}})
    service = running.server.modules.get_module(LISTS, "lists")
    wait_until(lambda: service.subscribers)
    yield running
    running.stop()


@pytest.fixture
def party(running):
    party = Party(running)
    yield party
    for client in party.clients:
        client.close()


def tell(running, name, id, sender=LISTS, node="muc_bans_sha256"):
    """Let the service say that an item has come (`item`) or gone (`retract`)."""
    message = builders.message({"from": sender, "to": HOST})
    message.tag("event", xmlns="http://jabber.org/protocol/pubsub#event")
    message.tag("items", node=node).tag(name, id=id)
    host = running.server.hosts[LISTS]
    running.server.post_stanza(host, message.reset())


def test_the_service_was_asked_for_its_list(running):
    assert running.server.modules.get_module(LISTS, "lists").subscribers == [HOST]


def test_who_comes_on_the_list_stays_out_until_it_is_off_again(party, running):
    party.owner()
    tybalt = party.guest("tybalt")
    tell(running, "item", digest(tybalt.bare_jid))
    refused = tybalt.knock()
    assert error(refused) == ("auth", "forbidden")
    tell(running, "retract", digest(tybalt.bare_jid))
    assert tybalt.join()


def test_who_is_on_the_list_makes_no_room_either(party, running):
    tybalt = party.guest("tybalt")
    tell(running, "item", digest(tybalt.bare_jid))
    assert error(tybalt.knock()) == ("auth", "forbidden")
    assert party.room not in running.server.modules.get_module(HOST, "muc").rooms.live


def test_who_is_in_the_room_already_is_not_heard(party, running):
    juliet, romeo = party.pair()
    tell(running, "item", digest(romeo.bare_jid))
    assert error(romeo.say().message())[1] == "forbidden"
    romeo.whisper("Juliet")
    assert error(romeo.message())[1] == "forbidden"
    assert juliet.messages() == []


def test_whom_the_room_knows_it_lets_in(party, running):
    juliet, romeo = party.owner(), party.guest("romeo")
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    tell(running, "item", digest(romeo.bare_jid))
    assert romeo.join()
    assert romeo.say("heard").message().get_child_text("body") == "heard"


def test_nobody_else_writes_the_list(party, running):
    party.owner()
    tybalt = party.guest("tybalt")
    tell(running, "item", digest(tybalt.bare_jid), sender="elsewhere.localhost")
    tell(running, "item", digest(tybalt.bare_jid), node="other")
    tell(running, "item", "no digest")
    assert tybalt.join()


def test_a_domain_is_on_the_list_and_the_list_is_read_when_the_module_starts(party, running):
    party.owner()
    service = running.server.modules.get_module(LISTS, "lists")
    service.items_of_node[digest("localhost")] = True
    running.server.modules.reload(HOST, "muc_rtbl")
    wait_until(lambda: digest("localhost") in running.server.modules.get_module(
        HOST, "muc_rtbl").entries)
    assert error(party.guest("tybalt").knock())[1] == "forbidden"
    service.items_of_node.clear()
    running.server.modules.reload(HOST, "muc_rtbl")
    wait_until(lambda: not running.server.modules.get_module(HOST, "muc_rtbl").entries)
    assert party.guest("tybalt").join()


def test_a_list_that_cannot_be_read_stays_as_it_was(party, running):
    service = running.server.modules.get_module(LISTS, "lists")
    tybalt = party.guest("tybalt")
    party.owner()
    tell(running, "item", digest(tybalt.bare_jid))
    service.there = False
    running.server.modules.reload(HOST, "muc_rtbl")
    assert error(tybalt.knock())[1] == "forbidden"
    service.there = True
