"""Messages over a running server: which of a user's sessions get them (RFC 6121 section 8.5)."""

import pytest

pytestmark = pytest.mark.twins("message")

TYPES = ("chat", "normal", "headline", "groupchat", "error")


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), modules_disabled=["offline"])
    yield server
    server.stop()


@pytest.fixture
def login(server, request):
    """Return a function that logs in a user that only this test knows."""
    clients = []
    suffix = format(abs(hash(request.node.name)) % 2**32, "x")

    def login(name, resource="r", priority=None):
        client = server.client(f"{name}-{suffix}", resource)
        clients.append(client)
        if priority is not None:
            client.available(f"<priority>{priority}</priority>")
        return client

    yield login
    for client in clients:
        client.close()


def say(client, to, type="chat"):
    """Send a message and return what comes back for it."""
    client.send(f"<message to='{to}' type='{type}' id='m'><body>Hello</body></message>")
    return [(element.attr["type"], element.get_error()[1]) for element in client.flush()
            if element.name == "message"]


def got(client):
    return len([element for element in client.flush() if element.name == "message"])


REFUSED = [("error", "service-unavailable")]


@pytest.mark.parametrize("type", TYPES)
def test_a_message_to_a_resource_arrives_there_and_only_there(login, type):
    romeo, one, two = login("romeo"), login("juliet", "1", 0), login("juliet", "2", 9)
    silent = login("juliet", "3")
    assert say(romeo, one.jid, type) == say(romeo, silent.jid, type) == []
    assert (got(one), got(two), got(silent)) == (1, 0, 1)
    element = say(romeo, one.jid, type) or one.message()
    assert element.attr["from"] == romeo.jid and element.attr["to"] == one.jid


@pytest.mark.parametrize(("type", "shares"), [
    ("chat", (0, 1, 1, 0, 0)), ("normal", (0, 1, 1, 0, 0)), ("headline", (1, 1, 1, 0, 0)),
    ("groupchat", (0, 0, 0, 0, 0)), ("error", (0, 0, 0, 0, 0))])
@pytest.mark.parametrize("to", ["account", "gone"])
def test_a_message_to_an_account_goes_where_its_type_and_the_priorities_say(
        login, type, shares, to):
    romeo = login("romeo")
    sessions = [login("juliet", str(priority) + name, priority) for priority, name in (
        (1, "a"), (5, "b"), (5, "c"), (-1, "d"), (None, "e"))]
    address = sessions[0].bare_jid + ("" if to == "account" else "/gone")
    answers = say(romeo, address, type)
    assert answers == (REFUSED if type == "groupchat" else [])
    if to == "gone" and type == "headline":
        shares = (0, 0, 0, 0, 0)
    assert tuple(got(session) for session in sessions) == shares


@pytest.mark.parametrize(("type", "answer"), [
    ("chat", REFUSED), ("normal", REFUSED), ("groupchat", REFUSED), ("headline", []),
    ("error", [])])
def test_without_anybody_there_the_sender_is_told(server, login, type, answer):
    romeo, negative = login("romeo"), login("juliet", "r", -1)
    server.user("absent")
    for to in (negative.bare_jid, "absent@localhost", "absent@localhost/x", "nobody@localhost"):
        assert say(romeo, to, type) == answer
    assert got(negative) == 0


def test_a_message_without_an_address_is_for_oneself(login):
    one, two = login("romeo", "1", 1), login("romeo", "2", 5)
    one.send("<message type='chat'><body>Note</body></message>")
    one.flush()
    assert two.message().get_child_text("body") == "Note"


def test_the_event_for_messages_that_nobody_takes_names_the_user(server, login):
    romeo, events, seen = login("romeo"), server.server.hosts["localhost"].events, []

    def keep(event):
        seen.append((event.username, event.stanza.get_child_text("body"), event.origin.full_jid))
        return True

    server.user("absent")
    events.add_handler("message/offline/handle", keep)
    assert say(romeo, "absent@localhost/x") == []
    assert say(romeo, "nobody@localhost") == REFUSED
    events.remove_handler("message/offline/handle", keep)
    assert seen == [("absent", "Hello", romeo.jid)]


def test_groupchat_to_an_account_can_be_taken_by_a_module(server, login):
    romeo, events, seen = login("romeo"), server.server.hosts["localhost"].events, []
    juliet = server.user("x-" + romeo.bare_jid.partition("@")[0])

    def take(event):
        seen.append(event.stanza.attr["to"])
        return True

    events.add_handler("message/bare/groupchat", take)
    assert say(romeo, juliet, "groupchat") == []
    events.remove_handler("message/bare/groupchat", take)
    assert seen == [juliet]
