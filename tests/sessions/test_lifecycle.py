"""Sessions from authentication to the end: indexes, events, conflicts, handlers that wait."""

import gevent
import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import lifecycle
from prosody_py.sessions.session import Session
from prosody_py.testing.server import TestServer
from prosody_py.xmpp.errors import StanzaError

EVENTS = ("pre-resource-bind", "resource-bind", "pre-resource-unbind", "resource-unbind")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    running = TestServer(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def server(running):
    yield running.server
    for user in list(running.server.bare_sessions.values()):
        for session in list(user.sessions.values()):
            lifecycle.destroy(session)
    assert not running.server.bare_sessions and not running.server.full_sessions
    assert not running.server.hosts["localhost"].sessions


@pytest.fixture
def events(server):
    """Return the host's events, where handlers that a test adds are taken away again."""
    bus = server.hosts["localhost"].events
    added = []

    class Adding:
        fire_event = bus.fire_event

        @staticmethod
        def add_handler(name, handler, priority=0):
            added.append((name, handler))
            bus.add_handler(name, handler, priority)

    yield Adding
    for name, handler in added:
        bus.remove_handler(name, handler)


@pytest.fixture
def authenticated(server):
    """Return a function that makes a session without a connection, logged in as `name`."""

    def make(name="juliet"):
        session = Session(None, server)
        session.host, session.host_object = "localhost", server.hosts["localhost"]
        lifecycle.make_authenticated(session, name)
        return session

    return make


def bind(session, resource="balcony", load=None):
    lifecycle.bind_resource(session, resource, load or (
        lambda username, host: load_roster(session.server, username, host.host)))
    return session


def assert_indexed(server, *sessions):
    """Assert that these sessions of one user are found in all indexes, and no others."""
    user = server.bare_sessions[sessions[0].bare_jid]
    assert server.hosts["localhost"].sessions[sessions[0].username] is user
    assert user.sessions == {session.resource: session for session in sessions}
    assert server.full_sessions == {session.full_jid: session for session in sessions}


def test_a_bound_session_is_in_all_indexes_and_shares_its_roster(server, authenticated):
    one, two = bind(authenticated(), "one"), bind(authenticated(), "two")
    assert (one.type, one.full_jid, one.resource) == ("c2s", "juliet@localhost/one", "one")
    assert one.roster is two.roster
    assert_indexed(server, one, two)
    lifecycle.destroy(one)
    assert_indexed(server, two)
    lifecycle.destroy(two)
    assert not server.bare_sessions and not server.hosts["localhost"].sessions


def test_events_of_a_life_come_in_order_with_the_indexes_as_they_say(
        server, events, authenticated):
    notes = []
    for name in EVENTS:
        events.add_handler(name, lambda event, name=name: notes.append((
            name, "juliet@localhost/balcony" in server.full_sessions,
            getattr(event, "error", None))))
    session = bind(authenticated())
    lifecycle.destroy(session, "the end")
    lifecycle.destroy(session, "again")
    assert notes == [("pre-resource-bind", False, None), ("resource-bind", True, None),
                     ("pre-resource-unbind", True, "the end"),
                     ("resource-unbind", False, "the end")]
    assert session.type == "c2s_destroyed" and session.destroyed
    assert session.presence is session.roster is session.stream is None


def test_the_end_of_a_session_that_was_never_bound_fires_nothing(events, authenticated):
    notes = []
    for name in EVENTS:
        events.add_handler(name, lambda event, name=name: notes.append(name))
    session = authenticated()
    lifecycle.destroy(session)
    assert notes == [] and session.type == "c2s_destroyed"


def test_a_handler_may_choose_another_resource(server, events, authenticated):
    def choose(event):
        event.resource += "-2"

    events.add_handler("pre-resource-bind", choose)
    assert bind(authenticated()).resource == "balcony-2"


@pytest.mark.parametrize(("error", "expected"), [
    (None, ("not-allowed", "cancel")),
    (StanzaError("resource-constraint", "Too many"), ("resource-constraint", "wait")),
    (Event(type="auth", condition="forbidden", text="No"), ("forbidden", "auth")),
])
def test_a_handler_may_refuse_a_resource(server, events, authenticated, error, expected):
    def refuse(event):
        event.error = error
        return False

    events.add_handler("pre-resource-bind", refuse)
    with pytest.raises(StanzaError) as caught:
        bind(authenticated())
    assert (caught.value.condition, caught.value.type) == expected
    assert not server.bare_sessions


def test_kick_old_ends_the_old_session_before_the_new_one_is_bound(
        server, events, authenticated):
    old, new, notes = bind(authenticated()), authenticated(), []
    for name in EVENTS:
        events.add_handler(name, lambda event, name=name: notes.append((name, event.session)))
    bind(new)
    assert notes == [("pre-resource-bind", new), ("pre-resource-unbind", old),
                     ("resource-unbind", old), ("resource-bind", new)]
    assert old.destroyed
    assert_indexed(server, new)


def test_kick_new_leaves_the_old_session_alone(running, server, authenticated):
    with configured(running, conflict_resolve="kick_new"):
        old = bind(authenticated())
        with pytest.raises(StanzaError) as caught:
            bind(authenticated())
        assert (caught.value.condition, caught.value.type) == ("conflict", "cancel")
        assert_indexed(server, old)


def test_random_binds_both(running, server, authenticated):
    with configured(running, conflict_resolve="random"):
        old, new = bind(authenticated()), bind(authenticated())
        assert new.resource != old.resource == "balcony"
        assert_indexed(server, old, new)


class configured:
    """A server whose configuration has other options for a while."""

    def __init__(self, running, **options):
        self.running, self.options = running, options
        self.before = {name: running.options.get(name) for name in options}

    def __enter__(self):
        self.running.write_config(**self.options)
        self.running.reload_config()

    def __exit__(self, *_error):
        for name, value in self.before.items():
            self.running.options.pop(name, None)
            if value is not None:
                self.running.options[name] = value
        self.running.write_config()
        self.running.reload_config()


@pytest.mark.parametrize("event", ["pre-resource-unbind", "resource-unbind"])
def test_a_binding_during_the_end_of_a_replaced_session_finds_the_same_user(
        server, events, authenticated, event):
    """Several bind while a handler of the old session's end waits; none of them is lost."""
    bind(authenticated())
    goes_on = gevent.event.Event()
    events.add_handler(event, lambda data: goes_on.wait() and None)
    first, second = authenticated(), authenticated()
    waiting = gevent.spawn(bind, first, "balcony")
    gevent.sleep(0)
    bind(second, "garden")
    goes_on.set()
    waiting.get(timeout=5)
    assert_indexed(server, first, second)


@pytest.mark.parametrize("event", ["pre-resource-unbind", "resource-unbind"])
def test_two_who_want_the_place_of_one_do_not_both_get_it(server, events, authenticated, event):
    bind(authenticated())
    goes_on = gevent.event.Event()
    events.add_handler(event, lambda data: goes_on.wait() and None)
    first, second = authenticated(), authenticated()
    waiting = [gevent.spawn(bind, session) for session in (first, second)]
    gevent.sleep(0)
    goes_on.set()
    gevent.joinall(waiting, timeout=5, raise_error=True)
    assert [first.destroyed, second.destroyed].count(True) == 1
    assert_indexed(server, second if first.destroyed else first)


def test_a_session_that_ends_while_its_roster_is_read_is_not_bound(server, authenticated):
    session = authenticated()

    def load(username, host):
        gevent.sleep(0)
        lifecycle.destroy(session)

    with pytest.raises(StanzaError, match="ended"):
        bind(session, load=load)
    assert not server.bare_sessions and not server.full_sessions


def test_two_first_resources_at_once_share_one_entry(server, authenticated):
    one, two = authenticated(), authenticated()

    def load(username, host):
        gevent.sleep(0)
        return load_roster(server, username, host.host)

    gevent.joinall([gevent.spawn(bind, one, "one", load), gevent.spawn(bind, two, "two", load)],
                   timeout=5, raise_error=True)
    assert one.roster is two.roster
    assert_indexed(server, one, two)


def test_resources_are_limited(server, authenticated):
    sessions = [bind(authenticated(), str(n)) for n in range(lifecycle.MAX_RESOURCES)]
    with pytest.raises(StanzaError) as caught:
        bind(authenticated(), "one more")
    assert caught.value.condition == "resource-constraint"
    replacement = bind(authenticated(), "0")
    assert_indexed(server, replacement, *sessions[1:])


@pytest.mark.parametrize(("priorities", "expected"), [
    ((1, 5, 5), [1, 2]),
    ((-1, None, 0), [2]),
    ((-1, -5), []),
    ((), []),
])
def test_top_resources_are_the_available_ones_of_the_highest_priority(
        server, authenticated, priorities, expected):
    sessions = [bind(authenticated(), str(n)) for n in range(len(priorities) or 1)]
    for session, priority in zip(sessions, priorities):
        session.priority = priority
        session.presence = None if priority is None else "there"
    user = sessions[0].server.bare_sessions[sessions[0].bare_jid]
    assert [int(session.resource) for session in lifecycle.top_resources(user)] == expected
    for session in sessions:
        session.presence = None
