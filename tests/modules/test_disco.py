"""mod_disco: XEP-0030, XEP-0128 and the server's own XEP-0115."""

from __future__ import annotations

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.hosts.roster import RosterItem, load_roster
from prosody_py.xmpp import builders as stanza
from prosody_py.xmpp import caps

pytestmark = pytest.mark.twins("disco")
OURS = pytest.mark.ours_alone("Debian's does not know XEP-0390")

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"


def ask(client, xmlns, to=None, node=None):
    attribute = f" node='{node}'" if node else ""
    return client.iq("get", f"<query xmlns='{xmlns}'{attribute}/>", to)


def query(answer, xmlns=INFO):
    assert answer.attr["type"] == "result", str(answer)
    return answer.get_child("query", xmlns)


def features(answer):
    return [tag.attr["var"] for tag in query(answer).childtags("feature")]


def items(answer):
    return [attributes(tag) for tag in query(answer, ITEMS).childtags("item")]


def attributes(tag):
    return {name: value for name, value in tag.attr.items() if name != "xmlns"}


def condition(answer):
    assert answer.attr["type"] == "error", str(answer)
    return answer.get_error()[1]


def host(running):
    return running.server.hosts["localhost"]


def subscribe(running, watcher, owner):
    """Let one user have the presence of another."""
    load_roster(running.server, owner, "localhost")[watcher + "@localhost"] = RosterItem("from")


def test_host_tells_identity_and_features_once_each(start_server):
    running = start_server(["time", "version"], name="Home of tests")
    answer = ask(running.client("juliet"), INFO, "localhost")
    assert attributes(query(answer).get_child("identity")) == {
        "category": "server", "type": "im", "name": "Home of tests"}
    found = features(answer)
    assert {INFO, ITEMS, "urn:xmpp:time", "urn:xmpp:ping", "jabber:iq:version"} <= set(found)
    assert len(found) == len(set(found))


def test_modules_that_come_and_go_change_what_the_host_tells(start_server):
    running = start_server()
    client = running.client("juliet")
    assert "urn:xmpp:time" not in features(ask(client, INFO, "localhost"))
    running.server.modules.load("localhost", "time")
    assert "urn:xmpp:time" in features(ask(client, INFO, "localhost"))
    running.server.modules.unload("localhost", "time")
    assert "urn:xmpp:time" not in features(ask(client, INFO, "localhost"))


def test_forms_of_modules_are_in_the_host_info(start_server):
    running = start_server()
    module = host(running).modules["disco"]
    form = stanza.stanza("x", xmlns="jabber:x:data", type="result")
    form.tag("field", var="FORM_TYPE", type="hidden").text_tag("value", "urn:test").up()
    module.add_extension(form)
    answer = ask(running.client("juliet"), INFO, "localhost")
    found = query(answer).get_child("x", "jabber:x:data")
    assert found.get_child("field").get_child_text("value") == "urn:test"


def test_stream_features_have_the_hash_of_the_info_at_its_node(start_server):
    running = start_server()
    client = running.client("juliet")
    tag = client.features.get_child("c", caps.XMLNS)
    assert tag.attr["hash"] == "sha-1"
    node = f"{tag.attr['node']}#{tag.attr['ver']}"
    found = query(ask(client, INFO, "localhost", node))
    assert found.attr["node"] == node
    assert caps.verification_string(found) == tag.attr["ver"]


def second_node(client):
    """Return the node of the hash of XEP-0390 in the features of a client's stream."""
    (hash,) = client.features.get_child("c", caps.SECOND).tags
    assert (hash.attr["xmlns"], hash.attr["algo"]) == (caps.HASHES, "sha-256")
    return f"urn:xmpp:caps#sha-256.{hash.get_text()}"


@OURS
def test_stream_features_have_the_second_hash_of_the_info_at_its_node(start_server):
    client = start_server().client("juliet")
    node = second_node(client)
    found = query(ask(client, INFO, "localhost", node))
    assert found.attr["node"] == node and caps.is_true(node, found)
    assert "urn:xmpp:caps" in {tag.attr["var"] for tag in found.childtags("feature")}


@OURS
def test_what_was_announced_before_is_still_known(start_server):
    running = start_server()
    clients = [running.client("juliet")]
    for number, module in enumerate(("time", "version", "uptime")):
        running.server.modules.load("localhost", module)
        clients.append(running.client(f"romeo{number}"))
    running.server.modules.reload("localhost", "disco")
    nodes = [second_node(client) for client in clients]
    assert len(set(nodes)) == 4
    assert condition(ask(clients[0], INFO, "localhost", nodes[0])) == "item-not-found"
    for node in nodes[1:]:
        assert caps.is_true(node, query(ask(clients[0], INFO, "localhost", node)))


@OURS
def test_a_form_without_a_type_has_no_second_hash(start_server):
    running = start_server()
    host(running).modules["disco"].add_extension(
        stanza.stanza("x", xmlns="jabber:x:data", type="result"))
    features = running.client("juliet").features
    assert features.get_child("c", caps.XMLNS) is not None
    assert features.get_child("c", caps.SECOND) is None


def test_streams_that_are_not_authenticated_get_no_hash(start_server):
    assert start_server().connect().open().get_child("c", caps.XMLNS) is None


def test_hash_of_the_stream_changes_with_the_modules(start_server):
    running = start_server()
    before = running.client("juliet").features.get_child("c", caps.XMLNS).attr["ver"]
    running.server.modules.load("localhost", "time")
    after = running.client("romeo").features.get_child("c", caps.XMLNS).attr["ver"]
    assert before != after


