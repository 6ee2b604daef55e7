"""Rosters over a running server: fetching, changing, versions and pushes."""

import pytest

from prosody_py.hosts import users
from prosody_py.hosts.roster import load_roster
from prosody_py.hosts.subscriptions import State
from prosody_py.testing.client import wait_until

pytestmark = pytest.mark.twins("roster")

NS = "jabber:iq:roster"
NO_LIMIT = pytest.mark.ours_alone("Debian's takes groups and names as they are")
GET = f"<query xmlns='{NS}'/>"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), max_roster_items=5)
    yield server
    server.stop()


@pytest.fixture
def login(server, request):
    """Return a function that logs in a user that only this test knows."""
    clients = []
    suffix = format(abs(hash(request.node.name)) % 2**32, "x")

    def login(name, resource="r"):
        client = server.client(f"{name}-{suffix}", resource)
        clients.append(client)
        return client

    yield login
    for client in clients:
        client.close()


def change(client, item, type="set"):
    return client.iq(type, f"<query xmlns='{NS}'>{item}</query>")


def fetch(client, version=None):
    ver = "" if version is None else f" ver='{version}'"
    return client.iq("get", f"<query xmlns='{NS}'{ver}/>").get_child("query", NS)


def contacts(query):
    return {item.attr["jid"]: item for item in query.tags}


def push(client):
    """Return the item of the next push, and answer it."""
    element = client.receive_until(lambda element: element.name == "iq"
                                   and element.attr["type"] == "set")
    client.send(f"<iq type='result' id='{element.attr['id']}'/>")
    return element.tags[0].tags[0]


def facts(item):
    """Return the attributes of an item without its namespace."""
    return {name: value for name, value in item.attr.items() if name != "xmlns"}


def condition(answer):
    assert answer.attr["type"] == "error", str(answer)
    return answer.get_error()[1]


def test_a_new_contact_is_in_the_roster_with_name_and_groups(login):
    client = login("romeo")
    answer = change(client, "<item jid='Juliet@Example.com' name='Juliet' subscription='both' "
                            "ask='subscribe'><group>Friends</group><group>Verona</group></item>")
    assert answer.attr["type"] == "result" and not answer.tags
    item = contacts(fetch(client))["juliet@example.com"]
    assert facts(item) == {"jid": "juliet@example.com", "subscription": "none", "name": "Juliet"}
    assert sorted(group.get_text() for group in item.tags) == ["Friends", "Verona"]


def test_a_change_replaces_name_and_groups_and_keeps_the_subscription(server, login):
    client = login("romeo")
    client.send("<presence type='subscribe' to='juliet@example.com'/>")
    change(client, "<item jid='juliet@example.com' name='A'><group>X</group></item>")
    change(client, "<item jid='juliet@example.com'/>")
    item = contacts(fetch(client))["juliet@example.com"]
    assert facts(item) == {"jid": "juliet@example.com", "subscription": "none", "ask": "subscribe"}
    assert not item.tags


def test_every_interested_resource_gets_a_push_and_the_others_none(login):
    one, two, other = login("romeo", "1"), login("romeo", "2"), login("romeo", "3")
    fetch(one)
    fetch(two)
    change(one, "<item jid='a@example.com'/>")
    for client in (one, two):
        assert facts(push(client)) == {"jid": "a@example.com", "subscription": "none"}
    assert other.flush() == []


def test_a_client_that_has_the_newest_version_gets_nothing(login):
    client = login("romeo")
    assert client.features.get_child("ver", "urn:xmpp:features:rosterver") is not None
    change(client, "<item jid='a@example.com'/>")
    version = fetch(client, "").attr["ver"]
    assert fetch(client, version) is None
    assert fetch(client, "other").attr["ver"] == version
    change(client, "<item jid='a@example.com' name='B'/>")
    assert push(client).attr["name"] == "B"
    assert fetch(client, version).attr["ver"] != version


def test_a_push_carries_the_version_that_a_fetch_gives(login):
    client = login("romeo")
    fetch(client)
    client.send(f"<iq type='set' id='x'><query xmlns='{NS}'><item jid='a@b'/></query></iq>")
    element = client.receive_until(lambda element: element.attr.get("type") == "set")
    assert element.tags[0].attr["ver"] == fetch(client).attr["ver"]


def test_a_removed_contact_is_pushed_as_removed(login):
    client = login("romeo")
    fetch(client)
    change(client, "<item jid='a@example.com'/>")
    push(client)
    assert change(client, "<item jid='a@example.com' subscription='remove'/>").attr[
        "type"] == "result"
    assert facts(push(client)) == {"jid": "a@example.com", "subscription": "remove"}
    assert not fetch(client).tags


