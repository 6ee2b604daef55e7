"""XEP-0198, ours and Debian's: acknowledgements, and sessions that outlive their connection."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until

SM = "urn:xmpp:sm:3"
pytestmark = pytest.mark.twins("smacks")


def acknowledge(client, count):
    return client.send(f"<a xmlns='{SM}' h='{count}'/>")


def bodies(client):
    """Return the bodies of the messages that have come, answering what the server asks."""
    return [element.get_child_text("body") for element in client.flush()
            if element.name == "message"]


def enable(client):
    client.send(f"<enable xmlns='{SM}' resume='true'/>")
    return client.receive_until(lambda element: element.name in ("enabled", "failed"))


def say(client, to, body):
    client.send(f"<message to='{to}' type='chat'><body>{body}</body></message>").flush()


def resume(running, token, handled, more=""):
    """Return a new connection that has asked to go on with a session, and the answer."""
    client = running.connect()
    client.open()
    client.authenticate("juliet", "secret")
    client.open()
    client.send(f"<resume xmlns='{SM}' previd='{token}' h='{handled}'/>{more}")
    return client, client.receive()


class Stage:
    """A server, a client whose session can be resumed, and another account's client."""

    def __init__(self, start, **options):
        self.running = start(["smacks"], **options)
        self.juliet = self.running.client("juliet", "balcony").available()
        self.romeo = self.running.client("romeo", "orchard").available()
        self.jid = self.juliet.jid
        enabled = enable(self.juliet)
        assert enabled.attr["resume"] == "true"
        self.token = enabled.attr["id"]

    def cut(self):
        """End the connection without a word; wait until the server has noticed."""
        session = self.running.server.full_sessions[self.jid]
        self.juliet.sock.close()
        wait_until(lambda: session.conn is None)
        assert self.running.server.full_sessions[self.jid] is session


@pytest.fixture
def stage(start_server):
    return Stage(start_server)


def test_it_is_offered_to_who_has_logged_in(start_server):
    running = start_server(["smacks"])
    client = running.connect()
    assert running.user("juliet") and client.open().get_child("sm", SM) is None
    client.authenticate("juliet", "secret")
    assert client.open().get_child("sm", SM) is not None
    assert enable(client).get_child("unexpected-request") is None
    client.bind("balcony")
    assert enable(client).name == "enabled"
    assert enable(client).name == "failed"  # once is enough


def test_both_sides_count_what_they_have_handled(stage):
    say(stage.romeo, stage.jid, "one")
    assert stage.juliet.message().get_child_text("body") == "one"
    assert stage.juliet.receive().name == "r"
    acknowledge(stage.juliet, 1)
    stage.juliet.send(f"<r xmlns='{SM}'/>")
    assert stage.juliet.receive().attr["h"] == "0"
    say(stage.juliet, stage.romeo.jid, "Ay me")  # with the ping of flush() that is two
    stage.juliet.send(f"<r xmlns='{SM}'/>")
    answer = stage.juliet.receive_until(lambda element: element.name == "a")
    assert answer.attr["h"] == "2"


def test_a_session_goes_on_over_a_new_connection(stage):
    say(stage.romeo, stage.jid, "one")
    say(stage.romeo, stage.jid, "two")
    assert bodies(stage.juliet) == ["one", "two"]
    stage.cut()
    say(stage.romeo, stage.jid, "three")
    again, answer = resume(stage.running, stage.token, 1)
    assert (answer.name, answer.attr["previd"]) == ("resumed", stage.token)
    assert answer.attr["h"] == "1"  # the ping of flush()
    missed = [again.message() for _ in range(2)]
    assert [message.get_child_text("body") for message in missed] == ["two", "three"]
    assert all(message.get_child("delay", "urn:xmpp:delay") is not None for message in missed)
    acknowledge(again, 4)
    say(again, stage.romeo.jid, "here")
    assert stage.romeo.message().attr["from"] == stage.jid
    say(stage.romeo, stage.jid, "four")
    assert "four" in bodies(again)
    assert [element for element in stage.romeo.flush() if element.name == "presence"] == []


