"""XEP-0198 where Debian's module is silent, or does something else."""

from __future__ import annotations

import sys

import gevent
import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import Closed, wait_until
from prosody_py.testing.managed import (
    SM,
    Managed,
    acknowledge,
    bodies,
    enable,
    handled,
    log_in,
    resume,
    say,
)
from prosody_py.xmpp import ns
from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.smqueue import MASK

ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"


@pytest.fixture
def server(start_server):
    return start_server(["smacks", "csi"])


@pytest.fixture
def juliet(server):
    return Managed(server)


@pytest.fixture
def romeo(server):
    return server.client("romeo", "orchard").available()


def condition(failed):
    assert failed.name == "failed", str(failed)
    return failed.tags[0].name if failed.tags else None


def requests(elements):
    return [element.name for element in elements].count("r")


# -- negotiation ---------------------------------------------------------------------------


@pytest.mark.parametrize("xmlns", ["urn:xmpp:sm:2", "urn:xmpp:sm:3"])
def test_both_versions_are_offered_and_spoken(server, romeo, xmlns):
    server.user("juliet")
    client = log_in(server, "juliet")
    assert client.features.get_child("sm", xmlns) is not None
    client.bind("balcony").send(f"<enable xmlns='{xmlns}'/>")
    enabled = client.receive()
    assert enabled.attr == {"xmlns": xmlns}
    say(romeo, client.jid, "one")
    assert bodies([client.message()]) == ["one"]
    assert client.receive().attr == {"xmlns": xmlns}


def test_a_client_may_want_a_session_to_wait_for_less_time(server, juliet):
    client = server.client("benvolio", "street")
    assert enable(client, more=" max='30'").attr["max"] == "30"
    assert server.server.full_sessions[client.jid].extras["smacks_tracker"].patience == 30
    assert enable(server.client("benvolio", "b"), more=" max='99999999'").attr["max"] == "600"


def test_only_once_and_only_after_binding(server, juliet):
    assert condition(enable(juliet.client)) == "unexpected-request"
    assert condition(enable(log_in(server, "juliet"))) == "unexpected-request"
    juliet.client.send(f"<resume xmlns='{SM}' previd='{juliet.token}' h='0'/>")
    assert condition(juliet.client.receive()) == "unexpected-request"


@pytest.mark.parametrize("attributes", ["", "h='0'", "previd='x'", "previd='x' h='-1'",
                                        "previd='x' h='4294967296'", "previd='x' h='1.0'"])
def test_a_request_to_resume_needs_its_attributes(server, juliet, attributes):
    client = log_in(server, "juliet")
    client.send(f"<resume xmlns='{SM}' {attributes}/>")
    assert condition(client.receive()) == "bad-request"


# -- counting ------------------------------------------------------------------------------


def test_one_request_at_a_time_goes_out_behind_a_burst(server, juliet, romeo):
    romeo.send("".join(f"<message to='{juliet.jid}' type='chat'><body>{number}</body></message>"
                       for number in range(50))).flush()
    came = juliet.client.flush()
    assert bodies(came) == [str(number) for number in range(50)]
    assert requests(came) == 1
    for number in range(3):
        say(romeo, juliet.jid, f"more {number}")
    assert requests(juliet.client.flush()) == 0
    acknowledge(juliet.client, 50)
    assert requests(juliet.client.flush()) == 1


def test_so_many_stanzas_are_sent_before_an_acknowledgement_is_asked_for(start_server):
    server = start_server(["smacks"], smacks_max_unacked_stanzas=2)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    for body in ("one", "two"):
        say(romeo, juliet.jid, body)
    assert juliet.client.message() and juliet.client.message() and not juliet.client.events
    say(romeo, juliet.jid, "three")
    assert juliet.client.message() and juliet.client.receive().name == "r"


def test_a_client_that_nobody_looks_at_is_asked_for_messages_alone(server, juliet, romeo):
    juliet.client.send("<inactive xmlns='urn:xmpp:csi:0'/>")
    assert handled(juliet.client) == 0
    for number in range(5):
        romeo.send(f"<presence to='{juliet.jid}'><status>{number}</status></presence>").flush()
    for _ in range(5):
        assert juliet.client.receive().name == "presence"
    say(romeo, juliet.jid, "one")
    assert [juliet.client.receive().name for _ in range(2)] == ["message", "r"]


