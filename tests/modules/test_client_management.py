"""XEP-0494: the owner of an account sees its clients and takes access from them."""

from __future__ import annotations

import time

import pytest

from prosody_py.api import datetime
from prosody_py.hosts import users
from prosody_py.testing.client import wait_until
from prosody_py.testing.sasl2 import AGENT, bind, connect, request_token

CAM, OLDER = "urn:xmpp:cam:0", "xmpp:prosody.im/protocol/manage-clients"
OTHER = "0aa1d2bb-4f64-4e93-9e2d-0e1b3c1c0a11"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"),
                     ["sasl2_bind2", "sasl2_fast", "client_management"])
    yield running
    running.stop()


@pytest.fixture
def name(server, request):
    """Return an account of the test's own."""
    username = f"user{abs(hash(request.node.name))}"
    server.user(username)
    return username


def log_in(running, name, agent=AGENT, more="", software="AwesomeXMPP"):
    """Log in with the password; return the client, and the token if one was asked for."""
    client = connect(running, agent=None)
    about = (f"<user-agent id='{agent}'><software>{software}</software><device>Phone</device>"
             "</user-agent>")
    answer = client.plain(name, about + bind() + more)
    client.succeeded(answer)
    client.receive()
    client.agent = agent
    token = answer.get_child("token", "urn:xmpp:fast:0")
    return client, token.attr["token"] if token is not None else None


def clients_of(client, xmlns=CAM):
    """Return what the list says: {software or None: (element, methods)}."""
    answer = client.iq("get", f"<list xmlns='{xmlns}'/>")
    assert answer.attr["type"] == "result", str(answer)
    found = {}
    for element in answer.get_child("clients", xmlns).tags:
        agent = element.get_child("user-agent")
        software = agent.get_child_text("software") if agent is not None else None
        found[software] = element, {tag.name for tag in element.get_child("auth").tags}
    return found


def revoke(client, id, xmlns=CAM):
    return client.iq("set", f"<revoke xmlns='{xmlns}' id='{id}'/>")


def store_of(running):
    return running.server.storage.open("localhost", "client_access", "keyval")


@pytest.mark.parametrize("xmlns", [CAM, OLDER])
def test_clients_are_listed_with_what_they_say_of_themselves(server, name, xmlns):
    first, _token = log_in(server, name)
    second, _token = log_in(server, name, OTHER, request_token(), software="Gajim")
    second.close()
    wait_until(lambda: second.jid not in server.server.full_sessions)
    listed = clients_of(first, xmlns)
    assert set(listed) == {"AwesomeXMPP", "Gajim"}
    here, methods = listed["AwesomeXMPP"]
    assert (here.attr["connected"], here.attr["type"], methods) == ("true", "session",
                                                                    {"password"})
    assert here.get_child("permission").attr["status"] == "unrestricted"
    assert here.get_child("user-agent").get_child_text("device") == "Phone"
    for when in ("first-seen", "last-seen"):
        assert abs(datetime.parse_datetime(here.get_child_text(when)) - time.time()) < 30
    gone, methods = listed["Gajim"]
    assert (gone.attr["connected"], methods) == ("false", {"password", "fast"})
    assert here.attr["id"] != gone.attr["id"] and AGENT not in str(here)


def test_a_session_that_does_not_say_who_it_is_is_listed_while_it_lasts(server, name):
    first, _token = log_in(server, name)
    older = server.client(name)
    listed, methods = clients_of(first)[None]
    assert (listed.attr["connected"], methods) == ("true", {"password"})
    answer = revoke(first, listed.attr["id"])
    assert answer.get_error()[1] == "service-unavailable"
    older.close()
    wait_until(lambda: older.jid not in server.server.full_sessions)
    assert set(clients_of(first)) == {"AwesomeXMPP"}


def test_who_knows_the_password_is_got_rid_of_by_another_one(server, name):
    first, _token = log_in(server, name)
    second, token = log_in(server, name, OTHER, request_token(), software="Gajim")
    answer = revoke(first, clients_of(first)["Gajim"][0].attr["id"])
    type, condition, _text, extra = answer.get_error()
    assert (type, condition, extra.name) == ("cancel", "service-unavailable",
                                             "password-reset-required")
    assert extra.attr["xmlns"] == CAM
    assert second.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"
    resource = first.jid.partition("/")[2]
    users.set_password(server.server, name, "other", "localhost", resource)
    assert second.closed_with() == "not-authorized"
    wait_until(lambda: second.jid not in server.server.full_sessions)
    assert set(clients_of(first)) == {"AwesomeXMPP"}
    assert connect(server, agent=OTHER).fast(name, token).name == "failure"


