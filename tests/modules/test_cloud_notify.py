"""XEP-0357: a client's push service hears that there is something to fetch."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts import users
from prosody_py.testing.client import wait_until
from prosody_py.xmpp.parser import parse_fragment

PUSH = "urn:xmpp:push:0"
BOTH = pytest.mark.twins("cloud_notify")
PUBSUB = "http://jabber.org/protocol/pubsub"
ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
SM = "urn:xmpp:sm:3"
SECRET = ("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
          "http://jabber.org/protocol/pubsub#publish-options</value></field>"
          "<field var='secret'><value>eruio234vzxc2kla-91</value></field></x>")


class Service:
    """A client that is a push service."""

    def __init__(self, running, name="service"):
        self.client = running.client(name, "push")
        self.jid = self.client.jid

    def published(self, error=None):
        """Return the next thing that is published, and answer it."""
        iq = self.client.receive_until(lambda element: element.name == "iq")
        answer = f"<iq to='{iq.attr['from']}' id='{iq.attr['id']}' type="
        if error is None:
            self.client.send(answer + "'result'/>")
        else:
            self.client.send(f"{answer}'error'><error type='cancel'><{error} xmlns='{ERRORS}'/>"
                             "</error></iq>")
        return iq

    def form(self):
        """Return the fields of the next notification."""
        item = self.published().get_child("pubsub", PUBSUB).get_child("publish").tags[0]
        x = item.get_child("notification", PUSH).get_child("x", "jabber:x:data")
        return {field.attr["var"]: field.get_child_text("value") for field in x.tags}

    def is_silent(self):
        try:
            self.client.receive(timeout=0.1)
        except TimeoutError:
            return True
        return False


@pytest.fixture
def start(start_server):
    def start_one(**options):
        running = start_server(["cloud_notify"], **options)
        juliet = running.client("juliet", "balcony")
        return running, Service(running), juliet, running.client("romeo", "orchard")
    return start_one


def enable(client, service, node="node", form=""):
    return client.iq("set", f"<enable xmlns='{PUSH}' jid='{service.jid}' node='{node}'>"
                            f"{form}</enable>")


def say(client, to, body="Wherefore?", inside=""):
    body = f"<body>{body}</body>" if body else ""
    client.send(f"<message to='{to}' type='chat'>{body}{inside}</message>").flush()


def leave(running, client):
    jid = client.jid
    client.close()
    wait_until(lambda: jid not in running.server.full_sessions)


def registered(running, username="juliet"):
    return sorted(running.server.storage.open("localhost", "cloud_notify").get(username) or ())


@BOTH
def test_the_account_has_the_feature(start):
    _running, _service, juliet, _romeo = start()
    info = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                     to="juliet@localhost").tags[0]
    assert PUSH in {tag.attr.get("var") for tag in info.tags}


@BOTH
def test_a_message_for_who_is_not_there_is_notified_with_the_publish_options(start):
    running, service, juliet, romeo = start()
    assert enable(juliet, service, form=SECRET).attr["type"] == "result"
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    iq = service.published()
    assert iq.attr["type"] == "set" and iq.attr["from"] == "localhost"
    pubsub = iq.get_child("pubsub", PUBSUB)
    assert pubsub.get_child("publish").attr["node"] == "node"
    x = pubsub.get_child("publish-options").get_child("x", "jabber:x:data")
    assert x.attr["type"] == "submit"
    assert [field.get_child_text("value") for field in x.tags] == [
        "http://jabber.org/protocol/pubsub#publish-options", "eruio234vzxc2kla-91"]


def test_a_notification_says_how_many_messages_there_are_and_no_more(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    assert service.form()["message-count"] == "1"
    say(romeo, "juliet@localhost")
    assert service.form() == {
        "FORM_TYPE": "urn:xmpp:push:summary", "message-count": "2",
        "last-message-body": "New Message!"}


@BOTH
def test_sender_and_text_are_passed_on_where_the_operator_wants_that(start):
    running, service, juliet, romeo = start(
        push_notification_with_body=True, push_notification_with_sender=True)
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost", "a &lt; b")
    form = service.form()
    assert (form["last-message-sender"], form["last-message-body"]) == (romeo.jid, "a < b")


def test_what_nobody_would_see_is_not_notified(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost", "",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/>")
    say(romeo, "juliet@localhost", "", "<received xmlns='urn:xmpp:receipts' id='1'/>")
    assert service.is_silent()
    say(romeo, "juliet@localhost", "", "<encrypted xmlns='urn:xmpp:omemo:2'/>")
    assert service.form()["message-count"] == "1"


def test_a_request_to_see_the_presence_is_notified_once(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>")
    assert service.form() == {
        "FORM_TYPE": "urn:xmpp:push:summary", "pending-subscription-count": "1"}
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>").flush()
    assert service.is_silent()
    say(romeo, "juliet@localhost")
    form = service.form()
    assert (form["message-count"], form["pending-subscription-count"]) == ("1", "1")


def test_a_flood_of_messages_is_no_flood_of_notifications(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    for _ in range(20):
        say(romeo, "juliet@localhost")
    counts = [service.form()["message-count"]]
    counts.append(service.form()["message-count"])
    assert counts[0] != "20" and counts[1] == "20" and service.is_silent()


def test_a_client_that_is_there_is_not_notified_and_counting_begins_anew(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    juliet.available()
    say(romeo, "juliet@localhost")
    assert juliet.message() is not None and service.is_silent()
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    assert service.form()["message-count"] == "1"
    leave(running, running.client("juliet", "street").available())
    say(romeo, "juliet@localhost")
    assert service.form()["message-count"] == "1"


def test_a_device_that_is_away_is_told_what_another_one_has_got(start):
    running, service, juliet, romeo = start()
    enable(juliet, service, "phone")
    leave(running, juliet)
    desktop = running.client("juliet", "desktop").available()
    enable(desktop, service, "desktop")
    events = running.server.hosts["localhost"].events
    for sender in (romeo.jid, desktop.jid):  # as the archive says it; the second is her own
        events.fire_event("archive-message-added", Event(
            origin=None, for_user="juliet", id="1", stanza=parse_fragment(
                f"<message from='{sender}' to='juliet@localhost'><body>a</body></message>")))
    published = service.published().get_child("pubsub", PUBSUB).get_child("publish")
    assert published.attr["node"] == "phone" and service.is_silent()


# -- registering ---------------------------------------------------------------------------


@pytest.mark.parametrize(("inside", "condition"), [
    (f"<enable xmlns='{PUSH}'/>", "bad-request"),
    (f"<enable xmlns='{PUSH}' jid='@@'/>", "jid-malformed"),
    (f"<enable xmlns='{PUSH}' jid='juliet@localhost'/>", "not-acceptable"),
    (f"<enable xmlns='{PUSH}' jid='a.example' node='{'n' * 2000}'/>", "not-acceptable"),
    (f"<enable xmlns='{PUSH}' jid='a.example'><x xmlns='jabber:x:data' type='submit'/></enable>",
     "bad-request"),
    (f"<enable xmlns='{PUSH}' jid='a.example'>{SECRET.replace('eru', 'e' * 5000)}</enable>",
     "not-acceptable"),
    (f"<disable xmlns='{PUSH}'/>", "bad-request"),
    (f"<disable xmlns='{PUSH}' jid='@@'/>", "jid-malformed")])
def test_impossible_requests_are_refused(start, inside, condition):
    running, _service, juliet, _romeo = start()
    assert juliet.iq("set", inside).get_error()[1] == condition
    assert registered(running) == []


def test_a_service_or_one_node_of_it_is_disabled(start):
    running, service, juliet, romeo = start()
    for node in ("one", "two", "three"):
        enable(juliet, service, node)
    juliet.iq("set", f"<disable xmlns='{PUSH}' jid='{service.jid}' node='two'/>")
    assert registered(running) == [f"{service.jid}<one", f"{service.jid}<three"]
    answer = juliet.iq("set", f"<disable xmlns='{PUSH}' jid='{service.jid}'/>")
    assert answer.attr["type"] == "result" and registered(running) == []
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    assert service.is_silent()


def test_the_newest_registrations_of_an_account_count(start):
    running, service, juliet, _romeo = start(push_max_devices=2)
    for node in ("one", "two", "three"):
        enable(juliet, service, node)
    assert len(registered(running)) == 2 and f"{service.jid}<three" in registered(running)


@BOTH
def test_a_second_registration_of_the_same_node_replaces_the_options(start):
    running, service, juliet, romeo = start()
    enable(juliet, service, form=SECRET)
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    assert service.published().get_child("pubsub", PUBSUB).get_child("publish-options") is None


def test_a_removed_account_leaves_nothing(start):
    running, service, juliet, _romeo = start()
    enable(juliet, service)
    users.delete_user(running.server, "juliet", "localhost")
    assert registered(running) == []


# -- errors --------------------------------------------------------------------------------


def test_a_service_that_knows_nothing_of_it_is_disabled_at_once(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    service.published("item-not-found")
    wait_until(lambda: registered(running) == [])


@pytest.mark.parametrize("options", [{"push_retry_after": "never"}, {"push_max_retries": 0}])
def test_a_service_that_fails_is_disabled_after_some_errors_in_a_row(start, options):
    running, service, juliet, romeo = start(push_max_errors=2, **options)
    enable(juliet, service)
    leave(running, juliet)
    for error in ("internal-server-error", None, "internal-server-error"):
        say(romeo, "juliet@localhost")
        service.published(error)
        service.client.flush()
    assert registered(running) == [f"{service.jid}<node"]
    say(romeo, "juliet@localhost")
    service.published("internal-server-error")
    wait_until(lambda: registered(running) == [])


def resting(running):
    """Return when juliet's only registration is tried again, None while it is notified."""
    store = running.server.storage.open("localhost", "cloud_notify")
    return next(iter(store.get("juliet").values())).get("retry_after")


