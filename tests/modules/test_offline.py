"""Messages for users who are not there: what is kept, and how it is delivered."""

import gevent
import pytest

from prosody_py.hosts import users
from prosody_py.storage.interface import StorageError
from prosody_py.testing.client import wait_until

pytestmark = pytest.mark.twins("offline")

KEEPS_ALL = pytest.mark.ours_alone("Debian's keeps everything")
CHAT_STATE = "<active xmlns='http://jabber.org/protocol/chatstates'/>"


def hint(name):
    return f"<{name} xmlns='urn:xmpp:hints'/>"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), offline_message_limit=150)
    yield server
    server.stop()


@pytest.fixture
def juliet(server, request):
    """Return the address of a user that only this test knows, who is not there."""
    return server.user("juliet-" + format(abs(hash(request.node.name)) % 2**32, "x"))


@pytest.fixture
def romeo(server):
    client = server.client("romeo", None)
    yield client
    client.close()


def arrive(server, jid, resource="r", inside=""):
    """Log in and return (client, messages that came with initial presence)."""
    client = server.client(jid.partition("@")[0], resource)
    client.send(f"<presence>{inside}</presence>")
    return client, messages(client)


def messages(client):
    return [element for element in client.flush() if element.name == "message"]


def say(client, to, inside="<body>Hello</body>", type="chat"):
    """Send a message and return the condition of the error that comes back, if any."""
    client.send(f"<message to='{to}' type='{type}'>{inside}</message>")
    answers = messages(client)
    return answers[0].get_error()[1] if answers else None


def waiting(server, jid):
    store = server.server.storage.open("localhost", "offline", "archive")
    return [item[1] for item in store.find(jid.partition("@")[0])[0]]


def test_messages_wait_in_order_and_come_with_their_time(server, romeo, juliet):
    for number in range(3):
        assert say(romeo, juliet, f"<body>{number}</body>", "normal") is None
    client, got = arrive(server, juliet)
    assert [element.get_child_text("body") for element in got] == ["0", "1", "2"]
    delay = got[0].get_child("delay", "urn:xmpp:delay")
    assert delay.attr["from"] == "localhost" and delay.attr["stamp"].endswith("Z")
    assert got[0].attr["from"] == romeo.jid and got[0].attr["to"] == juliet
    assert waiting(server, juliet) == []
    client.close()


def test_messages_come_once(server, romeo, juliet):
    say(romeo, juliet)
    one, got = arrive(server, juliet, "1")
    two, more = arrive(server, juliet, "2")
    assert (len(got), len(more)) == (1, 0)


def test_a_negative_priority_gets_nothing_until_it_is_raised(server, romeo, juliet):
    say(romeo, juliet)
    client, got = arrive(server, juliet, inside="<priority>-1</priority>")
    assert got == []
    say(romeo, juliet)
    client.send("<presence><priority>0</priority></presence>")
    assert len(messages(client)) == 2


def test_a_message_to_a_resource_that_is_gone_waits_too(server, romeo, juliet):
    assert say(romeo, juliet + "/gone") is None
    assert len(waiting(server, juliet)) == 1


@pytest.mark.parametrize(("type", "inside", "kept", "error"), [
    ("chat", "<body>x</body>", True, None),
    ("normal", "<body>x</body>", True, None),
    ("normal", "<subject>x</subject>", True, None),
    ("headline", "<body>x</body>", False, None),
    ("groupchat", "<body>x</body>", False, "service-unavailable"),
    ("chat", "<body>x</body>" + CHAT_STATE, True, None),
    pytest.param("chat", CHAT_STATE, False, None, marks=KEEPS_ALL),
    pytest.param("chat", CHAT_STATE + "<thread>t</thread>" + hint("no-copy"), False, None,
                 marks=KEEPS_ALL),
    pytest.param("chat", "", False, None, marks=KEEPS_ALL),
    ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", True, None),
    ("chat", CHAT_STATE + hint("store"), True, None),
    pytest.param("chat", "<body>x</body>" + hint("no-store"), False, "service-unavailable",
                 marks=KEEPS_ALL),
    ("chat", "<body>x</body>" + hint("no-permanent-store"), True, None),
])
def test_what_is_worth_keeping_is_kept(server, romeo, juliet, type, inside, kept, error):
    assert say(romeo, juliet, inside, type) == error
    assert bool(waiting(server, juliet)) is kept


