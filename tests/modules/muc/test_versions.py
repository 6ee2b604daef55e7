"""Versions of the affiliations (XEP-0463)."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import wait_until
from prosody_py.testing.rooms import HOST, MUC, USER, Party, error

MAV = "urn:xmpp:muc:affiliations:0"
pytestmark = [pytest.mark.twins("muc", needs=("muc_unique", "adhoc")),
              pytest.mark.ours_alone("Debian's has no such versions")]


def enter(guest, since=None):
    """Enter with a request; return ({address: affiliation} or None, since, the version)."""
    attribute = f" since='{since}'" if since else ""
    seen = guest.flush().join(f"<x xmlns='{MUC}'><mav xmlns='{MAV}'{attribute}/></x>")
    own = next(one for one in seen if one.attr["from"] == guest.address)
    version = own.get_child("x", USER).get_child("mav", MAV)
    answers = [one.get_child("x", USER) for one in seen if one.name == "message"
               and one.get_child("x", USER) is not None]
    if answers:  # they come before everything else
        assert seen[0].name == "message"
    chain = [dict(x.get_child("mav", MAV).attr) for x in answers]
    for one, other in zip(chain, chain[1:], strict=False):
        assert one["until"] == other["since"]
    listed = {one.attr["jid"]: one.attr["affiliation"] for x in answers
              for one in x.tags if one.name == "item"}
    return (listed if answers else None, chain[0].get("since") if chain else None,
            version.attr["until"])


def test_a_client_gets_all_and_later_what_has_changed(party):
    juliet, romeo = party.pair(whois="anyone")
    juliet.admin("set", {"jid": "a@localhost", "affiliation": "member"},
                 {"jid": "b@localhost", "affiliation": "admin"})
    nurse = party.guest("nurse")
    listed, since, first = enter(nurse)
    assert since is None and listed == {juliet.bare_jid: "owner", "a@localhost": "member",
                                        "b@localhost": "admin"}
    assert enter(nurse, first) == (None, None, first)
    nurse.leave()
    juliet.admin("set", {"jid": "a@localhost", "affiliation": "none"},
                 {"jid": romeo.bare_jid, "affiliation": "member"})
    listed, since, second = enter(nurse, first)
    assert listed == {"a@localhost": "none", romeo.bare_jid: "member"}
    assert since == first and second != first
    listed, since, _version = enter(nurse, "unknown")
    assert since is None and len(listed) == 3


def test_versions_last_over_a_reload(party, rooms_server):
    juliet, romeo = party.pair(whois="anyone")
    _listed, _since, version = enter(romeo)
    rooms_server.server.modules.reload(HOST, "muc")
    juliet.admin("set", jid="a@localhost", affiliation="member")
    assert enter(romeo, version)[:2] == ({"a@localhost": "member"}, version)


@pytest.mark.ours_alone("a server of its own")
def test_versions_last_over_a_restart(launch, tmp_path):
    def start():
        return launch(tmp_path, ["disco"], storage="sqlite", components={HOST: {"module": "muc"}})

    running = start()
    party = Party(running)
    juliet = party.owner(persistentroom="1")
    nurse = party.guest("nurse")
    juliet.admin("set", jid=nurse.bare_jid, affiliation="admin")
    _listed, _since, first = enter(nurse)
    running.stop()
    party.running = running = start()
    nurse = party.guest("nurse")
    assert enter(nurse, first) == (None, None, first)
    nurse.admin("set", jid="a@localhost", affiliation="member")
    second = enter(nurse)[2]
    assert second != first
    running.stop()
    party.running = running = start()
    try:
        nurse = party.guest("nurse")
        assert enter(nurse, second) == (None, None, second)
        nurse.leave()
        assert enter(nurse, first) == ({"a@localhost": "member"}, first, second)
    finally:
        running.stop()


def test_changes_come_with_the_versions(party):
    juliet, romeo = party.pair()
    _listed, _since, version = enter(juliet)
    romeo.flush()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    change = romeo.presence_of("Romeo").get_child("x", USER).get_child("mav", MAV)
    assert change.attr["since"] == version
    juliet.admin("set", jid=romeo.bare_jid, affiliation="admin")
    change = romeo.presence_of("Romeo").get_child("x", USER).get_child("mav", MAV)
    juliet.admin("set", jid="a@localhost", affiliation="member")
    next_one = romeo.message().get_child("x", USER).get_child("mav", MAV)
    assert next_one.attr["since"] == change.attr["until"]


def test_nobody_pays_who_has_not_asked(party):
    juliet, romeo = party.pair()
    juliet.admin("set", jid=romeo.bare_jid, affiliation="member")
    assert romeo.presence_of("Romeo").get_child("x", USER).get_child("mav", MAV) is None


def test_who_may_not_read_the_lists_gets_an_error(party):
    party.owner()
    romeo = party.guest("romeo")
    romeo.send(f"<presence to='{romeo.address}'><x xmlns='{MUC}'><mav xmlns='{MAV}'/></x>"
               "</presence>")
    seen = romeo.client.flush()
    assert seen[0].name == "message" and error(seen[0]) == ("auth", "forbidden")
    assert all(one.get_child("x", USER).get_child("mav", MAV) is None for one in seen
               if one.name == "presence")


def test_bans_are_for_admins(party):
    juliet, romeo = party.pair(whois="anyone")
    juliet.admin("set", jid="tybalt@localhost", affiliation="outcast")
    assert enter(romeo)[0] == {juliet.bare_jid: "owner"}
    listed, _since, version = enter(juliet)
    assert listed["tybalt@localhost"] == "outcast"
    juliet.admin("set", jid="paris@localhost", affiliation="outcast")
    assert enter(romeo, version)[0] == {"paris@localhost": "none"}
    assert enter(juliet, version)[0] == {"paris@localhost": "outcast"}


def test_a_long_list_comes_in_parts(party, rooms_server):
    juliet = party.owner(whois="anyone")
    muc = rooms_server.server.modules.get_module(HOST, "muc").exports
    for number in range(700):
        muc.set_room_affiliation(party.room, f"u{number}@localhost", "member")
    wait_until(lambda: len(muc.get_room_from_jid(party.room)._affiliations) == 701)
    assert len(enter(party.guest("nurse"))[0]) == 701
    assert juliet.nick


def test_it_is_discovered(party):
    party.owner()
    query = party.guest("romeo").iq(
        "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    assert MAV in {tag.attr.get("var") for tag in query.tags}
