"""mod_blocklist: what two see of each other when one blocks the other (XEP-0191)."""

from __future__ import annotations

import pytest

from prosody_py.testing.blocking import XMLNS, block, unblock
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("blocklist")

OURS = "Debian's differs here"


def test_who_is_blocked_sees_the_user_go_and_come_back(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    assert kinds(romeo.flush()) == [(juliet.jid, "unavailable")]
    juliet.send("<presence><show>away</show></presence>").flush()
    assert kinds(romeo.flush()) == []
    unblock(juliet, romeo.bare_jid)
    assert kinds(romeo.flush()) == [(juliet.jid, None)]


def test_blocking_again_says_nothing_again(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    romeo.flush()
    block(juliet, romeo.bare_jid, "x.lit")
    assert kinds(romeo.flush()) == []


def test_strangers_learn_nothing_of_a_block(people):
    juliet, iago = people.login("juliet"), people.login("iago")
    block(juliet, iago.bare_jid)
    unblock(juliet)
    assert kinds(iago.flush()) == []


def test_presence_of_both_is_hidden_over_logins(people):
    people.befriend("juliet", "romeo")
    juliet = people.login("juliet")
    block(juliet, people.jid("romeo"))
    juliet.close()
    romeo = people.login("romeo")
    romeo.flush()
    again = people.login("juliet", "again")
    assert again.jid not in [sender for sender, _type in kinds(romeo.flush())]
    assert romeo.jid not in [sender for sender, _type in kinds(again.flush())]
    late = people.login("romeo", "late")
    assert again.jid not in [sender for sender, _type in kinds(late.flush())]


@pytest.mark.ours_alone(OURS)
def test_the_contacts_presence_is_asked_for_again(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    romeo.send("<presence><show>away</show></presence>").flush()
    assert kinds(juliet.flush()) == []
    juliet.send(f"<iq type='set' id='u'><unblock xmlns='{XMLNS}'/></iq>")
    shown = [found for found in juliet.flush() if found.attr.get("from") == romeo.jid]
    assert [found.get_child_text("show") for found in shown] == ["away"]


@pytest.mark.ours_alone(OURS)
def test_directed_presence_ends_with_the_block(people):
    juliet, iago = people.login("juliet"), people.login("iago", "tower")
    juliet.send(f"<presence to='{iago.jid}'/>").flush()
    assert kinds(iago.flush()) == [(juliet.jid, None)]
    block(juliet, iago.bare_jid)
    assert kinds(iago.flush()) == [(juliet.jid, "unavailable")]
    juliet.close()
    assert kinds(iago.flush()) == []


@pytest.mark.ours_alone(OURS)
def test_requests_of_who_is_blocked_are_not_shown_any_more(people):
    juliet, iago = people.login("juliet"), people.login("iago")
    iago.send(f"<presence type='subscribe' to='{juliet.bare_jid}'/>").flush()
    assert (iago.bare_jid, "subscribe") in kinds(juliet.flush())
    block(juliet, iago.bare_jid)
    assert people.roster("juliet").pending == {}
    again = people.login("juliet", "again")
    assert "subscribe" not in [type for _sender, type in kinds(again.flush())]


@pytest.mark.ours_alone(OURS)
def test_a_request_to_who_is_blocked_is_not_sent_again_at_login(people):
    iago = people.login("iago")
    people.set("juliet", people.jid("iago"), "none", ask="subscribe")
    juliet = people.login("juliet", available=False)
    block(juliet, iago.bare_jid)
    juliet.available()
    assert kinds(iago.flush()) == []
    assert "error" not in [type for _sender, type in kinds(juliet.flush())]