@pytest.mark.ours_alone("Debian's leaves limits to the store")
def test_the_sender_is_told_when_there_is_no_room(server, romeo, juliet):
    romeo.send("".join(f"<message to='{juliet}' type='chat'><body>{number}</body></message>"
                       for number in range(150)))
    assert messages(romeo) == []
    assert say(romeo, juliet) == "service-unavailable"
    _client, got = arrive(server, juliet)
    assert [element.get_child_text("body") for element in got] == [
        str(number) for number in range(150)]
    assert say(romeo, juliet) is None


def test_the_feature_is_announced(server):
    host_modules = server.server.hosts["localhost"].modules
    assert "msgoffline" in host_modules["offline"].get_host_items("feature")


def test_a_removed_account_leaves_no_messages(server, romeo, juliet):
    say(romeo, juliet)
    users.delete_user(server.server, juliet.partition("@")[0], "localhost")
    assert waiting(server, juliet) == []


@pytest.mark.ours_alone("Debian's store is out of reach here")
def test_a_message_that_is_stored_while_the_user_arrives_is_delivered(server, romeo, juliet,
                                                                      monkeypatch):
    client = server.client(juliet.partition("@")[0], "r")
    module = server.server.hosts["localhost"].modules["offline"]
    append = type(module.store).append

    def slow_append(store, *args):
        gevent.sleep(0.2)
        return append(store, *args)

    monkeypatch.setattr(type(module.store), "append", slow_append)
    romeo.send(f"<message to='{juliet}' type='chat'><body>Late</body></message>")
    gevent.sleep(0.05)
    client.available()
    assert client.message().get_child_text("body") == "Late"


@pytest.mark.ours_alone("Debian's deletes all when it has sent all")
def test_what_could_not_be_given_to_the_session_stays(server, romeo, juliet):
    for number in range(3):
        say(romeo, juliet, f"<body>{number}</body>")
    client = server.client(juliet.partition("@")[0], "r")
    session = server.server.full_sessions[client.jid]
    send, left = session.send, [2]

    def fail_soon(element):
        if getattr(element, "name", None) == "message":
            left[0] -= 1
            if left[0] < 0:
                return False
        return send(element)

    session.extras["send"] = fail_soon
    client.send("<presence/>")
    assert [element.get_child_text("body") for element in messages(client)] == ["0", "1"]
    assert [element.get_child_text("body") for element in waiting(server, juliet)] == ["2"]


def test_messages_survive_a_restart(tmp_path, launch):
    for step in range(2):
        server = launch(tmp_path, storage="sqlite")
        try:
            server.user("juliet")
            if step == 0:
                assert say(server.client("romeo"), "juliet@localhost") is None
            else:
                assert len(arrive(server, "juliet@localhost")[1]) == 1
        finally:
            server.stop()


@pytest.mark.ours_alone("Debian's store is out of reach here")
def test_a_store_that_fails_sends_the_message_back(server, romeo, juliet, monkeypatch):
    def fail(*_args):
        raise StorageError("internal-server-error", "the disk is gone")

    module = server.server.hosts["localhost"].modules["offline"]
    monkeypatch.setattr(type(module.store), "append", fail)
    assert say(romeo, juliet) == "service-unavailable"


LARGE = pytest.mark.ours_alone("Debian's deletes all when it has sent all")


