"""XEP-0060 sections 6.1.4, 8.6 and 8.7: subscriptions that an owner has to approve."""

from __future__ import annotations

import pytest

from prosody_py.pubsub.namespaces import GET_PENDING
from prosody_py.testing.pubsub import event_ids, events, form, values

COMMANDS, DATA = "http://jabber.org/protocol/commands", "jabber:x:data"


@pytest.fixture
def closed(hamlet, node):
    hamlet.create(node, access_model="authorize", send_last_published_item="on_sub")
    hamlet.publish(node, "a")
    return node


def request(owner, node):
    """Return the request for an approval that an owner has got."""
    (message,) = [element for element in owner.client.flush() if element.name == "message"]
    x = message.get_child("x", DATA)
    assert x.attr["type"] == "form"
    assert values(x)["node"] == [node] and values(x)["allow"] == ["0"]
    return message


def answer(owner, message, allow, kind="submit"):
    fields = {name: value[0] for name, value in values(message.get_child("x", DATA)).items()
              if name in ("node", "subscriber_jid")}
    x = form("subscribe_authorization", {**fields, "allow": allow}, kind)
    owner.client.send(f"<message to='{owner.to}' id='{message.attr['id']}'>{x}</message>")
    return owner.client.flush()


def test_an_owner_approves(hamlet, francisco, closed):
    assert francisco.subscribe(closed) == "pending"
    message = request(hamlet, closed)
    jid = francisco.client.bare_jid
    assert values(message.get_child("x", DATA))["subscriber_jid"] == [jid]
    assert francisco.refused("get", f"<items node='{closed}'/>") == (
        "auth", "not-authorized", "not-subscribed")
    hamlet.publish(closed, "b")
    assert events(francisco.client.flush()) == []
    assert answer(hamlet, message, "1") == []
    got = francisco.client.flush()
    state, item = events(got)
    assert (state.name, state.attr["jid"], state.attr["subscription"]) == (
        "subscription", jid, "subscribed")
    assert event_ids(got) == [(closed, "b")]
    assert francisco.items(closed) == ["a", "b"]
    assert answer(hamlet, message, "1")[0].get_error()[1] == "item-not-found"  # once


def test_an_owner_denies(hamlet, francisco, closed):
    francisco.subscribe(closed)
    answer(hamlet, request(hamlet, closed), "false")
    (event,) = events(francisco.client.flush())
    assert event.attr["subscription"] == "none"
    assert francisco.get("<subscriptions/>").tags == []


def test_what_is_cancelled_waits(hamlet, francisco, closed):
    francisco.subscribe(closed)
    answer(hamlet, request(hamlet, closed), "1", "cancel")
    assert events(francisco.client.flush()) == []
    (waiting,) = francisco.get("<subscriptions/>").tags
    assert waiting.attr["subscription"] == "pending"
    assert francisco.refused(
        "set", f"<subscribe node='{closed}' jid='{francisco.client.bare_jid}'/>") == (
        "auth", "not-authorized", "pending-subscription")
    assert hamlet.get(f"<subscriptions node='{closed}'/>", owner=True).tags == []


def test_who_waits_can_think_better_of_it(hamlet, francisco, closed):
    francisco.subscribe(closed)
    francisco.set(f"<unsubscribe node='{closed}' jid='{francisco.client.bare_jid}'/>")
    assert answer(hamlet, request(hamlet, closed), "1")[0].get_error()[1] == "item-not-found"


def test_nobody_else_approves(hamlet, francisco, closed):
    francisco.subscribe(closed)
    message = request(hamlet, closed)
    (error,) = answer(francisco, message, "1")
    assert error.get_error()[1] == "forbidden"
    assert francisco.get("<subscriptions/>").tags[0].attr["subscription"] == "pending"


def test_an_affiliation_approves_or_denies(hamlet, francisco, person, closed):
    bernardo = person("bernardo")
    for asking, affiliation, state in ((francisco, "publisher", "subscribed"),
                                       (bernardo, "outcast", "none")):
        asking.subscribe(closed)
        hamlet.set(f"<affiliations node='{closed}'><affiliation jid='{asking.client.bare_jid}' "
                   f"affiliation='{affiliation}'/></affiliations>", owner=True)
        assert [event.attr["subscription"] for event in events(asking.client.flush())
                if event.name == "subscription"] == [state]


def test_the_list_of_subscriptions_approves(hamlet, francisco, closed):
    francisco.subscribe(closed)
    hamlet.set(f"<subscriptions node='{closed}'><subscription jid='{francisco.client.bare_jid}' "
               "subscription='subscribed'/></subscriptions>", owner=True)
    assert francisco.get("<subscriptions/>").tags[0].attr["subscription"] == "subscribed"


def command(asking, inside="", action="execute"):
    return asking.client.iq("set", f"<command xmlns='{COMMANDS}' node='{GET_PENDING}' "
                            f"action='{action}'>{inside}</command>", asking.to)


def test_what_waits_can_be_asked_for(hamlet, francisco, closed):
    francisco.subscribe(closed)
    request(hamlet, closed)
    found = command(hamlet).tags[0]
    assert found.attr["status"] == "executing"
    field = found.get_child("x", DATA).get_child_with_attr("field", None, "var", "pubsub#node")
    assert closed in [option.get_child_text("value") for option in field.childtags("option")]
    chosen = form("subscribe_authorization", {"node": closed})
    hamlet.client.send(f"<iq type='set' id='c' to='{hamlet.to}'><command xmlns='{COMMANDS}' "
                       f"node='{GET_PENDING}'>{chosen}</command></iq>")
    got = hamlet.client.flush()
    assert [element.tags[0].attr["status"] for element in got if element.name == "iq"] == [
        "completed"]
    (message,) = [element for element in got if element.name == "message"]
    assert values(message.get_child("x", DATA))["node"] == [closed]


def test_the_command_is_for_owners(hamlet, francisco, closed):
    assert command(francisco).get_error()[:2] == ("cancel", "forbidden")
    chosen = form("subscribe_authorization", {"node": closed})
    assert command(francisco, chosen).get_error()[1] == "forbidden"
    missing = form("subscribe_authorization", {"node": "missing"})
    assert command(hamlet, missing).get_error()[1] == "item-not-found"
    assert command(hamlet, action="cancel").tags[0].attr["status"] == "canceled"


def test_owners_can_be_told_who_comes_and_goes(hamlet, francisco, node):
    hamlet.create(node, notify_sub="1")
    jid = francisco.client.bare_jid
    francisco.subscribe(node)
    francisco.set(f"<unsubscribe node='{node}' jid='{jid}'/>")
    assert [(event.attr["jid"], event.attr["subscription"])
            for event in events(hamlet.client.flush())] == [(jid, "subscribed"), (jid, "none")]