def let_a_day_pass(running):
    """Let the time come when juliet's registration is tried again."""
    store = running.server.storage.open("localhost", "cloud_notify")
    store.set("juliet", {name: {**info, "retry_after": info["retry_after"] - 86401}
                         for name, info in store.get("juliet").items()})


def fail(service, romeo):
    say(romeo, "juliet@localhost")
    service.published("internal-server-error")


def test_a_service_that_fails_is_tried_again_a_day_later(start):
    running, service, juliet, romeo = start(push_max_errors=1)
    enable(juliet, service)
    leave(running, juliet)
    fail(service, romeo)
    wait_until(lambda: resting(running))
    say(romeo, "juliet@localhost")
    assert service.is_silent()
    running.server.modules.reload("localhost", "cloud_notify")
    say(romeo, "juliet@localhost")
    assert service.is_silent()
    let_a_day_pass(running)
    say(romeo, "juliet@localhost")
    assert service.form()["message-count"] == "2"
    wait_until(lambda: not resting(running))


def test_a_service_that_fails_day_after_day_is_forgotten(start):
    running, service, juliet, romeo = start(push_max_errors=2, push_max_retries=2)
    enable(juliet, service)
    leave(running, juliet)
    fail(service, romeo)
    for _ in range(2):  # the second error at first, then the first after each day
        fail(service, romeo)
        wait_until(lambda: resting(running))
        let_a_day_pass(running)
    fail(service, romeo)
    wait_until(lambda: registered(running) == [])