@LARGE
def test_more_than_the_connection_may_queue_arrives_whole(launch, tmp_path):
    server = launch(tmp_path, c2s_max_send_buffer="64 KB")
    try:
        romeo, juliet = server.client("romeo"), server.user("juliet")
        for number in range(120):
            romeo.send(f"<message to='{juliet}' type='chat' id='{number}'>"
                       f"<body>{'x' * 60_000}</body></message>")
        romeo.flush()
        client = server.client("juliet").send("<presence/>")
        gevent.sleep(0.05)  # begins to read a little later
        assert [client.message().attr["id"] for _ in range(120)] == list(map(str, range(120)))
        client.flush()
        wait_until(lambda: not waiting(server, juliet))
    finally:
        server.stop()


@LARGE
def test_what_a_client_that_breaks_off_has_not_read_stays(launch, tmp_path):
    server = launch(tmp_path, c2s_max_send_buffer="64 KB")
    try:
        romeo, juliet = server.client("romeo"), server.user("juliet")
        for number in range(90):  # several times what the system's buffers take
            romeo.send(f"<message to='{juliet}' type='chat' id='{number}'>"
                       f"<body>{'x' * 240_000}</body></message>")
        romeo.flush()
        client = server.client("juliet").send("<presence/>")
        conn = server.server.full_sessions[client.jid].conn
        wait_until(lambda: conn.pending > 32 * 1024)
        gevent.sleep(0.1)
        client.sock.close()
        wait_until(lambda: client.jid not in server.server.full_sessions)
        delivering = server.server.hosts["localhost"].modules["offline"].delivering
        wait_until(lambda: not delivering)
        left = waiting(server, juliet)
        assert 0 < len(left) < 90, "some were taken by the system"
        assert left[-1].attr["id"] == "89" and len(left) == 90 - int(left[0].attr["id"])
        client = server.client("juliet").send("<presence/>")
        assert [client.message().attr["id"] for _ in left] == [each.attr["id"] for each in left]
    finally:
        server.stop()


SM = "urn:xmpp:sm:3"


def acknowledge(client, count, handled=0):
    """Receive so many messages, and acknowledge whenever that is asked for; return the ids."""
    ids = []
    while len(ids) < count:
        element = client.receive()
        handled += element.name in ("message", "presence", "iq")
        if element.name == "message":
            ids.append(element.attr["id"])
        elif element.name == "r":
            client.send(f"<a xmlns='{SM}' h='{handled}'/>")
    return ids


@pytest.fixture
def with_smacks(launch, tmp_path):
    """A server where 60 messages wait for juliet, more than may be unacknowledged."""
    server = launch(tmp_path, ["smacks"], smacks_max_queue_size=10)
    romeo, juliet = server.client("romeo"), server.user("juliet")
    for number in range(60):
        romeo.send(f"<message to='{juliet}' type='chat' id='{number}'><body>.</body></message>")
    romeo.flush()
    yield server
    server.stop()


@LARGE
def test_more_than_may_be_unacknowledged_arrives_whole(with_smacks):
    client = with_smacks.client("juliet").send(f"<enable xmlns='{SM}' resume='true'/><presence/>")
    assert client.receive().name == "enabled"
    assert acknowledge(client, 60) == list(map(str, range(60)))
    wait_until(lambda: not waiting(with_smacks, "juliet@localhost"))


@LARGE
def test_the_rest_comes_after_a_resumption(with_smacks):
    client = with_smacks.client("juliet").send(f"<enable xmlns='{SM}' resume='true'/><presence/>")
    token = client.receive().attr["id"]
    got = [client.message().attr["id"] for _ in range(5)]  # not acknowledged
    client.sock.close()
    session = with_smacks.server.full_sessions[client.jid]
    wait_until(lambda: session.extras.get("hibernating"))
    assert got == list(map(str, range(5)))
    assert len(waiting(with_smacks, "juliet@localhost")) > 30
    client = with_smacks.connect()
    client.open()
    client.authenticate("juliet", "secret")
    client.open()
    client.send(f"<resume xmlns='{SM}' h='6' previd='{token}'/>")  # presence and messages
    assert client.receive().name == "resumed"
    assert acknowledge(client, 55, 6) == list(map(str, range(5, 60)))
    wait_until(lambda: not waiting(with_smacks, "juliet@localhost"))
