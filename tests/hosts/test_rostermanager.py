"""Rosters over a store: what is written, when it can be seen, and Prosody's single steps."""

import gevent
import pytest

from prosody_py.config.load import load_mapping
from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import (
    RosterItem,
    commit,
    forget_roster,
    load_roster,
    save_roster,
)
from prosody_py.hosts.roster_items import MAX_PENDING
from prosody_py.hosts.server import Server
from prosody_py.hosts.subscriptions import INBOUND, OUTBOUND, STATES, TYPES, State
from prosody_py.storage.interface import StorageError
from prosody_py.storage.memory import MemoryStorage
from prosody_py.xmpp.builders import presence
from prosody_py.xmpp.errors import StanzaError

HOST, USER, CONTACT = "here.example", "me", "you@there.example"


@pytest.fixture
def server():
    server = Server(load_mapping({"hosts": {HOST: {}}}))
    server.storage = MemoryStorage()
    server.activate(HOST)
    return server


def stored(server):
    return server.storage.open(HOST, "roster", "keyval").get(USER)


def put(server, state, **item):
    """Store a contact in a state and return the roster."""
    roster = load_roster(server, USER, HOST)
    item = RosterItem(state.subscription, "subscribe" if state.pending_out else None, **item)
    with roster.lock:
        commit(server, roster, CONTACT, item, {CONTACT: True} if state.pending_in else {})
    return roster


def reread(server):
    """Return the roster as a restarted server would have it."""
    forget_roster(server, USER, HOST)
    return load_roster(server, USER, HOST)


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("state", STATES)
def test_a_roster_is_stored_as_the_tables_say(server, state, type):
    for change, table in ((rostermanager.outbound, OUTBOUND), (rostermanager.inbound, INBOUND)):
        roster = put(server, state)
        result = change(server, roster, type, CONTACT)
        wanted = table[type][state]
        assert (result.goes_on, result.old, result.new) == (wanted.goes_on, state, wanted.state)
        assert roster.state(CONTACT) == wanted.state
        assert reread(server).state(CONTACT) == wanted.state


def test_what_changes_nothing_writes_nothing(server):
    roster = load_roster(server, USER, HOST)
    assert not rostermanager.outbound(server, roster, "unsubscribe", CONTACT).item_changed
    assert not rostermanager.inbound(server, roster, "subscribed", CONTACT).item_changed
    assert stored(server) is None and CONTACT not in roster


def test_a_request_of_a_stranger_makes_no_contact(server):
    roster = load_roster(server, USER, HOST)
    request = presence({"from": CONTACT, "type": "subscribe"}).text_tag("status", "It is me")
    change = rostermanager.inbound(server, roster, "subscribe", CONTACT, request)
    assert change.goes_on and not change.item_changed
    assert CONTACT not in roster
    again = reread(server)
    assert str(again.pending[CONTACT]) == str(request)


def test_an_approval_in_advance_is_kept_and_answers_the_request(server):
    roster = load_roster(server, USER, HOST)
    change = rostermanager.outbound(server, roster, "subscribed", CONTACT)
    assert change.item_changed and not change.goes_on and roster[CONTACT].approved
    assert reread(server)[CONTACT].approved
    change = rostermanager.inbound(server, roster, "subscribe", CONTACT)
    assert change.answered and not change.goes_on and change.item_changed
    assert roster.state(CONTACT) == State("from") and not roster.pending


def test_an_approval_in_advance_can_be_taken_back(server):
    roster = load_roster(server, USER, HOST)
    rostermanager.outbound(server, roster, "subscribed", CONTACT)
    change = rostermanager.outbound(server, roster, "unsubscribed", CONTACT)
    assert change.item_changed and not change.goes_on and not roster[CONTACT].approved
    assert rostermanager.inbound(server, roster, "subscribe", CONTACT).goes_on


@pytest.mark.parametrize("subscription", ["from", "both"])
def test_a_contact_that_is_subscribed_is_answered_by_the_server(server, subscription):
    roster = put(server, State(subscription))
    change = rostermanager.inbound(server, roster, "subscribe", CONTACT)
    assert change.answered and not change.goes_on and not change.item_changed


def test_requests_of_too_many_are_dropped(server):
    roster = load_roster(server, USER, HOST)
    roster.pending.update({f"{number}@there.example": True for number in range(MAX_PENDING)})
    assert not rostermanager.inbound(server, roster, "subscribe", CONTACT).goes_on
    assert CONTACT not in roster.pending
    assert not rostermanager.set_contact_pending_in(server, USER, HOST, CONTACT)


def test_a_roster_holds_no_more_contacts_than_allowed():
    server = Server(load_mapping({"hosts": {HOST: {"max_roster_items": "2"}}}))
    server.storage = MemoryStorage()
    server.activate(HOST)
    roster = load_roster(server, USER, HOST)
    for number in range(2):
        rostermanager.outbound(server, roster, "subscribe", f"{number}@there.example")
    with pytest.raises(StanzaError, match="policy-violation"):
        rostermanager.outbound(server, roster, "subscribe", CONTACT)
    assert rostermanager.outbound(server, roster, "unsubscribe", "1@there.example").item_changed