def test_a_client_that_registers_again_ends_the_rest(start):
    running, service, juliet, romeo = start(push_max_errors=1)
    enable(juliet, service)
    leave(running, juliet)
    fail(service, romeo)
    wait_until(lambda: resting(running))
    juliet = running.client("juliet", "balcony")
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    service.published()


def test_a_clock_that_is_set_back_does_not_let_a_service_rest_for_ever(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    store = running.server.storage.open("localhost", "cloud_notify")
    store.set("juliet", {name: {**info, "retry_after": 2**40, "retries": 0}
                         for name, info in store.get("juliet").items()})
    say(romeo, "juliet@localhost")
    service.published()


def test_a_service_can_take_the_right_to_publish_away(start):
    running, _service, juliet, _romeo = start(hosts={"localhost": {}, "push.example": {}})
    for node in ("one", "two"):
        juliet.iq("set", f"<enable xmlns='{PUSH}' jid='push.example' node='{node}'/>")
    running.server.hosts["push.example"].send(parse_fragment(
        f"<message from='push.example' to='juliet@localhost'><pubsub xmlns='{PUBSUB}' node='one'>"
        "<affiliation jid='juliet@localhost' affiliation='none'/></pubsub></message>"))
    assert registered(running) == ["push.example<two"]


# -- with stream management ----------------------------------------------------------------


def managed(start, **options):
    running, service, juliet, romeo = start(**options)
    running.server.modules.load("localhost", "smacks")
    juliet.available()
    juliet.send(f"<enable xmlns='{SM}' resume='true'/>")
    token = juliet.receive_until(lambda element: element.name == "enabled").attr["id"]
    enable(juliet, service)
    return running, service, juliet, romeo, token


def cut(running, client):
    session = running.server.full_sessions[client.jid]
    client.sock.close()
    wait_until(lambda: session.conn is None)
    return session


def test_a_session_that_waits_for_its_client_is_notified_and_waits_longer(start):
    running, service, juliet, romeo, _token = managed(start, smacks_hibernation_time=30)
    session = cut(running, juliet)
    assert service.is_silent()
    say(romeo, juliet.jid)
    assert service.form()["message-count"] == "1"
    assert session.extras["hibernating_watchdog"].left() > 3600


def test_a_session_that_waits_is_notified_of_a_request(start):
    running, service, juliet, romeo, _token = managed(start)
    cut(running, juliet)
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>")
    assert service.form()["pending-subscription-count"] == "1"
    assert service.is_silent()


def test_what_was_not_acknowledged_is_notified_when_the_connection_is_gone(start):
    running, service, juliet, romeo, _token = managed(start)
    say(romeo, juliet.jid)
    assert service.is_silent()
    cut(running, juliet)
    assert service.form()["message-count"] == "1"


def test_a_client_that_does_not_acknowledge_is_notified(start):
    _running, service, juliet, romeo, _token = managed(start, smacks_max_ack_delay=0.05)
    say(romeo, juliet.jid)
    assert service.form()["message-count"] == "1"


# -- other modules -------------------------------------------------------------------------


LUA = """
    module:hook("cloud_notify/registration", function (event)
        if event.push_info.node == "forbidden" then
            event.origin.send(require "util.stanza".error_reply(event.stanza, "auth", "forbidden"));
            return false;
        end
        event.push_info.note = "kept";
    end);
    module:hook("cloud_notify/push", function (event)
        if event.push_info.node == "mute" then return true; end
        event.notification_payload:remove_children("x", "jabber:x:data");
        event.notification_payload:tag("encrypted", { xmlns = "urn:test";
            note = event.push_info.note; sender = event.original_stanza.attr.from,
            count = event.push_summary["message-count"] }):up();
    end);
"""


def test_lua_modules_change_what_is_sent(start, tmp_path):
    (tmp_path / "mod_extension.lua").write_text(LUA)
    running, service, juliet, romeo = start(plugin_paths=[str(tmp_path)])
    running.server.modules.load("localhost", "extension")
    assert enable(juliet, service, "forbidden").get_error()[1] == "forbidden"
    enable(juliet, service, "mute")
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    item = service.published().get_child("pubsub", PUBSUB).get_child("publish").tags[0]
    (encrypted,) = item.get_child("notification", PUSH).tags
    assert encrypted.attr == {"xmlns": "urn:test", "note": "kept", "sender": romeo.jid,
                              "count": "1"}
    assert service.is_silent()


def test_a_reload_keeps_registrations_and_counts(start):
    running, service, juliet, romeo = start()
    enable(juliet, service)
    leave(running, juliet)
    say(romeo, "juliet@localhost")
    assert service.form()["message-count"] == "1"
    running.server.modules.reload("localhost", "cloud_notify")
    say(romeo, "juliet@localhost")
    assert service.form()["message-count"] == "2"