def only_by_token(running, name, agent):
    """Let a client have its token without knowing the password, as one let in by OAuth."""
    store = store_of(running)
    known = store.get(name)
    store.set(name, {id: {**client, "mechanisms": {"OAUTHBEARER": 1, "HT-SHA-256-NONE": 1}}
                     if client["client_id"] == agent else client for id, client in known.items()})


def test_a_token_is_taken_from_a_client(server, name):
    first, _token = log_in(server, name)
    second, token = log_in(server, name, OTHER, request_token(), software="Gajim")
    only_by_token(server, name, OTHER)
    element, methods = clients_of(first)["Gajim"]
    assert methods == {"fast"}
    assert revoke(first, element.attr["id"]).attr["type"] == "result"
    assert second.closed_with() == "not-authorized"
    assert connect(server, agent=OTHER).fast(name, token).name == "failure"
    wait_until(lambda: second.jid not in server.server.full_sessions)
    assert set(clients_of(first)) == {"AwesomeXMPP"}
    assert revoke(first, element.attr["id"]).get_error()[1] == "item-not-found"


def test_a_client_whose_token_is_over_is_not_listed(server, name):
    first, _token = log_in(server, name)
    second, _token = log_in(server, name, OTHER, request_token(), software="Gajim")
    only_by_token(server, name, OTHER)
    store = store_of(server)
    known = store.get(name)
    for client in known.values():
        client["mechanisms"].pop("OAUTHBEARER", None)
    store.set(name, known)
    second.close()
    wait_until(lambda: second.jid not in server.server.full_sessions)
    server.server.modules.get_module("localhost", "sasl2_fast").exports.revoke_fast_tokens(
        name, OTHER)
    assert set(clients_of(first)) == {"AwesomeXMPP"}


@pytest.mark.parametrize(("request_", "condition"), [
    ("<revoke xmlns='urn:xmpp:cam:0'/>", "bad-request"),
    ("<revoke xmlns='urn:xmpp:cam:0' id='nobody'/>", "item-not-found")])
def test_what_cannot_be_revoked_is_told(server, name, request_, condition):
    client, _token = log_in(server, name)
    assert client.iq("set", request_).get_error()[1] == condition


def test_it_is_the_owners_alone(server, name):
    client, _token = log_in(server, name)
    romeo = server.client("romeo")
    id = clients_of(client)["AwesomeXMPP"][0].attr["id"]
    assert revoke(romeo, id).get_error()[1] == "item-not-found"
    answer = romeo.iq("get", f"<list xmlns='{CAM}'/>", f"{name}@localhost")
    assert answer.get_error()[1] == "service-unavailable"
    session = server.server.full_sessions[romeo.jid]
    session.role = type(session.role)(server.server, "localhost", "prosody:restricted")
    assert romeo.iq("get", f"<list xmlns='{CAM}'/>").get_error()[1] == "forbidden"
    assert revoke(romeo, id).get_error()[1] == "forbidden"


def test_a_new_client_is_an_event_once(server, name):
    seen = []
    events = server.server.hosts["localhost"].events

    def note(event):
        seen.append((event.session.username, event.client["client_id"]))

    events.add_handler("client_management/new-client", note)
    try:
        for agent in (AGENT, AGENT, OTHER):
            log_in(server, name, agent)
    finally:
        events.remove_handler("client_management/new-client", note)
    assert seen == [(name, AGENT), (name, OTHER)]


def test_what_is_kept_is_bounded(start_server):
    running = start_server(["sasl2_bind2", "client_management"], client_management_limit=2,
                           client_management_keep="1 day", client_management_user_agents=False)
    running.user("juliet")
    for agent in "abc":
        log_in(running, "juliet", agent)[0].close()
        store = store_of(running)
        wait_until(lambda: not running.server.full_sessions)
        store.set("juliet", {id: {**client, "last_seen": client["last_seen"] - 10}
                             for id, client in store.get("juliet").items()})
    assert {client["client_id"] for client in store.get("juliet").values()} == {"b", "c"}
    assert not any(client.get("user_agent") for client in store.get("juliet").values())
    store.set("juliet", {id: {**client, "last_seen": client["last_seen"] - 86400}
                         for id, client in store.get("juliet").items()})
    client, _token = log_in(running, "juliet", "d")
    assert len(clients_of(client)) == 1 and len(store.get("juliet")) == 1


def test_nothing_is_left_of_an_account_that_is_gone(server, name):
    log_in(server, name)
    assert store_of(server).get(name)
    users.delete_user(server.server, name, "localhost")
    assert not store_of(server).get(name)