def test_counters_begin_anew_after_two_to_the_thirty_second(server, juliet, romeo):
    queue = juliet.session.extras["outgoing_stanza_queue"]
    assert queue.count_unacked() == 0
    queue.head = queue.tail = MASK  # as after 2^32 - 1 stanzas
    juliet.session.handled_stanza_count = MASK
    for body in ("one", "two"):
        say(romeo, juliet.jid, body)
    assert bodies(juliet.client.flush()) == ["one", "two"]  # with a ping, which is handled
    assert handled(juliet.client) == 0
    acknowledge(juliet.client, 1)  # of three: two messages and the answer to the ping
    juliet.cut()
    assert juliet.come_back(1).attr["h"] == "0"
    came = juliet.client.flush()
    assert [element.name for element in came if element.name != "r"] == ["iq"]
    assert juliet.come_back(3).name == "resumed"


def test_elements_that_are_no_stanzas_are_not_counted(server, juliet):
    juliet.client.send("<inactive xmlns='urn:xmpp:csi:0'/><active xmlns='urn:xmpp:csi:0'/>")
    assert handled(juliet.client) == handled(juliet.client) == 0


def test_an_acknowledgement_waits_for_the_handling_of_what_came_before(server, juliet):
    done = []

    def slow(_event):
        gevent.sleep(0.1)
        done.append(True)

    server.server.hosts["localhost"].events.add_handler("pre-message/bare", slow, 100)
    juliet.client.send("<message to='nobody@localhost'/>" * 2)
    assert handled(juliet.client) == 2 and len(done) == 2


def test_an_old_acknowledgement_means_nothing(server, juliet, romeo):
    for body in ("one", "two"):
        say(romeo, juliet.jid, body)
    acknowledge(juliet.client, 2)
    acknowledge(juliet.client, 1)
    juliet.client.send(f"<a xmlns='{SM}'/>")
    juliet.client.flush()
    assert juliet.session.extras["outgoing_stanza_queue"].count_acked() == 2


def test_what_cannot_be_stored_is_not_acknowledged(server, juliet):
    """A message for a session that waits is kept in memory, but that is no promise."""
    romeo, journal = Managed(server, "romeo", "orchard").client, journal_of(server)
    juliet.cut()
    wait_until(lambda: not journal.writers)
    journal.store = Failing(journal.store)
    romeo.send(f"<message to='{juliet.jid}' type='chat'><body>one</body></message>"
               f"<r xmlns='{SM}'/>")
    assert [element.name for element in romeo.flush()] == []
    journal.store.working = True
    wait_until(lambda: not journal.writers)
    assert handled(romeo) == 2
    assert juliet.come_back(0).name == "resumed"
    assert bodies(juliet.client.flush()) == ["one"]


def test_a_session_that_cannot_be_stored_does_not_wait_for_ever(server, juliet, monkeypatch):
    romeo, journal = Managed(server, "romeo", "orchard").client, journal_of(server)
    monkeypatch.setattr(sys.modules[type(journal).__module__], "PAUSES", (0.05,))
    journal.store = Failing(journal.store)
    juliet.cut()
    say(romeo, juliet.jid, "one")
    wait_until(lambda: juliet.session is None)
    assert bodies([server.client("juliet", "street").send("<presence/>").message()]) == ["one"]
    wait_until(lambda: not journal.writers)
    assert handled(romeo) == 2


class Failing:
    """A store that fails until it is told to work."""

    working = False

    def __init__(self, store):
        self.store = store

    def set_keys(self, username, changes):
        """Fail, or do as the store does."""
        if not self.working:
            raise StorageError("internal-server-error", "The disk is full")
        return self.store.set_keys(username, changes)


def journal_of(server):
    """Return what the server's module writes down."""
    return server.server.modules.get_module("localhost", "smacks").journal


# -- going on ------------------------------------------------------------------------------


def test_what_the_old_connection_brought_is_done_once(server, juliet, romeo):
    """The element in hand counts; what nobody has begun with is the client's to send again."""
    seen = []

    def slow(event):
        seen.append(event.stanza.get_child_text("body"))
        gevent.sleep(0.2)

    server.server.hosts["localhost"].events.add_handler("pre-message/full", slow, 100)
    texts = [f"<message to='{romeo.jid}'><body>{number}</body></message>" for number in range(3)]
    juliet.client.send("".join(texts))
    wait_until(lambda: seen == ["0"])
    answer = juliet.come_back(0)
    assert answer.attr["h"] == "1"
    juliet.client.send("".join(texts[1:]))
    assert [bodies([romeo.message()])[0] for _ in range(3)] == ["0", "1", "2"]
    assert handled(juliet.client) == 3 and seen == ["0", "1", "2"]
    assert bodies(romeo.flush()) == []


