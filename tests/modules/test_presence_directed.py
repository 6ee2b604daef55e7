"""Presence to one address (RFC 6121 section 4.6), and to the server itself.

All tests run twice: with nothing but mod_presence on the events of presence, when stanzas are
given to the receivers' sessions at once, and with a handler that looks at all of them.
"""

import pytest

from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("presence")


@pytest.fixture(scope="module")
def server(presence_server):
    return presence_server


def test_who_got_directed_presence_learns_that_it_is_over(people):
    romeo, juliet, nurse = (people.login(name) for name in ("romeo", "juliet", "nurse"))
    romeo.send(f"<presence to='{juliet.jid}'/><presence to='{nurse.bare_jid}'/>")
    assert juliet.presence().attr["to"] == juliet.jid
    assert nurse.presence().attr["to"] == nurse.bare_jid
    romeo.send(f"<presence type='unavailable' to='{juliet.jid}'/>")
    assert juliet.presence().attr["type"] == "unavailable"
    romeo.sock.close()
    assert nurse.presence().attr["type"] == "unavailable"
    assert juliet.flush() == []


def test_directed_presence_needs_no_presence_before_it(people):
    romeo, juliet = people.login("romeo", available=False), people.login("juliet")
    romeo.send(f"<presence to='{juliet.jid}'/>")
    assert juliet.presence().attr["from"] == romeo.jid
    romeo.close()
    assert juliet.presence().attr["type"] == "unavailable"


def test_a_subscriber_hears_of_the_end_once(people):
    people.befriend("romeo", "juliet")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    romeo.send(f"<presence to='{juliet.jid}'/>")
    romeo.flush()
    juliet.flush()
    romeo.send("<presence type='unavailable'/>")
    romeo.flush()
    assert kinds(juliet.flush()) == [(romeo.jid, "unavailable")]


@pytest.mark.ours_alone("Debian's has no limit")
def test_directed_presence_is_limited(people):
    romeo = people.login("romeo")
    people.session(romeo).directed = {f"{number}@localhost": True for number in range(1000)}
    romeo.send("<presence to='one-more@localhost'/>")
    (answer,) = romeo.flush()
    assert answer.get_error()[1] == "resource-constraint"


def test_presence_to_somebody_unknown_is_dropped(people):
    romeo = people.login("romeo")
    romeo.send("<presence to='nobody@localhost'/><presence to='nobody@localhost/x'/>"
               "<presence type='subscribe' to='nobody2@localhost'/>")
    # Debian's confirms that the request has arrived, whether there is such an account or not.
    assert set(kinds(romeo.flush())) <= {("nobody2@localhost", "unavailable")}


def test_a_type_that_does_not_exist_is_refused(people):
    romeo = people.login("romeo")
    romeo.send("<presence type='here' to='juliet@localhost'/>")
    assert romeo.flush()[0].get_error()[1] == "bad-request"


def test_the_server_itself_is_there_for_everybody(people):
    romeo = people.login("romeo")
    romeo.send("<presence type='probe' to='localhost'/>")
    assert kinds(romeo.flush()) == [("localhost", None)]
    romeo.send("<presence type='subscribe' to='localhost'/>")
    assert kinds(romeo.flush()) == [("localhost", "subscribed"), ("localhost", None)]