def test_what_comes_with_the_request_to_resume_is_worked_off_after_it(stage):
    stage.cut()
    again, answer = resume(stage.running, stage.token, 0, f"<r xmlns='{SM}'/>"
                           f"<message to='{stage.romeo.jid}'><body>quick</body></message>")
    assert answer.name == "resumed"
    assert again.receive_until(lambda element: element.name == "a").attr["h"] == "0"
    assert stage.romeo.message().attr["from"] == stage.jid


def test_a_session_can_be_taken_over_while_its_connection_still_stands(stage):
    old = stage.juliet
    again, answer = resume(stage.running, stage.token, 0)
    assert answer.name == "resumed"
    old.closed_with()
    say(stage.romeo, stage.jid, "still here")
    assert "still here" in bodies(again)
    assert len(stage.running.server.bare_sessions["juliet@localhost"].sessions) == 1


def test_a_session_can_be_resumed_more_than_once(stage):
    handled = 0
    for number in range(3):
        stage.cut()
        say(stage.romeo, stage.jid, f"message {number}")
        stage.juliet, answer = resume(stage.running, stage.token, handled)
        assert answer.name == "resumed"
        assert stage.juliet.message().get_child_text("body") == f"message {number}"
        handled += 1
        acknowledge(stage.juliet, handled)


def test_an_unknown_session_is_not_resumed_and_binding_still_works(stage):
    client, answer = resume(stage.running, "unknown", 0)
    assert answer.name == "failed"
    assert answer.get_child("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas") is not None
    assert client.bind("street").jid == "juliet@localhost/street"


def test_nobody_resumes_the_session_of_another_account(stage):
    stage.cut()
    thief = stage.running.connect()
    stage.running.user("tybalt")
    thief.open()
    thief.authenticate("tybalt", "secret")
    thief.open()
    thief.send(f"<resume xmlns='{SM}' previd='{stage.token}' h='0'/>")
    assert thief.receive().name == "failed"
    assert resume(stage.running, stage.token, 0)[1].name == "resumed"


def test_a_session_that_was_closed_is_over(stage):
    stage.juliet.send("</stream:stream>").closed_with()
    wait_until(lambda: stage.jid not in stage.running.server.full_sessions)
    assert resume(stage.running, stage.token, 0)[1].name == "failed"


def test_after_its_time_a_session_ends_and_its_messages_are_kept(start_server):
    stage = Stage(start_server, smacks_hibernation_time=0.2)
    stage.cut()
    say(stage.romeo, stage.jid, "late")
    wait_until(lambda: stage.jid not in stage.running.server.full_sessions)
    assert resume(stage.running, stage.token, 0)[1].name == "failed"
    client = stage.running.client("juliet", "street")
    client.send("<presence/>")
    assert client.message().get_child_text("body") == "late"


def test_who_acknowledges_more_than_was_sent_is_cut_off(stage):
    acknowledge(stage.juliet, 500)
    assert stage.juliet.closed_with() == "undefined-condition"


def test_a_bound_resource_replaces_a_session_that_waits(stage):
    stage.cut()
    say(stage.romeo, stage.jid, "meanwhile")
    client = stage.running.client("juliet", "balcony").available()
    assert client.jid == stage.jid
    assert resume(stage.running, stage.token, 0)[1].name == "failed"


def test_addresses_are_counted_right_whatever_becomes_of_their_sessions(stage):
    listener = stage.running.server.modules.get_module("*", "c2s").listener
    (network,) = listener.per_address
    before = listener.per_address[network]
    for _ in range(3):
        stage.cut()
        stage.juliet, answer = resume(stage.running, stage.token, 0)
        assert answer.name == "resumed"
    wait_until(lambda: listener.per_address[network] == before)