@pytest.mark.slow
def test_what_a_limit_held_back_is_the_clients_to_send_again(start_server):
    server = start_server(["smacks", "limits"],
                          limits={"c2s": {"rate": "20kb/s", "burst": "2s"}})
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    texts = [f"<message to='{romeo.jid}'><body>{number:4}{'x' * 1000}</body></message>"
             for number in range(60)]
    juliet.client.send("".join(texts[:38]))
    wait_until(lambda: juliet.session.handled_stanza_count == 38)
    juliet.client.send("".join(texts[38:]))  # more than may be read now
    wait_until(lambda: juliet.session.extras["throttle"].balance < 0)
    done = int(juliet.come_back(0).attr["h"])
    assert 38 <= done < 60
    juliet.client.send("".join(texts[done:]))
    came = [int(bodies([romeo.message()])[0][:4]) for _ in range(60)]
    assert came == list(range(60)) and bodies(romeo.flush()) == []


def test_the_old_connection_learns_that_it_is_replaced(server, juliet):
    old = juliet.client
    assert juliet.come_back(0).name == "resumed"
    assert old.closed_with() == "conflict"


@pytest.mark.parametrize("there", [True, False])
def test_too_much_is_acknowledged_in_a_request_to_resume(server, juliet, there):
    session = juliet.session if there else juliet.cut()
    client, error = resume(server, "juliet", juliet.token, 5)
    assert error.get_child("undefined-condition", ns.STREAM_ERRORS) is not None
    assert error.get_child("handled-count-too-high", SM).attr == {
        "xmlns": SM, "h": "5", "send-count": "0"}
    assert client.closed_with() is None
    assert (session.conn is not None) == there
    assert resume(server, "juliet", juliet.token, 0)[1].name == "resumed"


def test_who_comes_too_late_learns_what_was_handled(start_server):
    server = start_server(["smacks"], smacks_hibernation_time=0.1, smacks_max_old_sessions=2)
    clients = [Managed(server, resource=name) for name in ("one", "two", "three")]
    for client in clients:
        client.client.flush()  # one ping
        client.cut()
        wait_until(lambda client=client: client.session is None)
    for client, known in zip(clients, (None, "1", "1"), strict=True):
        failed = resume(server, "juliet", client.token, 0)[1]
        assert condition(failed) == "item-not-found" and failed.attr.get("h") == known
    store = server.server.storage.open("localhost", "smacks_h", "keyval").get("juliet")
    assert all(set(entry) == {"h", "t"} for entry in store.values()) and len(store) == 2


def test_a_resumed_client_is_an_active_one(server, juliet):
    juliet.client.send("<inactive xmlns='urn:xmpp:csi:0'/>").flush()
    juliet.cut()
    juliet.come_back(0)
    juliet.client.flush()
    assert juliet.session.extras["state"] == "active"


@pytest.mark.parametrize("there", [True, False])
def test_of_many_that_resume_a_session_at_once_one_has_it(server, juliet, romeo, there):
    session = juliet.session if there else juliet.cut()
    say(romeo, juliet.jid, "once")
    rivals = [log_in(server, "juliet") for _ in range(6)]
    for rival in rivals:
        rival.send(f"<resume xmlns='{SM}' previd='{juliet.token}' h='0'/>")
    answers, left = [], []
    for rival in rivals:
        try:
            answers.append(rival.receive().name)
            got = [element for element in rival.flush() if getattr(element, "name", "") != "r"]
        except (Closed, StreamError, OSError):
            continue
        left.append((rival, got))
    assert set(answers) <= {"resumed", "failed"} and "resumed" in answers
    (winner, got), = left
    assert bodies(got) == ["once"]
    assert juliet.session is session and not session.destroyed
    say(romeo, juliet.jid, "again")
    assert bodies(winner.flush()) == ["again"]


# -- bounds --------------------------------------------------------------------------------