@pytest.mark.parametrize("xmlns", [INFO, ITEMS])
def test_node_that_no_module_knows_is_not_found(start_server, xmlns):
    client = start_server().client("juliet")
    assert condition(ask(client, xmlns, "localhost", "nothing")) == "item-not-found"
    assert condition(ask(client, xmlns, None, "nothing")) == "item-not-found"


@pytest.mark.parametrize(("event", "xmlns", "to"), [
    ("host-disco-info-node", INFO, "localhost"), ("host-disco-items-node", ITEMS, "localhost"),
    ("account-disco-info-node", INFO, None), ("account-disco-items-node", ITEMS, None)])
def test_module_answers_for_a_node(start_server, event, xmlns, to):
    running = start_server()

    def answer(data):
        if data.node == "mine":
            data.exists = True
            data.reply.tag("x", xmlns="urn:test").up()

    host(running).events.add_handler(event, answer)
    found = query(ask(running.client("juliet"), xmlns, to, "mine"), xmlns)
    assert found.attr["node"] == "mine"
    assert found.get_child("x", "urn:test") is not None


def test_module_that_answers_itself_ends_the_event(start_server):
    running = start_server()

    def answer(data):
        data.origin.send(stanza.error_reply(data.stanza, "cancel", "gone"))
        return True

    for event in ("host-disco-info-node", "host-disco-items"):
        host(running).events.add_handler(event, answer)
    client = running.client("juliet")
    assert condition(ask(client, INFO, "localhost", "mine")) == "gone"
    assert condition(ask(client, ITEMS, "localhost")) == "gone"
    assert client.flush() == []


@pytest.mark.ours_alone("Debian's knows one form of items, and hides no host")
def test_items_are_subdomains_and_those_of_the_option_once_each(start_server):
    running = start_server(
        disco_items=["rooms.localhost", ["proxy.example.com", "A proxy"], {"jid": "x.example"}],
        hosts={"localhost": {}, "rooms.localhost": {"name": "Rooms"},
               "secret.localhost": {"disco_hidden": True}, "a.b.localhost": {}})
    found = items(ask(running.client("juliet"), ITEMS, "localhost"))
    assert found == [{"jid": "rooms.localhost", "name": "Rooms"},
                     {"jid": "proxy.example.com", "name": "A proxy"}, {"jid": "x.example"}]


@pytest.mark.ours_alone("Debian's logs the mistake and has no items")
def test_wrong_disco_items_keep_the_module_from_loading(start_server):
    running = start_server(disco_items=[["a b@@", "x"]])
    with pytest.raises(LoadError, match="disco_items"):
        running.server.modules.load("localhost", "disco")


def test_modules_add_to_the_items_of_the_host(start_server):
    running = start_server()
    host(running).events.add_handler(
        "host-disco-items", lambda data: data.reply.tag("item", jid="x.example").up() and None)
    assert items(ask(running.client("juliet"), ITEMS, "localhost")) == [{"jid": "x.example"}]


@pytest.mark.ours_alone("Debian's has no list of the administrators")
def test_admins_are_listed_only_on_wish(start_server):
    client = start_server(admins=["root@localhost"]).client("juliet")
    assert items(ask(client, ITEMS, "localhost")) == []
    assert condition(ask(client, INFO, "root@localhost")) == "service-unavailable"
    client = start_server(admins=["root@localhost"], disco_expose_admins=True).client("juliet")
    assert items(ask(client, ITEMS, "localhost")) == [{"jid": "root@localhost"}]
    identity = query(ask(client, INFO, "root@localhost")).get_child("identity")
    assert attributes(identity) == {"category": "account", "type": "admin"}


def test_own_account_is_told_about_with_what_modules_add(start_server):
    running = start_server()
    host(running).events.add_handler(
        "account-disco-info", lambda data: data.reply.tag("feature", var="urn:test").up() and None)
    client = running.client("juliet")
    for to in (None, "juliet@localhost"):
        answer = ask(client, INFO, to)
        assert answer.attr["from"] == "juliet@localhost"
        assert attributes(query(answer).get_child("identity")) == {
            "category": "account", "type": "registered"}
        assert features(answer)[-1] == "urn:test"


@pytest.mark.ours_alone("Debian's refuses to list items, which tells as little")
def test_strangers_cannot_tell_an_account_from_none(start_server):
    running = start_server()
    running.user("juliet")
    client = running.client("romeo")
    for node in (None, "mine"):
        answers = [ask(client, INFO, f"{name}@localhost", node) for name in ("juliet", "nobody")]
        assert {condition(answer) for answer in answers} == {"service-unavailable"}
        answers = [ask(client, ITEMS, f"{name}@localhost", node) for name in ("juliet", "nobody")]
        assert [items(answer) for answer in answers] == [[], []]


@pytest.mark.ours_alone("Debian's lists no resources")
def test_those_who_get_the_presence_see_account_and_resources(start_server):
    running = start_server()
    juliet = running.client("juliet", "balcony").available()
    romeo = running.client("romeo").available()
    subscribe(running, "romeo", "juliet")
    identity = query(ask(romeo, INFO, "juliet@localhost")).get_child("identity")
    assert identity.attr["category"] == "account"
    assert items(ask(romeo, ITEMS, "juliet@localhost")) == [{"jid": juliet.jid}]
    assert condition(ask(juliet, INFO, "romeo@localhost")) == "service-unavailable"
