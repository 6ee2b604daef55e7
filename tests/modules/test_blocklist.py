"""mod_blocklist: XEP-0191."""

from __future__ import annotations

import pytest

from prosody_py.api import stanza
from prosody_py.hosts import users
from prosody_py.testing.people import kinds

pytestmark = pytest.mark.twins("blocklist")

XMLNS = "urn:xmpp:blocking"
PING = "<ping xmlns='urn:xmpp:ping'/>"
OURS = "Debian's differs here"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["blocklist", "offline"],
                     hosts={"localhost": {}, "second.example": {}})
    yield running
    running.stop()


@pytest.fixture
def couple(people):
    """Return clients of two who see each other: juliet, and romeo whom she is about to block."""
    people.befriend("juliet", "romeo")
    juliet, romeo = people.login("juliet"), people.login("romeo", "orchard")
    for client in (juliet, romeo):
        client.flush()
    return juliet, romeo


def command(client, name, *addresses):
    items = "".join(f"<item jid='{address}'/>" for address in addresses)
    return client.iq("set", f"<{name} xmlns='{XMLNS}'>{items}</{name}>")


def block(client, *addresses):
    answer = command(client, "block", *addresses)
    assert answer.attr["type"] == "result", str(answer)


def unblock(client, *addresses):
    answer = command(client, "unblock", *addresses)
    assert answer.attr["type"] == "result", str(answer)


def blocked(client):
    answer = client.iq("get", f"<blocklist xmlns='{XMLNS}'/>")
    return [item.attr["jid"] for item in answer.get_child("blocklist", XMLNS).childtags("item")]


def bodies(client):
    return [found.get_child_text("body") for found in client.flush() if found.name == "message"
            and found.attr.get("type") != "error"]


def say(client, to, body="hark", type="chat"):
    client.send(f"<message to='{to}' type='{type}'><body>{body}</body></message>")


# -- the list --------------------------------------------------------------------------------


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


# -- what is blocked -------------------------------------------------------------------------


@pytest.mark.ours_alone("Debian's drops messages to the account in silence")
def test_messages_of_who_is_blocked_come_back(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    for to in (juliet.jid, juliet.bare_jid):
        say(romeo, to)
        error = romeo.message()
        assert error.attr["from"] == to
        assert error.get_error()[:2] == ("cancel", "service-unavailable")
        assert error.get_child("error").get_child("blocked", XMLNS + ":errors") is None
    assert juliet.flush() == []


@pytest.mark.ours_alone(OURS)
@pytest.mark.parametrize("type", ["error", "headline", "groupchat"])
def test_messages_that_want_no_answer_are_dropped(couple, type):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    romeo.flush()
    say(romeo, juliet.jid, type=type)
    assert romeo.flush() == [] and juliet.flush() == []


def test_requests_of_who_is_blocked_come_back_and_answers_are_dropped(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    romeo.flush()
    for to in (juliet.jid, juliet.bare_jid):
        for type in ("get", "set"):
            assert romeo.iq(type, PING, to).get_error()[:2] == ("cancel", "service-unavailable")
        romeo.send(f"<iq type='result' id='x' to='{to}'/>")
        romeo.send(f"<iq type='error' id='x' to='{to}'><error type='cancel'/></iq>")
    assert romeo.flush() == [] and juliet.flush() == []


@pytest.mark.parametrize("type", ["", "unavailable", "probe", "subscribe", "subscribed",
                                  "unsubscribe", "unsubscribed"])
def test_presence_of_who_is_blocked_is_dropped_in_silence(people, type):
    juliet, romeo = people.login("juliet"), people.login("romeo")
    block(juliet, romeo.bare_jid)
    attr = f" type='{type}'" if type else ""
    romeo.send(f"<presence to='{juliet.bare_jid}'{attr}/><presence to='{juliet.jid}'{attr}/>")
    assert [found for found in romeo.flush() if found.name == "presence"] == []
    assert [found for found in juliet.flush() if found.name == "presence"] == []


@pytest.mark.parametrize("text", [
    "<message to='{}' type='chat'><body>hark</body></message>",
    "<iq to='{}' type='get' id='i'><ping xmlns='urn:xmpp:ping'/></iq>",
    pytest.param("<presence to='{}' type='subscribe'/>", marks=pytest.mark.ours_alone(OURS))])
def test_who_sends_to_somebody_blocked_is_told_why_not(couple, text):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid, "montague.net", "stranger@localhost")
    romeo.flush()
    for to in (romeo.jid, "a@montague.net", "montague.net", "stranger@localhost"):
        juliet.send(text.format(to))
        error = juliet.receive_until(lambda element: element.attr.get("type") == "error")
        assert error.get_error()[:2] == ("cancel", "not-acceptable")
        assert error.get_child("error").get_child("blocked", XMLNS + ":errors") is not None
        assert error.attr["from"] == to
    assert romeo.flush() == []


def test_who_is_unblocked_comes_through_both_ways(couple):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid, "x.lit")
    unblock(juliet, romeo.bare_jid)
    say(romeo, juliet.jid)
    romeo.flush()
    say(juliet, romeo.jid, "who")
    assert (bodies(juliet), bodies(romeo)) == (["hark"], ["who"])
    block(juliet, "localhost")
    unblock(juliet)
    say(romeo, juliet.jid)
    romeo.flush()
    assert bodies(juliet) == ["hark"]


