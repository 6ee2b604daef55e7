"""XEP-0060 sections 6.1.6 and 7.1.2.4: several subscriptions of one address to one node."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import Asking, event_ids, events, form, values

SHIM = "http://jabber.org/protocol/shim"
ATOM = "<entry xmlns='http://www.w3.org/2005/Atom'><title>Soliloquy</title></entry>"
HOST = "pubsub.localhost"


def subscribe(who, node, jid=None, **options):
    """Subscribe with options and return the SubID."""
    chosen = f"<options>{form('subscribe_options', options)}</options>" if options else ""
    answer = who.set(f"<subscribe node='{node}' jid='{jid or who.client.bare_jid}'/>{chosen}")
    return answer.get_child("subscription").attr["subid"]


def subids(who, node):
    return [each.attr["subid"] for each in who.get(f"<subscriptions node='{node}'/>").tags]


def headers(message):
    found = message.get_child("headers", SHIM)
    if found is not None:
        assert message.tags[-1] is found
    return [] if found is None else [header.get_text() for header in found.childtags("header")
                                     if header.attr["name"] == "SubID"]


def messages(who):
    return [each for each in who.client.flush() if each.name == "message"]


def unsubscribe(who, node, subid=None, jid=None):
    more = f" subid='{subid}'" if subid else ""
    return f"<unsubscribe node='{node}' jid='{jid or who.client.bare_jid}'{more}/>"


def options(who, node, subid=None, inside=""):
    more = f" subid='{subid}'" if subid else ""
    return f"<options node='{node}' jid='{who.client.bare_jid}'{more}>{inside}</options>"


@pytest.fixture
def two(francisco, made):
    """Return the SubIDs of two subscriptions of francisco: a plain one, and one with a text."""
    return [subscribe(francisco, made), subscribe(francisco, made, include_body="1")]


def test_other_options_are_another_subscription(francisco, made, two):
    assert len(set(two)) == 2 and subids(francisco, made) == two
    assert subscribe(francisco, made, include_body="true", deliver="1") == two[1]
    assert subscribe(francisco, made) == two[0]  # what says nothing gets what there is
    assert subscribe(francisco, made, include_body="0") == two[0]
    assert subids(francisco, made) == two
    for subid, wanted in zip(two, "01", strict=True):
        x = francisco.get(options(francisco, made, subid)).tags[0]
        assert values(x)["include_body"] == [wanted]


def test_who_says_no_options_has_one_subscription(francisco, hamlet, made):
    assert len({subscribe(francisco, made) for _ in range(3)}) == 1
    hamlet.publish(made, "a")
    (message,) = messages(francisco)
    assert event_ids([message]) == [(made, "a")] and headers(message) == []


def test_one_message_tells_for_which_subscriptions(francisco, hamlet, made, two):
    hamlet.publish(made, "a", ATOM)
    hamlet.set(f"<retract node='{made}' notify='1'><item id='a'/></retract>")
    published, retracted = messages(francisco)
    assert headers(published) == headers(retracted) == two
    assert published.get_child_text("body") == "Soliloquy"  # one of them wants it (12.7)
    hamlet.set(f"<purge node='{made}'/>", owner=True)
    (purged,) = messages(francisco)
    assert headers(purged) == []  # it does not depend on the subscription (12.13)


def test_what_a_subscription_does_not_want_is_not_told_for_it(francisco, hamlet, made, two):
    francisco.set(options(francisco, made, two[0], form("subscribe_options", {"deliver": "0"})))
    hamlet.publish(made, "a")
    assert [headers(message) for message in messages(francisco)] == [[two[1]]]
    francisco.set(options(francisco, made, two[1], form("subscribe_options", {"deliver": "0"})))
    hamlet.publish(made, "b")
    assert messages(francisco) == []


def test_resources_are_addresses_of_their_own(francisco, hamlet, made):
    subscribe(francisco, made)
    subscribe(francisco, made, francisco.client.jid)
    hamlet.publish(made, "a")
    got = messages(francisco)
    assert sorted(message.attr["to"] for message in got) == [
        francisco.client.bare_jid, francisco.client.jid]
    assert [headers(message) for message in got] == [[], []]


def test_the_last_item_comes_for_the_new_subscription(francisco, hamlet, made, two):
    hamlet.configure(made, send_last_published_item="on_sub")
    hamlet.publish(made, "a")
    francisco.client.flush()
    third = subscribe(francisco, made, include_body="1", digest="1")
    (message,) = messages(francisco)
    assert third in headers(message) and message.get_child("delay", "urn:xmpp:delay") is not None


def test_which_one_is_meant_has_to_be_said(francisco, made, two):
    required = ("modify", "bad-request", "subid-required")
    invalid = ("modify", "not-acceptable", "invalid-subid")
    for type, request in (("set", unsubscribe), ("get", options), ("set", options)):
        assert francisco.refused(type, request(francisco, made)) == required
        assert francisco.refused(type, request(francisco, made, "wrong")) == invalid
    assert francisco.refused("get", f"<items node='{made}'/>") == required
    assert francisco.refused("get", f"<items node='{made}' subid='wrong'/>") == invalid
    assert francisco.items(made, subid=two[1]) == []
    assert subids(francisco, made) == two


def test_one_of_several_ends(francisco, hamlet, made, two):
    for ended, left in ((two[0], two[1]), (two[1], None)):
        answer = francisco.set(unsubscribe(francisco, made, ended))
        subscription = answer.get_child("subscription")
        assert (subscription.attr["subscription"], subscription.attr["subid"]) == ("none", ended)
        assert subids(francisco, made) == ([left] if left else [])
        hamlet.publish(made, "a", ATOM)
        assert [message.get_child_text("body") for message in messages(francisco)] == (
            ["Soliloquy"] if left else [])
        if left:  # there is one, so nothing more has to be said
            assert francisco.items(made) == ["a"]
            assert values(francisco.get(options(francisco, made)).tags[0])["include_body"] == ["1"]
            assert francisco.refused("set", unsubscribe(francisco, made, ended))[2] == \
                "invalid-subid"


def test_an_only_subscription_has_an_identifier_too(francisco, made):
    subid = subscribe(francisco, made)
    assert francisco.refused("set", unsubscribe(francisco, made, "wrong")) == (
        "modify", "not-acceptable", "invalid-subid")
    assert francisco.refused("get", f"<items node='{made}' subid='wrong'/>")[2] == "invalid-subid"
    francisco.set(unsubscribe(francisco, made, subid))
    assert subids(francisco, made) == []


def test_owners_see_them_all_and_can_end_one(francisco, hamlet, made, two):
    def listed():
        found = hamlet.get(f"<subscriptions node='{made}'/>", owner=True).tags
        return [(each.attr["jid"], each.attr["subid"]) for each in found]

    jid = francisco.client.bare_jid
    assert listed() == [(jid, subid) for subid in two]
    hamlet.set(f"<subscriptions node='{made}'><subscription jid='{jid}' subscription='none' "
               f"subid='{two[0]}'/></subscriptions>", owner=True)
    assert listed() == [(jid, two[1])]
    (event,) = events(francisco.client.flush())
    assert (event.attr["subscription"], event.attr["subid"]) == ("none", two[0])
    answer = hamlet.ask("set", f"<subscriptions node='{made}'><subscription jid='{jid}' "
                        "subscription='none' subid='wrong'/></subscriptions>",
                        "http://jabber.org/protocol/pubsub#owner")
    (failed,) = answer.tags[0].tags[0].tags
    assert (failed.attr["subscription"], failed.attr["subid"]) == ("subscribed", "wrong")
    hamlet.set(f"<subscriptions node='{made}'><subscription jid='{jid}' subscription='none'/>"
               "</subscriptions>", owner=True)
    assert listed() == []


def test_owners_hear_of_each(francisco, hamlet, made):
    hamlet.configure(made, notify_sub="1")
    two = [subscribe(francisco, made), subscribe(francisco, made, include_body="1")]
    francisco.set(unsubscribe(francisco, made, two[0]))
    assert [(event.attr["subscription"], event.attr["subid"])
            for event in events(hamlet.client.flush())] == [
        ("subscribed", two[0]), ("subscribed", two[1]), ("none", two[0])]


def test_who_is_banned_loses_all(francisco, hamlet, made, two):
    hamlet.set(f"<affiliations node='{made}'><affiliation jid='{francisco.client.bare_jid}' "
               "affiliation='outcast'/></affiliations>", owner=True)
    assert [event.attr["subid"] for event in events(francisco.client.flush())] == two
    assert subids(francisco, made) == []


def test_an_address_that_is_gone_loses_all(francisco, made):
    jid = francisco.client.jid
    for options in ({}, {"include_body": "1"}):
        subscribe(francisco, made, jid, **options)
    other = subscribe(francisco, made)
    francisco.client.send(
        f"<message type='error' to='{HOST}' id='x'><error type='cancel'><gone "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>")
    assert subids(francisco, made) == [other]


def test_what_is_approved_can_be_had_once_more(francisco, hamlet, node):
    hamlet.create(node, access_model="authorize")
    assert francisco.subscribe(node) == "pending"
    assert francisco.refused("set", f"<subscribe node='{node}' jid='{francisco.client.bare_jid}'/>"
                             f"<options>{form('subscribe_options', {'include_body': '1'})}"
                             "</options>") == ("auth", "not-authorized", "pending-subscription")
    hamlet.set(f"<subscriptions node='{node}'><subscription subscription='subscribed' "
               f"jid='{francisco.client.bare_jid}'/></subscriptions>", owner=True)
    subscribe(francisco, node, include_body="1")
    assert len(subids(francisco, node)) == 2


def test_it_is_said_that_this_is_possible(francisco):
    def features(node=""):
        query = f"<query xmlns='http://jabber.org/protocol/disco#info'{node}/>"
        answer = francisco.client.iq("get", query, HOST)
        return {tag.attr["var"] for tag in answer.tags[0].childtags("feature")}

    assert {SHIM, "http://jabber.org/protocol/pubsub#multi-subscribe"} <= features()
    assert features(f" node='{SHIM}'") == {
        SHIM + "#SubID", SHIM + "#Collection"}


@pytest.mark.parametrize(("limits", "allowed"), [
    ({"pubsub_max_subids": 3}, 3), ({"pubsub_max_subscriptions": 2}, 2),
    ({"pubsub_max_subscribers": 2}, 2), ({"pubsub_max_subids": 1}, 1)])
def test_limits(start_server, limits, allowed):
    running = start_server(["presence", "message"], admins=["hamlet@localhost"],
                           components={HOST: {"module": "pubsub", **limits}})
    hamlet = Asking(running.client("hamlet").available(), HOST)
    hamlet.create("a")
    for number in range(allowed):
        subscribe(hamlet, "a", digest_frequency=1000 + number)
    inside = (f"<subscribe node='a' jid='{hamlet.client.bare_jid}'/>"
              f"<options>{form('subscribe_options', {'digest_frequency': 2000})}</options>")
    if allowed == 1:  # not several: the one there is changes
        hamlet.set(inside)
    else:
        assert hamlet.refused("set", inside) == ("wait", "policy-violation",
                                                 "too-many-subscriptions")
    assert len(subids(hamlet, "a")) == allowed


def test_they_survive_a_restart(tmp_path, launch):
    known = None
    for _step in range(2):
        running = launch(tmp_path, ["presence"], storage="sqlite", admins=["hamlet@localhost"],
                         components={HOST: {"module": "pubsub"}})
        try:
            hamlet = Asking(running.client("hamlet").available(), HOST)
            if known is None:
                hamlet.create("a")
                known = [subscribe(hamlet, "a"), subscribe(hamlet, "a", include_body="1")]
            hamlet.publish("a", "1", ATOM)
            (message,) = messages(hamlet)
            assert headers(message) == known and subids(hamlet, "a") == known
        finally:
            running.stop()
