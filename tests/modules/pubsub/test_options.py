"""Options of mod_pubsub, and a service on a host instead of a component."""

from __future__ import annotations

import pytest

from prosody_py.testing.pubsub import OWNER, Asking, event_ids, form, payload, values

HOST = "pubsub.localhost"
ITEM = f"<item id='a'>{payload()}</item>"


@pytest.fixture
def start(start_server):
    """Return a function that starts a component with options; gives people who talk to it."""
    def start(**options):
        running = start_server(["presence", "message"], admins=["hamlet@localhost"], components={
            HOST: {"module": "pubsub", **options}})
        return [Asking(running.client(name).available(), HOST) for name in (
            "hamlet", "francisco", "bernardo")]

    return start


def test_limits(start):
    hamlet, francisco, bernardo = start(
        pubsub_max_nodes=2, pubsub_max_items=3, pubsub_max_subscriptions=1,
        pubsub_max_subscribers=1, pubsub_max_payload_size=100)
    hamlet.create("a"), hamlet.create("b")
    assert hamlet.refused("set", "<create node='c'/>") == (
        "wait", "policy-violation", "max-nodes-exceeded")
    hamlet.configure("a", max_items="max")
    for id in "1234":
        hamlet.publish("a", id)
    assert hamlet.items("a") == ["2", "3", "4"]
    assert hamlet.refused("set", f"<publish node='a'><item>{payload('x' * 100)}</item></publish>"
                          )[2] == "payload-too-big"
    francisco.subscribe("a")
    too_many = ("wait", "policy-violation", "too-many-subscriptions")
    jid = francisco.client.bare_jid
    assert francisco.refused("set", f"<subscribe node='b' jid='{jid}'/>") == too_many
    jid = bernardo.client.bare_jid
    assert bernardo.refused("set", f"<subscribe node='a' jid='{jid}'/>") == too_many


def test_nodes_can_come_by_themselves(start):
    hamlet, francisco, bernardo = start(autocreate_on_publish=True, autocreate_on_subscribe=True,
                                        pubsub_create_nodes="accounts")
    francisco.publish("news", "a", max_items="5")
    assert francisco.get("<affiliations/>").tags[0].attr["affiliation"] == "owner"
    assert bernardo.refused("set", f"<publish node='news'>{ITEM}</publish>")[1] == "forbidden"
    assert bernardo.subscribe("other") == "subscribed"
    hamlet.publish("other", "b")
    assert event_ids(bernardo.client.flush()) == [("other", "b")]
    info = hamlet.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", HOST)
    assert "http://jabber.org/protocol/pubsub#auto-create" in {
        tag.attr["var"] for tag in info.tags[0].childtags("feature")}


def test_who_has_published_can_be_told(start):
    hamlet, francisco, _bernardo = start(expose_publisher=True)
    hamlet.create("a")
    francisco.subscribe("a")
    hamlet.publish("a", "1")
    event = francisco.client.message().tags[0].tags[0]
    (item,) = francisco.get("<items node='a'/>").tags
    assert event.tags[0].attr["publisher"] == item.attr["publisher"] == "hamlet@localhost"


@pytest.mark.parametrize(("who", "may"), [
    ("admins", ["hamlet"]), ("accounts", ["hamlet", "francisco"]),
    ("anybody", ["hamlet", "francisco"])])
def test_who_makes_nodes(start, who, may):
    people = start(pubsub_create_nodes=who)
    made = [asking.client.bare_jid.partition("@")[0] for asking in people[:2]
            if asking.ask("set", f"<create node='of {asking.client.jid}'/>").attr[
                "type"] == "result"]
    assert made == may


def test_administrators_can_be_less(start):
    hamlet, francisco, _bernardo = start(default_admin_affiliation="none",
                                         pubsub_create_nodes="anybody")
    francisco.create("a")
    assert hamlet.refused("get", "<configure node='a'/>", True)[1] == "forbidden"


def test_a_service_on_a_host(start_server):
    running = start_server(["pubsub", "presence", "message"], admins=["hamlet@localhost"])
    hamlet = Asking(running.client("hamlet").available(), "localhost")
    hamlet.create("a")
    hamlet.subscribe("a")
    hamlet.publish("a", "1")
    assert event_ids(hamlet.client.flush()) == [("a", "1")]
    items = hamlet.client.iq("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>",
                             "localhost").tags[0].tags
    assert "a" in [item.attr.get("node") for item in items]