@pytest.mark.parametrize(("entry", "passes"), [
    ("{bare}", ()), ("{bare}/orchard", ("street", "other")), ("second.example", ()),
    ("second.example/orchard", ("orchard", "street", "other")), ("{bare}/gone", (
        "orchard", "street", "other")), ("example", ("orchard", "street", "other"))])
def test_addresses_match_by_bare_full_and_domain(people, entry, passes):
    juliet = people.login("juliet")
    clients = {name: people.login("romeo", name, host="second.example")
               for name in ("orchard", "street")}
    other = clients["other"] = people.login("romeo", "other", host="second.example")
    block(juliet, entry.format(bare=other.bare_jid))
    for name, client in clients.items():
        say(client, juliet.jid, name)
        client.flush()
    assert tuple(bodies(juliet)) == passes


def test_one_occupant_of_a_room_can_be_blocked(people, server):
    juliet = people.login("juliet")
    block(juliet, "room@second.example/iago")
    component = server.server.hosts["second.example"]
    for nick in ("iago", "emilia"):
        server.server.post_stanza(component, stanza.message(
            {"type": "chat", "to": juliet.jid, "from": f"room@second.example/{nick}"}, nick))
    assert bodies(juliet) == ["emilia"]


class Room:
    """Where the stanzas of a room come from; `errors` has the answers."""

    type, host, full_jid = "component", "second.example", None

    def __init__(self):
        self.errors = []

    def send(self, element):
        self.errors.append(element.get_error()[1])


@pytest.mark.ours_alone(OURS)
@pytest.mark.parametrize(("marked", "joined", "errors"), [
    (True, False, []), (False, True, []), (False, False, ["service-unavailable"])])
def test_rooms_get_no_errors_for_which_they_would_turn_one_out(people, server, marked, joined,
                                                               errors):
    juliet = people.login("juliet")
    if joined:
        juliet.send("<presence to='room@second.example/juliet'/>").flush()
    block(juliet, "room@second.example/iago")
    private = stanza.message({"type": "chat", "to": juliet.jid,
                              "from": "room@second.example/iago"}, "psst")
    if marked:
        private.tag("x", xmlns="http://jabber.org/protocol/muc#user").up()
    room = Room()
    server.server.post_stanza(room, private)
    assert room.errors == errors and bodies(juliet) == []


@pytest.mark.ours_alone(OURS)
def test_invitations_by_who_is_blocked_do_not_come_through_a_room(people, server):
    juliet = people.login("juliet")
    block(juliet, "iago@x.lit")
    room = server.server.hosts["second.example"]
    for sender in ("iago@x.lit/boat", "emilia@x.lit"):
        invitation = stanza.message({"to": juliet.bare_jid, "from": "room@second.example"})
        invitation.tag("x", xmlns="http://jabber.org/protocol/muc#user").tag(
            "invite", {"from": sender}).up().up().text_tag("body", sender)
        server.server.post_stanza(room, invitation)
    assert bodies(juliet) == ["emilia@x.lit"]


@pytest.mark.ours_alone("Debian's lets a user block the own account, and the server")
def test_own_resources_and_the_own_server_cannot_be_blocked(people):
    desk, phone = people.login("juliet", "desk"), people.login("juliet", "phone")
    block(desk, desk.bare_jid, phone.jid, "localhost")
    say(desk, phone.jid)
    desk.flush()
    assert bodies(phone) == ["hark"]
    assert desk.iq("get", PING, "localhost").attr["type"] == "result"


# -- what is seen of each other --------------------------------------------------------------


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


# -- store, reload ---------------------------------------------------------------------------


def test_the_store_has_prosodys_form(couple, server):
    juliet = couple[0]
    block(juliet, "romeo@montague.net")
    stored = server.server.storage.open("localhost", "blocklist").get(
        juliet.bare_jid.partition("@")[0])
    assert set(stored) == {False, "romeo@montague.net"}
    assert stored["romeo@montague.net"] == stored[False]["modified"] >= stored[False]["created"]


def test_lists_that_prosody_has_kept_count(people, server):
    server.server.storage.open("localhost", "blocklist").set(
        people.name("juliet"), {"x.lit": True, False: {"created": 5}})
    assert blocked(people.login("juliet")) == ["x.lit"]


def test_the_default_privacy_list_is_taken_over_once(start_server):
    running = start_server(["blocklist"])
    items = [{"order": 1, "type": "jid", "value": "iago@x.lit", "action": "deny"},
             {"order": 2, "type": "jid", "value": "good@x.lit", "action": "allow"},
             {"order": 4, "type": "group", "value": "Enemies", "action": "deny"}]
    running.server.storage.open("localhost", "privacy").set("juliet", {
        "default": "main", "lists": {"main": {"name": "main", "items": items}}})
    juliet = running.client("juliet")
    assert blocked(juliet) == ["iago@x.lit"]
    unblock(juliet)
    juliet.close()
    assert blocked(running.client("juliet")) == []