@pytest.mark.parametrize(("item", "wanted"), [
    ("", "bad-request"),
    ("<item jid='a@example.com'/><item jid='b@example.com'/>", "bad-request"),
    ("<other jid='a@example.com'/>", "bad-request"),
    ("<item/>", "bad-request"),
    ("<item jid=''/>", "bad-request"),
    ("<item jid='a@@example.com'/>", "bad-request"),
    ("<item jid='a@example.com/resource'/>", "bad-request"),
    pytest.param("<item jid='a@example.com'><group>X</group><group>X</group></item>",
                 "bad-request", marks=NO_LIMIT),
    pytest.param("<item jid='a@example.com'><group></group></item>", "not-acceptable",
                 marks=NO_LIMIT),
    pytest.param(f"<item jid='a@example.com'><group>{'x' * 1024}</group></item>",
                 "not-acceptable", marks=NO_LIMIT),
    pytest.param(f"<item jid='a@example.com' name='{'x' * 1024}'/>", "not-acceptable",
                 marks=NO_LIMIT),
    pytest.param("<item jid='a@example.com'>" + "".join(
        f"<group>{n}</group>" for n in range(65)) + "</item>", "not-acceptable", marks=NO_LIMIT),
    ("<item jid='a@example.com' subscription='remove'/>", "item-not-found"),
])
def test_a_set_that_makes_no_sense_is_refused(login, item, wanted):
    client = login("romeo")
    assert condition(change(client, item)) == wanted
    assert not fetch(client).tags


def test_nobody_is_their_own_contact(login):
    client = login("romeo")
    assert condition(change(client, f"<item jid='{client.bare_jid}'/>")) == "not-allowed"


def test_a_roster_has_a_limit(login):
    client = login("romeo")
    for number in range(5):
        assert change(client, f"<item jid='{number}@example.com'/>").attr["type"] == "result"
    assert condition(change(client, "<item jid='5@example.com'/>")) == "policy-violation"
    assert change(client, "<item jid='4@example.com' name='x'/>").attr["type"] == "result"


def test_the_roster_of_somebody_else_is_out_of_reach(login):
    client, other = login("romeo"), login("juliet")
    for type in ("get", "set"):
        answer = client.iq(type, f"<query xmlns='{NS}'><item jid='a@b'/></query>", other.bare_jid)
        assert condition(answer) == "service-unavailable"
    assert not fetch(other).tags


def subscribe_both(server, one, two):
    for first, second in ((one, two), (two, one)):
        first.send(f"<presence type='subscribe' to='{second.bare_jid}'/>")
        second.send(f"<presence type='subscribed' to='{first.bare_jid}'/>")
        wait_until(lambda first=first, second=second: roster(server, first).state(
            second.bare_jid).sees_contact)


def roster(server, client):
    username, _, host = client.bare_jid.partition("@")
    return load_roster(server.server, username, host)


def test_removing_a_contact_ends_the_subscriptions_in_both_directions(server, login):
    romeo, juliet = login("romeo"), login("juliet")
    romeo.available()
    juliet.available()
    subscribe_both(server, romeo, juliet)
    fetch(juliet)
    juliet.flush()
    change(romeo, f"<item jid='{juliet.bare_jid}' subscription='remove'/>")
    kinds = [juliet.presence().attr["type"] for _ in range(3)]
    assert kinds == ["unavailable", "unsubscribe", "unsubscribed"]
    wait_until(lambda: roster(server, juliet).state(romeo.bare_jid) == State("none"))
    assert romeo.bare_jid in roster(server, juliet)
    assert juliet.bare_jid not in roster(server, romeo)


def test_removing_a_contact_refuses_its_request(server, login):
    romeo, juliet = login("romeo"), login("juliet")
    change(romeo, f"<item jid='{juliet.bare_jid}'/>")
    juliet.send(f"<presence type='subscribe' to='{romeo.bare_jid}'/>")
    wait_until(lambda: juliet.bare_jid in roster(server, romeo).pending)
    change(romeo, f"<item jid='{juliet.bare_jid}' subscription='remove'/>")
    wait_until(lambda: not roster(server, juliet).state(romeo.bare_jid).pending_out)
    assert not roster(server, romeo).pending


def test_modules_hear_of_a_removed_contact(server, login):
    heard = []

    def removed(event):
        heard.append((event.username, event.jid, event.item.name))

    events = server.server.hosts["localhost"].events
    events.add_handler("roster-item-removed", removed)
    client = login("romeo")
    change(client, "<item jid='a@example.com' name='A'/>")
    change(client, "<item jid='a@example.com' subscription='remove'/>")
    events.remove_handler("roster-item-removed", removed)
    assert heard == [(client.bare_jid.partition("@")[0], "a@example.com", "A")]


def test_a_removed_account_leaves_no_roster_and_no_subscriptions(server, login):
    romeo, juliet = login("romeo"), login("juliet")
    subscribe_both(server, romeo, juliet)
    username = romeo.bare_jid.partition("@")[0]
    users.delete_user(server.server, username, "localhost")
    assert roster(server, juliet).state(romeo.bare_jid) == State("none")
    stored = server.server.storage.open("localhost", "roster", "keyval")
    assert stored.get(username) is None
    assert not load_roster(server.server, username, "localhost")


def test_a_roster_is_there_after_a_restart(tmp_path, launch):
    for name in ("", "Juliet"):
        server = launch(tmp_path, storage="sqlite")
        try:
            client = server.client("romeo")
            if not name:
                change(client, "<item jid='juliet@example.com' name='Juliet'/>")
            else:
                assert contacts(fetch(client))["juliet@example.com"].attr["name"] == name
        finally:
            server.stop()