def test_only_the_changed_contact_is_written(server):
    roster = put(server, State("both"))
    server.storage.open(HOST, "roster", "map").set(USER, "other@there.example",
                                                   {"subscription": "to"})
    rostermanager.outbound(server, roster, "unsubscribe", CONTACT)
    assert stored(server)["other@there.example"] == {"subscription": "to"}
    assert stored(server)[CONTACT]["subscription"] == "from"


class Failing(MemoryStorage):
    """A store whose disk is full."""

    full = False

    def open(self, host, store, kind="keyval"):
        if self.full:
            raise StorageError("resource-constraint", "the disk is full")
        return super().open(host, store, kind)


def test_a_change_that_cannot_be_stored_is_not_made(server):
    server.storage = Failing()
    roster = put(server, State("to"))
    version = roster.version
    server.storage.full = True
    for change in (rostermanager.outbound, rostermanager.inbound):
        with pytest.raises(StorageError):
            change(server, roster, "unsubscribe" if change is rostermanager.outbound
                   else "subscribe", CONTACT)
    assert roster.state(CONTACT) == State("to") and roster.version == version


def test_a_roster_that_could_not_be_read_is_read_again(server):
    server.storage = Failing()
    server.storage.full = True
    with pytest.raises(StorageError):
        load_roster(server, USER, HOST)
    server.storage.full = False
    assert len(load_roster(server, USER, HOST)) == 0


class Slow(MemoryStorage):
    """A store that lets others run before it answers."""

    def open(self, host, store, kind="keyval"):
        gevent.sleep(0)
        return super().open(host, store, kind)


def test_changes_at_the_same_time_do_not_undo_each_other(server):
    server.storage = Slow()

    def ask(number):
        roster = load_roster(server, USER, HOST)
        rostermanager.inbound(server, roster, "subscribe", f"{number}@there.example")
        rostermanager.outbound(server, roster, "subscribe", f"{number}@there.example")

    gevent.joinall([gevent.spawn(ask, number) for number in range(10)], raise_error=True)
    again = reread(server)
    assert len(again) == len(again.pending) == 10


def test_a_roster_that_two_want_at_once_is_read_once(server):
    server.storage, calls = Slow(), []
    server.hosts[HOST].events.add_handler("roster-load", lambda event: calls.append(event.roster))
    loading = [gevent.spawn(load_roster, server, USER, HOST) for _ in range(3)]
    gevent.joinall(loading, raise_error=True)
    assert len(calls) == 1 and all(greenlet.value is calls[0] for greenlet in loading)


def test_modules_add_to_a_roster_once_when_it_is_read(server):
    calls = []

    def add(event):
        calls.append(event.username)
        event.roster["team@there.example"] = {"subscription": "both", "persist": False}
        event.roster.version = True

    server.hosts[HOST].events.add_handler("roster-load", add)
    roster = load_roster(server, USER, HOST)
    assert load_roster(server, USER, HOST) is roster and calls == [USER]
    assert rostermanager.is_user_subscribed(server, USER, HOST, "team@there.example")
    rostermanager.outbound(server, roster, "subscribe", CONTACT)
    assert set(stored(server)) == {CONTACT, False}
    assert roster.version is True and stored(server)[False]["version"] > 1


def test_the_steps_have_the_meaning_of_prosodys(server):
    rm, who = rostermanager, (USER, HOST, CONTACT)
    assert not rm.process_inbound_subscription_approval(server, *who)
    assert rm.set_contact_pending_out(server, *who)
    assert rm.is_contact_pending_out(server, *who)
    assert not rm.process_outbound_subscription_request(server, *who)
    assert rm.process_inbound_subscription_approval(server, *who)
    assert rm.is_user_subscribed(server, *who) and not rm.is_contact_pending_out(server, *who)
    assert rm.set_contact_pending_in(server, *who) and rm.is_contact_pending_in(server, *who)
    assert rm.subscribed(server, *who) and rm.is_contact_subscribed(server, *who)
    assert not rm.set_contact_pending_in(server, *who)
    assert rm.process_inbound_unsubscribe(server, *who)
    assert not rm.process_inbound_unsubscribe(server, *who)
    assert rm.process_outbound_subscription_approval(server, *who)
    assert rm.is_contact_preapproved(server, *who)
    assert rm.process_inbound_subscription_cancellation(server, *who)
    assert rm.unsubscribed(server, *who) == (False, False, False)
    assert not rm.is_contact_preapproved(server, *who)
    assert rm.unsubscribe(server, *who)
    assert not rm.unsubscribe(server, USER, HOST, "stranger@there.example")
    assert load_roster(server, USER, HOST).state(CONTACT) == State("none")


def test_what_was_changed_in_memory_can_be_saved(server):
    roster = load_roster(server, USER, HOST)
    roster[CONTACT] = {"subscription": "to", "groups": {}}
    save_roster(server, USER, HOST, roster, CONTACT)
    assert stored(server)[CONTACT]["subscription"] == "to"
    del roster[CONTACT]
    roster["a@b"] = RosterItem("both")
    save_roster(server, USER, HOST)
    assert list(reread(server)) == ["a@b"]
