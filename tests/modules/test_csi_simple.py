"""XEP-0352, ours and Debian's: what is not urgent waits while nobody looks."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.managed import enable, resume
from prosody_py.xmpp.parser import parse_fragment

CSI = "urn:xmpp:csi:0"
pytestmark = pytest.mark.twins("csi_simple", "csi")
COMPOSING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"


@pytest.fixture
def clients(start_server):
    """Return a client that has said that nobody looks, and one of another account."""
    running = start_server(["csi", "csi_simple"], csi_resume_inactive_delay=0.01)
    juliet = running.client("juliet", "balcony").available()
    assert juliet.features.get_child("csi", CSI) is not None
    romeo = running.client("romeo", "orchard").available()
    juliet.send(f"<inactive xmlns='{CSI}'/>")
    wait_until(lambda: held(running, juliet))
    return running, juliet, romeo


def held(running, client):
    """Whether the server holds back what it has for a client."""
    session = running.server.full_sessions[client.jid]
    return session.extras.get("state") == "inactive" and session.extras.get("csi_counter") == 0


def presence(romeo, to, show):
    romeo.send(f"<presence to='{to}'><show>{show}</show></presence>").flush()


def nothing_comes(client):
    try:
        client.receive(timeout=0.15)
    except TimeoutError:
        return True
    return False


def shows(elements):
    return [element.get_child_text("show") for element in elements if element.name == "presence"]


def test_presence_waits_until_the_client_is_looked_at(clients):
    _running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    assert nothing_comes(juliet)
    juliet.send(f"<active xmlns='{CSI}'/>")
    assert juliet.presence().get_child_text("show") == "away"
    presence(romeo, juliet.jid, "dnd")
    assert juliet.presence().get_child_text("show") == "dnd"


def test_a_message_with_a_text_comes_at_once_and_brings_what_waited(clients):
    running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    romeo.send(f"<message to='{juliet.jid}' type='chat'>{COMPOSING}</message>").flush()
    assert nothing_comes(juliet)
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>Hist!</body></message>").flush()
    assert juliet.presence().get_child_text("show") == "away"
    assert juliet.receive_until(lambda element: element.get_child_text("body") == "Hist!")
    wait_until(lambda: held(running, juliet))
    presence(romeo, juliet.jid, "dnd")
    assert nothing_comes(juliet)


def test_an_answer_to_the_client_brings_what_waited(clients):
    _running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    assert shows(juliet.flush()) == ["away"]


def test_what_waits_is_not_lost_when_the_client_ends_its_stream(clients):
    _running, juliet, romeo = clients
    presence(romeo, juliet.jid, "away")
    juliet.send("</stream:stream>")
    assert juliet.presence().get_child_text("show") == "away"


# -- ours ----------------------------------------------------------------------------------


ROOM = "http://jabber.org/protocol/muc#user"
IMPORTANT = [
    "<message type='chat'><body>Hist!</body></message>",
    "<message><subject>News</subject></message>",
    "<message type='groupchat'><body>Hist!</body></message>",
    "<message><encrypted xmlns='urn:xmpp:omemo:2'/></message>",
    "<message><propose xmlns='urn:xmpp:jingle-message:0' id='a'/></message>",
    f"<message><x xmlns='{ROOM}'><invite/></x></message>",
    "<message><result xmlns='urn:xmpp:mam:2'/></message>",
    "<message type='error'><error type='cancel'/></message>",
    "<message type='headline'><alert xmlns='urn:test'/></message>",
    "<message><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
    "<message xmlns='jabber:client'><body>Hist!</body></message></forwarded></received></message>",
    f"<presence><x xmlns='{ROOM}'><status code='110'/></x></presence>",
    "<presence type='error'><error type='cancel'/></presence>",
]
UNIMPORTANT = [
    f"<message type='chat'>{COMPOSING}</message>",
    "<message><received xmlns='urn:xmpp:receipts' id='1'/></message>",
    "<message><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>",
    "<message type='headline'><body>News</body></message>",
    "<message type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>",
    "<message><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message "
    f"xmlns='jabber:client'>{COMPOSING}</message></forwarded></received></message>",
    "<presence/>", "<presence type='unavailable'/>",
    f"<presence><x xmlns='{ROOM}'><status code='100'/></x></presence>",
]


class Phone:
    """A client in the background, what is sent to it, and what it gets."""

    def __init__(self, start_server, *modules, **options):
        self.running = start_server(["csi", "csi_simple", *modules], **options)
        self.client = self.running.client("juliet", "phone").available()
        self.host = self.running.server.hosts["localhost"]

    def inactive(self):
        self.client.send(f"<inactive xmlns='{CSI}'/>")
        wait_until(lambda: held(self.running, self.client))
        return self

    def give(self, *texts, sender="romeo@elsewhere.example/x"):
        for text in texts:
            element = parse_fragment(text)
            element.attr.update({"from": sender, "to": self.client.jid})
            self.running.server.full_sessions[self.client.jid].send(element)

    def waiting(self):
        """Return how much is held back."""
        return self.running.server.full_sessions[self.client.jid].extras["csi_counter"]

    def active(self):
        """Return what comes when the client becomes active."""
        return self.client.send(f"<active xmlns='{CSI}'/>").flush()


@pytest.fixture
def phone(start_server):
    return lambda *modules, **options: Phone(start_server, *modules, **options)


@pytest.mark.ours_alone("what is important is ours to say")
def test_what_somebody_should_see_goes_out_at_once_and_the_rest_waits(phone):
    phone = phone(csi_resume_inactive_delay=0,
                  csi_important_payloads=["{urn:test}alert"]).inactive()
    for number, text in enumerate(UNIMPORTANT):
        phone.give(text, sender=f"romeo{number}@elsewhere.example")
    assert phone.waiting() == len(UNIMPORTANT)
    for text in IMPORTANT:
        phone.give("<presence/>", text)
        assert phone.waiting() == 0, text
    assert len(phone.client.flush()) == len(UNIMPORTANT) + 2 * len(IMPORTANT)


@pytest.mark.ours_alone("Debian's holds back all of them")
def test_of_presence_and_chat_states_only_the_latest_waits_in_its_place(phone):
    phone = phone().inactive()
    shows = [f"<presence><status>{number}</status></presence>" for number in range(3)]
    phone.give(shows[0], f"<message type='chat'>{COMPOSING}</message>", shows[1])
    phone.give(*shows, sender="nurse@elsewhere.example")
    phone.give("<message type='chat'><paused xmlns='http://jabber.org/protocol/chatstates'/>"
               "</message>", "<message><received xmlns='urn:xmpp:receipts' id='1'/></message>")
    assert phone.waiting() == 4
    came = phone.active()
    assert [(element.name, element.attr["from"][:5]) for element in came] == [
        ("presence", "romeo"), ("presence", "nurse"), ("message", "romeo"), ("message", "romeo")]
    assert [element.get_child_text("status") for element in came[:2]] == ["1", "2"]
    assert came[2].tags[0].name == "paused"


@pytest.mark.ours_alone("Debian's holds back bytes, not stanzas")
def test_so_much_waits_and_then_all_goes_out(phone):
    phone = phone(csi_queue_size=3).inactive()
    receipt = "<message><received xmlns='urn:xmpp:receipts' id='{}'/></message>"
    phone.give(*(receipt.format(number) for number in range(2)))
    assert phone.waiting() == 2
    phone.give(receipt.format(2))
    assert phone.waiting() == 0
    assert [phone.client.message().tags[0].attr["id"] for _ in range(3)] == ["0", "1", "2"]


@pytest.mark.ours_alone("Debian's goes on holding back by the state of the connection")
def test_after_something_important_the_device_is_awake_for_a_while(phone):
    phone = phone(csi_resume_inactive_delay=0.2).inactive()
    phone.give(IMPORTANT[0], "<presence/>")
    assert phone.client.message() is not None and phone.client.presence(0.15) is not None
    wait_until(lambda: phone.waiting() == 0)
    phone.give("<presence/>")
    assert phone.waiting() == 1


@pytest.mark.ours_alone("Debian's module is in Lua")
def test_other_modules_have_a_say_and_hear_of_it(phone):
    phone = phone().inactive()
    reasons = []
    phone.host.events.add_handler("csi-is-stanza-important", lambda event: (
        False if event.stanza.get_child("body") else None))
    phone.host.events.add_handler("csi-flushing", lambda event: reasons.append(event.reason))
    phone.give(IMPORTANT[0])
    assert phone.waiting() == 1 and reasons == []
    assert len(phone.active()) == 1 and reasons == ["client is active"]


@pytest.mark.ours_alone("a reload of Debian's lets everything go")
def test_what_waits_outlives_a_reload(phone):
    phone = phone().inactive()
    phone.give("<presence/>")
    phone.running.server.modules.reload("localhost", "csi_simple")
    phone.give("<presence/>", sender="nurse@elsewhere.example")
    assert phone.waiting() == 2
    phone.running.server.modules.unload("localhost", "csi_simple")
    assert len(phone.client.flush()) == 2
    assert phone.running.server.full_sessions[phone.client.jid].filters is None


@pytest.mark.ours_alone("Debian's counts what it holds back as sent")
def test_what_is_held_back_is_not_sent_yet_for_stream_management(phone):
    phone = phone("smacks")
    token = enable(phone.client).attr["id"]
    session = phone.running.server.full_sessions[phone.client.jid]
    phone.inactive().give("<presence/>")
    queue = session.extras["outgoing_stanza_queue"]
    assert queue.count_unacked() == 0
    phone.client.sock.close()
    wait_until(lambda: session.conn is None)
    assert queue.count_unacked() == 1
    client, answer = resume(phone.running, "juliet", token, 0)
    assert answer.name == "resumed" and client.presence() is not None
    assert session.extras["state"] == "active"


@pytest.mark.ours_alone("the same when the connection is replaced")
def test_what_is_held_back_comes_over_the_new_connection(phone):
    phone = phone("smacks")
    token = enable(phone.client).attr["id"]
    phone.inactive().give("<presence/>")
    client, answer = resume(phone.running, "juliet", token, 0)
    assert answer.name == "resumed" and client.presence() is not None
