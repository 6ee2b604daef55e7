"""Bookmarks of old clients and of new ones (XEP-0048, 0402, 0469)."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking, Wanting, ask, events, values
from prosody_py.xmpp.preserialize import preserialize
from prosody_py.xmpp.stanza import Stanza

pytestmark = pytest.mark.twins("bookmarks", "pep", "pubsub")

OURS = pytest.mark.ours_alone("Debian's does it otherwise")
NODE, STORAGE, PRIVATE = "urn:xmpp:bookmarks:1", "storage:bookmarks", "jabber:iq:private"
PINNED = "<pinned xmlns='urn:xmpp:bookmarks-pinning:0'/>"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["pep", "private", "bookmarks",
                                                        "presence"])
    yield server
    server.stop()


@pytest.fixture
def people(server):
    people = People(server)
    yield people
    people.close()


@pytest.fixture
def juliet(people):
    return people.login("juliet")


@pytest.fixture
def own(juliet):
    return Asking(juliet)


def rooms(own):
    """Return the bookmarks of new clients by room."""
    return {item.attr["id"]: item.get_child("conference", NODE)
            for item in own.get(f"<items node='{NODE}'/>").tags}


def add(own, room, inside="", attributes="", **options):
    own.publish(NODE, room, f"<conference xmlns='{NODE}' {attributes}>{inside}</conference>",
                **options)


def private(client, *conferences, more=""):
    inside = "".join(conferences)
    answer = ask(client, "set", f"<query xmlns='{PRIVATE}'><storage xmlns='{STORAGE}'>{inside}"
                 f"</storage>{more}</query>")
    assert answer.attr["type"] == "result", str(answer)


def from_private(client):
    query = client.iq("get", f"<query xmlns='{PRIVATE}'><storage xmlns='{STORAGE}'/></query>")
    return {tag.attr["jid"]: tag for tag in query.tags[0].tags[0].childtags("conference")}


def room(jid, name="", inside="", autojoin="true"):
    return f"<conference jid='{jid}' name='{name}' autojoin='{autojoin}'>{inside}</conference>"


def test_private_xml_becomes_items(juliet, own):
    private(juliet, room("a@r.example", "A", "<nick>n</nick><password>p</password>"),
            room("b@r.example", "B"))
    found = rooms(own)
    assert set(found) == {"a@r.example", "b@r.example"}
    a = found["a@r.example"]
    assert (a.attr["name"], a.attr["autojoin"], a.get_child_text("nick"),
            a.get_child_text("password")) == ("A", "true", "n", "p")
    assert "jid" not in a.attr
    form = values(own.get(f"<configure node='{NODE}'/>", owner=True).tags[0])
    assert (form["access_model"], form["max_items"], form["send_last_published_item"]) == (
        ["whitelist"], ["max"], ["never"])


def test_items_become_private_xml(juliet, own):
    add(own, "a@r.example", "<nick>n</nick>", "name='A' autojoin='1'", access_model="whitelist")
    found = from_private(juliet)["a@r.example"]
    assert (found.attr["name"], found.attr["autojoin"], found.get_child_text("nick")) == (
        "A", "1", "n")
    own.set(f"<retract node='{NODE}' notify='true'><item id='a@r.example'/></retract>")
    assert from_private(juliet) == {}


def test_the_old_node_is_the_same(juliet, own):
    own.publish(STORAGE, "current", f"<storage xmlns='{STORAGE}'>{room('a@r.example', 'A')}"
                "</storage>")
    assert set(rooms(own)) == {"a@r.example"}
    add(own, "b@r.example")
    (item,) = own.get(f"<items node='{STORAGE}'/>").tags
    assert item.attr["id"] == "current"
    assert {tag.attr["jid"] for tag in item.get_child("storage", STORAGE).tags} == {
        "a@r.example", "b@r.example"}


def test_only_what_differs_is_told(juliet, own):
    private(juliet, room("a@r.example", "A"), room("b@r.example", "B"), room("c@r.example", "C"))
    Wanting(NODE).announce(juliet)
    private(juliet, room("a@r.example", "A", autojoin="1"), room("b@r.example", "New"))
    told = {(event.tags[0].name, event.tags[0].attr["id"]) for event in events(juliet.flush())
            if event.attr["node"] == NODE}
    # Debian's takes another way to say "true" for a difference.
    assert told - {("item", "a@r.example")} == {("item", "b@r.example"),
                                                ("retract", "c@r.example")}


@OURS
def test_what_means_the_same_is_not_told(juliet, own):
    private(juliet, room("a@r.example", "A"))
    Wanting(NODE).announce(juliet)
    private(juliet, room("a@r.example", "A", autojoin="1"))
    assert events(juliet.flush()) == []


@OURS
def test_what_old_clients_do_not_know_is_kept(juliet, own):
    add(own, "a@r.example", f"<extensions>{PINNED}</extensions>", "name='A'")
    assert from_private(juliet)["a@r.example"].get_child("extensions").tags[0].name == "pinned"
    private(juliet, room("a@r.example", "New", "<x xmlns='urn:example:x'/>"))
    extensions = rooms(own)["a@r.example"].get_child("extensions")
    assert [tag.name for tag in extensions.tags] == ["pinned", "x"]
    private(juliet, room("a@r.example", "New", "<extensions/>"))
    assert rooms(own)["a@r.example"].get_child("extensions") is None


@OURS
def test_web_pages_are_kept(juliet, own):
    url = "<url url='http://x.example/' name='X'/>"
    private(juliet, room("a@r.example"), url)
    query = juliet.iq("get", f"<query xmlns='{PRIVATE}'><storage xmlns='{STORAGE}'/></query>")
    assert [tag.name for tag in query.tags[0].tags[0].tags] == ["conference", "url"]
    private(juliet, room("a@r.example"))
    assert [tag.name for tag in juliet.iq(
        "get", f"<query xmlns='{PRIVATE}'><storage xmlns='{STORAGE}'/></query>"
    ).tags[0].tags[0].tags] == ["conference"]


@OURS
def test_other_private_xml_is_let_alone(juliet, own):
    private(juliet, room("a@r.example"), more="<x xmlns='urn:example:x'>kept</x>")
    assert set(rooms(own)) == {"a@r.example"}
    answer = juliet.iq("get", f"<query xmlns='{PRIVATE}'><x xmlns='urn:example:x'/></query>")
    assert answer.tags[0].tags[0].get_text() == "kept"


@OURS
def test_old_clients_are_told_the_whole_list(juliet, own):
    Wanting(STORAGE).announce(juliet)
    private(juliet, room("a@r.example"), room("b@r.example"))
    (event,) = events(juliet.flush())
    assert event.attr["node"] == STORAGE
    assert len(event.tags[0].get_child("storage", STORAGE).tags) == 2


@OURS
def test_the_old_node_is_there_before_anything_is_in_it(own):
    assert own.get(f"<items node='{STORAGE}'/>").tags == []


@OURS
def test_nonsense_is_passed_over(juliet, own):
    private(juliet, room("@"), "<conference/>", room("a@r.example"))
    assert set(rooms(own)) == {"a@r.example"}
    assert own.refused("set", f"<publish node='{STORAGE}'><item><x xmlns='urn:x'/></item></publish>"
                       )[1] == "bad-request"


@OURS
def test_there_can_be_too_many(juliet, own):
    many = "".join(room(f"{number}@r.example") for number in range(257))
    answer = juliet.iq("set", f"<query xmlns='{PRIVATE}'><storage xmlns='{STORAGE}'>{many}"
                       "</storage></query>")
    assert answer.get_error()[1] == "not-acceptable"
    assert from_private(juliet) == {}


def test_bookmarks_are_nobody_elses(people, juliet, own):
    people.befriend("juliet", "romeo")
    romeo = people.login("romeo")
    add(own, "a@r.example", access_model="whitelist")
    for node in (NODE, STORAGE):
        assert Asking(romeo, juliet.bare_jid).ask("get", f"<items node='{node}'/>").attr[
            "type"] == "error"


@OURS
def test_bookmarks_are_private_also_without_being_told_so(people, juliet, own):
    people.befriend("juliet", "romeo")
    add(own, "a@r.example")
    assert Asking(people.login("romeo"), juliet.bare_jid).refused(
        "get", f"<items node='{NODE}'/>")[2] == "closed-node"


def test_the_features_are_announced(juliet):
    info = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    assert {NODE + "#compat", NODE + "#compat-pep"} <= {
        tag.attr["var"] for tag in info.childtags("feature")}


def test_stored_bookmarks_move(server, people):
    name = people.name("juliet")
    server.user(name)
    storage = Stanza("storage", {"xmlns": STORAGE})
    storage.tag("conference", jid="a@r.example", name="A", xmlns=STORAGE).up()
    store = server.server.storage.open("localhost", "private", "map")
    store.set(name, f"storage:{STORAGE}", preserialize(storage))
    juliet = people.login("juliet")
    assert rooms(Asking(juliet))["a@r.example"].attr["name"] == "A"
    assert store.get(name, f"storage:{STORAGE}") is None


@OURS
def test_bookmarks_in_one_item_move(server, people):
    name = people.name("juliet")
    server.user(name)
    service = server.server.hosts["localhost"].modules["pep"].exports.get_pep_service(name)
    storage = Stanza("storage", {"xmlns": STORAGE})
    storage.tag("conference", jid="a@r.example", name="A", xmlns=STORAGE).up()
    service.publish(STORAGE, True, "current", storage)
    own = Asking(people.login("juliet"))
    assert rooms(own)["a@r.example"].attr["name"] == "A"
    own.set(f"<retract node='{NODE}'><item id='a@r.example'/></retract>")
    own = Asking(people.login("juliet", "again"))
    assert rooms(own) == {}