@pytest.mark.ours_alone("Debian's takes over what is denied in part, and cannot be told not to")
@pytest.mark.parametrize(("migrate", "wanted"), [(True, ["iago@x.lit"]), (False, [])])
def test_privacy_lists_are_taken_over_if_so_wished(start_server, migrate, wanted):
    running = start_server(["blocklist"], migrate_legacy_blocking=migrate)
    running.server.storage.open("localhost", "privacy").set("juliet", {
        "default": "a", "lists": {"a": {"items": [
            {"order": 1, "type": "jid", "value": "iago@x.lit", "action": "deny"},
            {"order": 2, "type": "jid", "value": "half@x.lit", "action": "deny",
             "presence-out": True}]}}})
    assert blocked(running.client("juliet")) == wanted


def test_a_block_holds_after_a_reload_and_pushes_go_on(couple, server):
    juliet, romeo = couple
    blocked(juliet)
    block(juliet, romeo.bare_jid)
    server.server.modules.reload("localhost", "blocklist")
    romeo.flush()
    assert romeo.iq("get", PING, juliet.jid).get_error()[1] == "service-unavailable"
    juliet.flush()
    juliet.send(f"<iq type='set' id='u'><unblock xmlns='{XMLNS}'/></iq>")
    types = [found.attr["type"] for found in juliet.flush() if found.name == "iq"]
    assert sorted(types) == ["result", "set"]


def test_nothing_is_left_of_an_account_that_is_removed(couple, server):
    juliet = couple[0]
    name = juliet.bare_jid.partition("@")[0]
    block(juliet, "x.lit")
    users.delete_user(server.server, name, "localhost")
    assert blocked(server.client(name)) == []


# -- cost ------------------------------------------------------------------------------------


def lists_of(running):
    return running.server.modules.get_module("localhost", "blocklist").lists


@pytest.mark.ours_alone("it is about the inside")
def test_memory_keeps_connected_accounts_and_some_others(start_server):
    running = start_server(["blocklist"], blocklist_cache_size=2)
    lists, juliet = lists_of(running), running.client("juliet")
    for name in ("a", "b", "c"):
        running.user(name)
        say(juliet, f"{name}@localhost")
    juliet.flush()
    assert [name for name in ("a", "b", "c", "juliet") if lists.known(name) is not None] == [
        "b", "c", "juliet"]
    juliet.close()
    say(running.client("romeo"), "d@localhost")
    assert running.clients[-1].message().get_error()
    assert lists.known("a") is None and not lists._locks


@pytest.mark.ours_alone("it is about the inside")
def test_presence_of_who_has_no_list_goes_from_session_to_session(people, server, monkeypatch):
    people.befriend("juliet", "romeo")
    people.set("juliet", people.jid("nobody"), "both")
    juliet, romeo = people.login("juliet"), people.login("romeo")
    posted = []
    post = server.server.post_stanza
    monkeypatch.setattr(server.server, "post_stanza", lambda origin, stanza, *more: (
        posted.append(stanza.attr.get("to")), post(origin, stanza, *more)))
    juliet.send("<presence><show>away</show></presence>").flush()
    assert romeo.jid not in posted and romeo.bare_jid not in posted
    assert people.jid("nobody") not in posted
    assert (juliet.jid, None) in kinds(romeo.flush())
    block(juliet, romeo.bare_jid)
    juliet.send("<presence/>").flush()
    assert romeo.bare_jid in posted


@pytest.mark.ours_alone("Debian's exports nothing")
def test_others_may_ask_who_is_blocked(couple, server):
    juliet, romeo = couple
    block(juliet, romeo.bare_jid)
    exports = server.server.modules.get_module("localhost", "blocklist").exports
    name = juliet.bare_jid.partition("@")[0]
    assert exports.is_blocked(name, romeo.jid) and not exports.is_blocked(name, "x@x.lit")



@pytest.mark.ours_alone("Debian's reads the whole list, and writes it")
def test_two_sessions_that_block_at_the_same_time_lose_nothing(start_server):
    running = start_server(["blocklist"], storage="sqlite")
    desk, phone = running.client("juliet", "desk"), running.client("juliet", "phone")
    wanted = set()
    for number in range(20):
        for client in (desk, phone):
            address = f"{client.jid.rpartition('/')[2]}{number}@x.lit"
            wanted.add(address)
            client.send(f"<iq type='set' id='{number}'><block xmlns='{XMLNS}'>"
                        f"<item jid='{address}'/></block></iq>")
    desk.flush(), phone.flush()
    assert set(blocked(desk)) == wanted
    running.server.modules.reload("localhost", "blocklist")
    assert set(blocked(phone)) == wanted