def test_nodes_survive_a_restart(tmp_path, launch):
    for step in range(2):
        running = launch(tmp_path, ["presence"], storage="sqlite", admins=["hamlet@localhost"],
                         components={HOST: {"module": "pubsub"}})
        try:
            hamlet = Asking(running.client("hamlet").available(), HOST)
            if step == 0:
                hamlet.create("a", title="T")
                hamlet.publish("a", "1")
                hamlet.subscribe("a")
                hamlet.create("gone")
                hamlet.set("<delete node='gone'><redirect uri='xmpp:x'/></delete>", owner=True)
            assert hamlet.items("a") == ["1"]
            assert len(hamlet.get("<subscriptions/>").tags) == 1
            assert hamlet.refused("get", "<items node='gone'/>")[1] == "gone"
        finally:
            running.stop()


@pytest.mark.parametrize(("whom", "stranger", "contact"), [
    ("anybody", True, True), ("contacts", False, True), ("nobody", False, False)])
def test_whom_owners_subscribe(start, whom, stranger, contact):
    hamlet, francisco, bernardo = start(pubsub_create_nodes="accounts",
                                        pubsub_subscribe_others=whom)
    francisco.create("a")

    def subscribe(asking, jid):
        return asking.ask("set", f"<subscriptions node='a'><subscription jid='{jid}' "
                          "subscription='subscribed'/></subscriptions>",
                          OWNER).attr["type"] == "result"

    jid = bernardo.client.bare_jid
    assert subscribe(francisco, jid) == stranger
    hamlet.set(f"<subscriptions node='a'><subscription jid='{jid}' subscription='none'/>"
               "</subscriptions>", owner=True)
    francisco.client.iq("set", f"<query xmlns='jabber:iq:roster'><item jid='{jid}'/></query>")
    bernardo.client.send(f"<presence type='subscribe' to='{francisco.client.bare_jid}'/>")
    bernardo.client.flush()
    francisco.client.send(f"<presence type='subscribed' to='{jid}'/>")
    francisco.client.flush()
    assert subscribe(francisco, jid) == contact
    assert subscribe(hamlet, jid) and subscribe(hamlet, "somebody@localhost")


def test_leases_have_a_longest_time(start):
    hamlet, francisco, _bernardo = start(pubsub_max_lease="1 hour")
    hamlet.create("a")
    jid, wanted = francisco.client.bare_jid, "2999-01-01T00:00:00Z"
    answer = francisco.set(f"<subscribe node='a' jid='{jid}'/><options>"
                           f"{form('subscribe_options', {'expire': wanted})}</options>")
    (given,) = values(answer.get_child("options").tags[0])["expire"]
    assert given < wanted  # the clock has not come that far
    assert values(francisco.get(f"<options node='a' jid='{jid}'/>").tags[0])["expire"] == [given]
    for wrong in ("2006-02-28T11:59:59Z", "soon"):
        inside = form("subscribe_options", {"expire": wrong})
        assert francisco.refused("set", f"<options node='a' jid='{jid}'>{inside}</options>") == (
            "modify", "bad-request", "invalid-options")


def test_digests_are_sent_before_the_module_goes(start_server):
    running = start_server(["presence", "message", "pep"], admins=["hamlet@localhost"], components={
        HOST: {"module": "pubsub"}})
    hamlet, francisco = (running.client(name).available() for name in ("hamlet", "francisco"))
    gathered = form("subscribe_options", {"digest": "1"})
    for service, host, name in ((HOST, HOST, "pubsub"), ("hamlet@localhost", "localhost", "pep")):
        own, other = Asking(hamlet, service), Asking(francisco, service)
        own.create("a", access_model="open")
        other.set(f"<subscribe node='a' jid='{francisco.bare_jid}'/>"
                  f"<options>{gathered}</options>")
        own.publish("a", "1")
        assert event_ids(francisco.flush()) == []
        running.server.modules.reload(host, name)
        assert event_ids(francisco.flush()) == [("a", "1")]
