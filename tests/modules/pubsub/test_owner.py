"""XEP-0060 section 8: making, configuring, purging and deleting nodes, and lists of people."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import error, event_ids, events, form, values

pytestmark = pytest.mark.twins("pubsub")

OURS = pytest.mark.ours_alone("Debian's does not say it like the XEP, or has not got it")


# -- create ----------------------------------------------------------------------------------


def test_create(hamlet, francisco, node):
    hamlet.set(f"<create node='{node}'/>")
    assert hamlet.refused("set", f"<create node='{node}'/>") == ("cancel", "conflict", None)
    assert francisco.refused("set", f"<create node='{node}2'/>") == ("auth", "forbidden", None)


def test_instant_nodes(hamlet):
    names = {hamlet.set("<create/>").get_child("create").attr["node"] for _ in range(2)}
    assert len(names) == 2
    assert all(hamlet.items(name) == [] for name in names)


def test_create_and_configure(hamlet, francisco, node):
    hamlet.create(node, title="Musings", max_items=10, access_model="whitelist")
    x = hamlet.get(f"<configure node='{node}'/>", owner=True).tags[0]
    assert x.attr["type"] == "form"
    form = values(x)
    assert (form["title"], form["max_items"], form["access_model"]) == (
        ["Musings"], ["10"], ["whitelist"])


@OURS
def test_create_with_what_cannot_be(hamlet, node):
    for fields, wanted in (
            ({"access_model": "secret"}, ("modify", "not-acceptable", "unsupported-access-model")),
            ({"max_items": "100000"}, ("modify", "not-acceptable", None)),
            ({"max_items": "many"}, ("modify", "not-acceptable", None)),
            ({"publish_model": "x"}, ("modify", "not-acceptable", None)),
            ({"title": "x" * 2000}, ("modify", "not-acceptable", None))):
        chosen = f"<configure>{form('node_config', fields)}</configure>"
        assert hamlet.refused("set", f"<create node='{node}'/>{chosen}") == wanted
    chosen = f"<configure node='{node}'>{form('node_config', {'title': 'x'})}</configure>"
    assert hamlet.refused("set", f"<create node='{node}'/>{chosen}") == (
        "modify", "bad-request", None)
    for name in ("x" * 2000, "a&#9;b"):
        assert hamlet.refused("set", f"<create node='{name}'/>")[1] == "not-acceptable"


# -- configure -------------------------------------------------------------------------------


@OURS
def test_configure(hamlet, made):
    hamlet.configure(made, title="One", description="Two")
    hamlet.configure(made, title="Three")
    form_ = values(hamlet.get(f"<configure node='{made}'/>", owner=True).tags[0])
    assert (form_["title"], form_["description"]) == (["Three"], ["Two"])
    cancelled = form("node_config", {"title": "Four"}, "cancel")
    hamlet.set(f"<configure node='{made}'>{cancelled}</configure>", owner=True)
    form_ = values(hamlet.get(f"<configure node='{made}'/>", owner=True).tags[0])
    assert form_["title"] == ["Three"]


def test_configure_refusals(hamlet, francisco, made):
    x = form("node_config", {"title": "x"})
    for type, inside in (("get", f"<configure node='{made}'/>"),
                         ("set", f"<configure node='{made}'>{x}</configure>")):
        assert francisco.refused(type, inside, True) == ("auth", "forbidden", None)
    for type, inside in (("get", "<configure node='missing'/>"),
                         ("set", f"<configure node='missing'>{x}</configure>")):
        assert hamlet.refused(type, inside, True) == ("cancel", "item-not-found", None)
    for type, inside in (("get", "<configure/>"), ("set", f"<configure>{x}</configure>")):
        assert hamlet.refused(type, inside, True) == ("modify", "bad-request", "nodeid-required")


@OURS
def test_configure_with_what_cannot_be(hamlet, made):
    for inside, wanted in (
            (form("node_config", {"access_model": "x"}), "not-acceptable"), ("", "bad-request"),
            (form("subscribe_options", {"title": "x"}), "bad-request")):
        assert hamlet.refused("set", f"<configure node='{made}'>{inside}</configure>",
                              True)[1] == wanted


@OURS
def test_a_smaller_node_keeps_the_newest_items(hamlet, made):
    for id in "abc":
        hamlet.publish(made, id)
    hamlet.configure(made, max_items=2)
    assert hamlet.items(made) == ["b", "c"]
    hamlet.configure(made, max_items="max")
    hamlet.publish(made, "d")
    assert hamlet.items(made) == ["b", "c", "d"]
    hamlet.configure(made, persist_items="0")
    hamlet.configure(made, persist_items="1")
    assert hamlet.items(made) == []


@OURS
def test_subscribers_are_told_of_another_configuration(hamlet, francisco, node):
    hamlet.create(node, notify_config="1", deliver_payloads="0")
    francisco.subscribe(node)
    hamlet.configure(node, title="New")
    (event,) = events(francisco.client.flush())
    assert (event.name, event.attr["node"], event.tags) == ("configuration", node, [])
    hamlet.configure(node, deliver_payloads="1")
    (event,) = events(francisco.client.flush())
    assert values(event.tags[0])["title"] == ["New"]


@OURS
def test_a_stricter_model_ends_subscriptions(hamlet, francisco, made):
    francisco.subscribe(made)
    hamlet.configure(made, access_model="whitelist")
    (event,) = events(francisco.client.flush())
    assert (event.name, event.attr["subscription"]) == ("subscription", "none")
    assert hamlet.get(f"<subscriptions node='{made}'/>", owner=True).tags == []


@OURS
@pytest.mark.parametrize(("model", "state"), [("open", "subscribed"), ("whitelist", "none")])
def test_who_waits_is_let_in_or_kept_out_by_another_model(hamlet, francisco, node, model, state):
    hamlet.create(node, access_model="authorize", send_last_published_item="on_sub")
    hamlet.publish(node, "a")
    assert francisco.subscribe(node) == "pending"
    hamlet.configure(node, access_model=model)
    got = events(francisco.client.flush())
    assert got[0].attr["subscription"] == state
    assert [event.tags[0].attr["id"] for event in got[1:]] == ["a"] * (state == "subscribed")
    assert len(francisco.get("<subscriptions/>").tags) == (state == "subscribed")


def test_default_configuration(hamlet):
    x = hamlet.get("<default/>", owner=True).tags[0]
    form_ = values(x)
    assert x.attr["type"] == "form"
    assert (form_["access_model"], form_["publish_model"], form_["persist_items"],
            form_["max_items"]) == (["open"], ["publishers"], ["1"], ["20"])


# -- delete and purge --------------------------------------------------------------------------


def test_delete(hamlet, francisco, made):
    francisco.subscribe(made)
    hamlet.publish(made, "a")
    francisco.client.flush()
    assert francisco.refused("set", f"<delete node='{made}'/>", True) == (
        "auth", "forbidden", None)
    hamlet.set(f"<delete node='{made}'/>", owner=True)
    (event,) = events(francisco.client.flush())
    assert (event.name, event.attr["node"]) == ("delete", made)
    assert hamlet.refused("set", f"<delete node='{made}'/>", True) == (
        "cancel", "item-not-found", None)
    hamlet.create(made)
    assert hamlet.items(made) == []  # nothing comes back
    assert francisco.get("<subscriptions/>").tags == []


@OURS
def test_delete_with_redirection(hamlet, francisco, made):
    uri = "xmpp:pubsub.localhost?;node=other"
    francisco.subscribe(made)
    hamlet.set(f"<delete node='{made}'><redirect uri='{uri}'/></delete>", owner=True)
    (event,) = events(francisco.client.flush())
    assert event.get_child("redirect").attr["uri"] == uri
    answer = francisco.ask("set", f"<subscribe node='{made}' jid='{francisco.client.bare_jid}'/>")
    assert error(answer) == ("modify", "gone", None)
    assert answer.get_child("error").tags[0].get_text() == uri
    hamlet.create(made)
    assert francisco.subscribe(made) == "subscribed"


@OURS
def test_redirection_to_nowhere(hamlet, made):
    assert hamlet.refused("set", f"<delete node='{made}'><redirect uri='x'/></delete>", True)[1] \
        == "bad-request"
    assert hamlet.items(made) == []


def test_purge(hamlet, francisco, made):
    francisco.subscribe(made)
    for id in "ab":
        hamlet.publish(made, id)
    francisco.client.flush()
    assert francisco.refused("set", f"<purge node='{made}'/>", True) == ("auth", "forbidden", None)
    hamlet.set(f"<purge node='{made}'/>", owner=True)
    (event,) = events(francisco.client.flush())
    assert (event.name, event.attr["node"]) == ("purge", made)
    assert hamlet.items(made) == []
    assert hamlet.refused("set", "<purge node='missing'/>", True)[1] == "item-not-found"


@OURS
def test_purge_of_what_is_not_kept(hamlet, node):
    hamlet.create(node, persist_items="0")
    answer = hamlet.ask("set", f"<purge node='{node}'/>", "http://jabber.org/protocol/pubsub#owner")
    assert answer.get_error()[3].attr["feature"] == "persistent-items"


# -- subscriptions and affiliations ------------------------------------------------------------


def lists(node, *entries, name="subscription"):
    inside = "".join(f"<{name} jid='{jid}' {name}='{value}'/>" for jid, value in entries)
    return f"<{name}s node='{node}'>{inside}</{name}s>"


def test_manage_subscriptions(hamlet, francisco, made):
    jid = francisco.client.bare_jid
    hamlet.set(lists(made, (jid, "subscribed")), owner=True)
    listed = hamlet.get(f"<subscriptions node='{made}'/>", owner=True).tags
    assert [(tag.attr["jid"], tag.attr["subscription"]) for tag in listed] == [(jid, "subscribed")]
    hamlet.publish(made, "a")
    assert event_ids(francisco.client.flush()) == [(made, "a")]
    hamlet.set(lists(made, (jid, "none")), owner=True)
    assert hamlet.get(f"<subscriptions node='{made}'/>", owner=True).tags == []


@OURS
def test_those_who_are_subscribed_are_told(hamlet, francisco, made):
    for state in ("subscribed", "none"):
        hamlet.set(lists(made, (francisco.client.bare_jid, state)), owner=True)
        (event,) = events(francisco.client.flush())
        assert (event.name, event.attr["subscription"], event.attr["node"]) == (
            "subscription", state, made)


def test_manage_refusals(hamlet, francisco, made):
    for name in ("subscription", "affiliation"):
        for type, inside in (("get", f"<{name}s node='{made}'/>"),
                             ("set", lists(made, ("a@b", "none"), name=name))):
            assert francisco.refused(type, inside, True) == ("auth", "forbidden", None)
            assert hamlet.refused(type, inside.replace(made, "missing"), True) == (
                "cancel", "item-not-found", None)


@OURS
def test_some_subscriptions_cannot_be_changed(hamlet, francisco, made):
    jid = francisco.client.bare_jid
    francisco.subscribe(made)
    answer = hamlet.ask("set", lists(made, (jid, "unconfigured"), ("x@localhost", "subscribed")),
                        "http://jabber.org/protocol/pubsub#owner")
    assert error(answer) == ("modify", "not-acceptable", None)
    (failed,) = answer.tags[0].tags[0].tags
    assert (failed.attr["jid"], failed.attr["subscription"]) == (jid, "subscribed")
    assert len(hamlet.get(f"<subscriptions node='{made}'/>", owner=True).tags) == 2


def test_manage_affiliations(hamlet, francisco, made):
    jid = francisco.client.bare_jid
    hamlet.set(lists(made, (jid, "publisher"), name="affiliation"), owner=True)
    listed = hamlet.get(f"<affiliations node='{made}'/>", owner=True).tags
    assert {(tag.attr["jid"], tag.attr["affiliation"]) for tag in listed} == {
        ("hamlet@localhost", "owner"), (jid, "publisher")}
    francisco.publish(made, "a")
    hamlet.set(lists(made, (jid, "none"), name="affiliation"), owner=True)
    assert len(hamlet.get(f"<affiliations node='{made}'/>", owner=True).tags) == 1


@OURS
def test_the_last_owner_stays(hamlet, francisco, made):
    jid = francisco.client.bare_jid
    answer = hamlet.ask("set", lists(made, ("hamlet@localhost", "none"), (jid, "king"),
                                     ("x@localhost", "member"), name="affiliation"),
                        "http://jabber.org/protocol/pubsub#owner")
    assert error(answer) == ("modify", "not-acceptable", None)
    assert [(tag.attr["jid"], tag.attr["affiliation"]) for tag in answer.tags[0].tags[0].tags] == [
        ("hamlet@localhost", "owner"), (jid, "none")]
    listed = hamlet.get(f"<affiliations node='{made}'/>", owner=True).tags
    assert {tag.attr["jid"] for tag in listed} == {"hamlet@localhost", "x@localhost"}
    hamlet.set(lists(made, (jid, "owner"), ("hamlet@localhost", "none"), name="affiliation"),
               owner=True)
    francisco.configure(made, title="Mine")


@OURS
def test_everybody_stands_once_in_a_list(hamlet, made):
    assert hamlet.refused("set", lists(made, ("a@b", "member"), ("a@b", "owner"),
                                       name="affiliation"), True) == ("modify", "bad-request", None)


@OURS
def test_a_list_has_an_end(hamlet, made):
    entries = [(f"u{number}@localhost", "member") for number in range(201)]
    assert hamlet.refused("set", lists(made, *entries, name="affiliation"), True) == (
        "modify", "not-acceptable", None)
    assert len(hamlet.get(f"<affiliations node='{made}'/>", owner=True).tags) == 1
