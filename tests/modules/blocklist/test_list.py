"""mod_blocklist: a list, who changes it and who hears of that (XEP-0191)."""

from __future__ import annotations

import pytest

from prosody_py.testing.blocking import XMLNS, block, blocked, command, unblock

pytestmark = pytest.mark.twins("blocklist")


def test_the_feature_is_announced(couple):
    info = couple[0].iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                        "localhost").tags[0]
    assert XMLNS in [feature.attr["var"] for feature in info.childtags("feature")]


def test_who_blocks_nobody_has_an_empty_list(couple):
    assert blocked(couple[0]) == []


def test_a_list_comes_back_as_it_was_set(couple):
    juliet = couple[0]
    block(juliet, "romeo@montague.net", "iago@shakespeare.lit/tower")
    block(juliet, "MONTAGUE.net")
    wanted = {"romeo@montague.net", "iago@shakespeare.lit/tower", "montague.net"}
    assert set(blocked(juliet)) == wanted
    unblock(juliet, "romeo@montague.net", "nobody@montague.net")
    assert set(blocked(juliet)) == wanted - {"romeo@montague.net"}
    unblock(juliet)
    assert blocked(juliet) == []


def test_sessions_that_have_asked_for_the_list_hear_of_changes(people):
    chamber, balcony, quiet = (people.login("juliet", name)
                               for name in ("chamber", "balcony", "quiet"))
    blocked(chamber)
    blocked(balcony)
    for name, addresses in (("block", ["romeo@montague.net", "iago@x.lit"]),
                            ("unblock", ["romeo@montague.net"]), ("unblock", [])):
        assert command(chamber, name, *addresses).attr["type"] == "result"
        push = balcony.receive_until(lambda element: element.name == "iq")
        assert push.attr["type"] == "set" and push.attr["id"]
        assert push.attr["to"] == balcony.jid and "from" not in push.attr
        assert push.tags[0].name == name and push.tags[0].attr["xmlns"] == XMLNS
        assert [item.attr["jid"] for item in push.tags[0].tags] == addresses
    assert [element for element in quiet.flush() if element.name == "iq"] == []


def test_the_session_that_blocks_gets_the_push_too(couple):
    juliet = couple[0]
    blocked(juliet)
    juliet.send(f"<iq type='set' id='b'><block xmlns='{XMLNS}'><item jid='x.lit'/></block></iq>")
    assert sorted(found.attr["type"] for found in juliet.flush() if found.name == "iq") == [
        "result", "set"]


@pytest.mark.parametrize(("payload", "condition"), [
    ("<block xmlns='{}'/>", "bad-request"),
    ("<block xmlns='{}'><item/></block>", "jid-malformed"),
    ("<block xmlns='{}'><item jid='@'/></block>", "jid-malformed"),
    ("<unblock xmlns='{}'><item jid='a@'/></unblock>", "jid-malformed")])
def test_wrong_requests_are_refused(couple, payload, condition):
    assert couple[0].iq("set", payload.format(XMLNS)).get_error()[1] == condition


def test_one_wrong_address_blocks_none_of_them(couple):
    assert command(couple[0], "block", "good@x.lit", "@").get_error()[1] == "jid-malformed"
    assert blocked(couple[0]) == []


@pytest.mark.parametrize("type", ["get", "set"])
def test_a_list_is_nobody_elses(couple, type):
    juliet, romeo = couple
    block(juliet, "x.lit")
    name = "blocklist" if type == "get" else "unblock"
    answer = romeo.iq(type, f"<{name} xmlns='{XMLNS}'/>", juliet.bare_jid)
    assert answer.get_error()[1] == "service-unavailable"
    assert blocked(juliet) == ["x.lit"]


@pytest.mark.ours_alone("Debian's has no limit")
def test_a_list_has_an_end(start_server):
    juliet = start_server(["blocklist"], blocklist_max_items=2).client("juliet")
    block(juliet, "a.lit", "b.lit")
    block(juliet, "b.lit")
    assert command(juliet, "block", "c.lit").get_error()[1] == "policy-violation"
    assert blocked(juliet) == ["a.lit", "b.lit"]