def test_an_account_has_so_many_sessions_that_wait(start_server):
    server = start_server(["smacks"], smacks_max_hibernated_sessions=2)
    clients = [Managed(server, resource=name) for name in ("one", "two", "three")]
    for client in clients:
        client.cut()
    assert [client.session is not None for client in clients] == [False, True, True]


def test_of_presence_that_waits_the_newest_counts(start_server):
    server = start_server(["smacks"], smacks_max_queue_size=10)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    juliet.cut()
    for number in range(40):
        romeo.send(f"<presence to='{juliet.jid}'><status>{number}</status></presence>")
    say(romeo, juliet.jid, "Hist!")
    assert juliet.come_back(0).name == "resumed"
    came = [element for element in juliet.client.flush() if element.name != "r"]
    assert came[-2].get_child_text("status") == "39" and bodies(came[-1:]) == ["Hist!"]
    assert len(came) < 12
    acknowledge(juliet.client, len(came) + 1)  # with the answer to the ping
    juliet.client.flush()
    assert juliet.session is not None


def test_a_session_with_too_many_messages_ends_and_they_are_kept(start_server):
    server = start_server(["smacks"], smacks_max_queue_size=10)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    juliet.cut()
    for number in range(11):
        say(romeo, juliet.jid, str(number))
    wait_until(lambda: juliet.session is None)
    client = server.client("juliet", "street").send("<presence/>")
    assert [bodies([client.message()])[0] for _ in range(11)] == [str(n) for n in range(11)]


def test_a_session_with_too_large_messages_ends_and_they_are_kept(start_server):
    server = start_server(["smacks"], smacks_max_queue_bytes="100 KB")
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    juliet.cut()
    for number in range(3):
        say(romeo, juliet.jid, f"{number} " + 40_000 * "x")
    wait_until(lambda: juliet.session is None)
    client = server.client("juliet", "street").send("<presence/>")
    assert [bodies([client.message()])[0][0] for _ in range(3)] == ["0", "1", "2"]


def test_a_client_that_never_acknowledges_is_cut_off_and_loses_nothing(start_server):
    server = start_server(["smacks"], smacks_max_queue_size=10)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    for number in range(21):
        say(romeo, juliet.jid, str(number))
    assert juliet.client.closed_with() == "policy-violation"
    client = server.client("juliet", "street").send("<presence/>")
    assert [bodies([client.message()])[0] for _ in range(21)] == [str(n) for n in range(21)]


def test_a_burst_beyond_the_queue_ends_nothing_but_resumption(start_server):
    server = start_server(["smacks"], smacks_max_queue_size=10)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    session, stanzas = juliet.session, "".join(
        f"<iq type='get' id='{number}' to='{juliet.jid}'><a xmlns='b'/></iq>"
        for number in range(100))
    romeo.send(stanzas).flush()
    queue = session.extras["outgoing_stanza_queue"]
    assert len(queue.entries) <= 10 and queue.count_unacked() == 100 and not queue.resumable()
    juliet.cut()
    refused, failed = resume(server, "juliet", juliet.token, 10)
    assert condition(failed) == "item-not-found" and failed.attr["h"] == "0"
    refused.close()
    assert juliet.come_back(96).name == "resumed" and queue.resumable()
    assert [element.attr["id"] for element in juliet.client.flush()[:4]] == [
        "96", "97", "98", "99"]


# -- silence -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.1, 0])
def test_a_silent_client_is_asked_and_then_waits(start_server, delay):
    server = start_server(["smacks"], c2s_read_timeout=1, smacks_max_ack_delay=delay)
    juliet = Managed(server)
    assert juliet.client.receive(5).name == "r"
    acknowledge(juliet.client, 0)
    assert juliet.client.receive(5).name == "r"
    session = juliet.session
    wait_until(lambda: session.conn is None)
    assert juliet.come_back(0).name == "resumed"


def test_others_hear_when_an_acknowledgement_stays_out(start_server):
    server = start_server(["smacks"], smacks_max_ack_delay=0.05)
    juliet, romeo = Managed(server), server.client("romeo", "orchard").available()
    seen = []
    server.server.hosts["localhost"].events.add_handler("smacks-ack-delayed", lambda event: (
        seen.append([bodies(event.queue), bodies([event.stanza])])))
    say(romeo, juliet.jid, "one")
    wait_until(lambda: seen == [[["one"], ["one"]]])
    say(romeo, juliet.jid, "two")
    wait_until(lambda: seen[1:] == [[["one", "two"], ["two"]]])
