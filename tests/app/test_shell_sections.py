"""Commands of the shell's sections that look at a server: stats, dns, xmpp, watch, debug, c2s."""

from __future__ import annotations

import logging

import gevent
import pytest

from prosody_py.api.commands import Call, CommandError, Registry, running
from prosody_py.app.shell.watching import without_secrets
from prosody_py.testing.client import wait_until


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    from prosody_py.testing.server import TestServer
    server = TestServer(tmp_path_factory.mktemp("server"), ["account_activity"],
                        hosts={"localhost": {}, "second.example": {}})
    yield server
    server.stop()


class Reader:
    """Who has typed a command; `lines` is what it has said meanwhile."""

    def __init__(self):
        self.lines, self.there = [], True

    def __call__(self, message):
        self.lines.append(message["line"])
        return self.there

    def alive(self):
        return self.there


@pytest.fixture
def ask(place):
    """Return a function that runs a command and returns its answer; `ask.reader` reads."""
    def ask(*words):
        command, rest = Registry.of(place.server).find(list(words))
        return running.run(command, command.parse(rest), Call(place.server, ask.reader, 0))

    ask.reader = Reader()
    return ask


def test_numbers_that_modules_report_are_shown(place, ask):
    place.client("juliet")
    module = place.server.modules.get_module("localhost", "ping")
    module.measure("pings", "counter")()
    rows = ask("stats", "show", "pings")["rows"]
    assert len(rows) == 1 and rows[0][3:5] == ["1", 1]
    assert ask("stats", "show", "nothing*")["rows"] == []


def test_a_name_is_looked_up(place, ask):
    facts = dict(ask("dns", "lookup", "localhost")["rows"])
    assert facts["record"] in ("127.0.0.1", "::1")
    with pytest.raises(CommandError, match="bad-name"):
        ask("dns", "lookup", "a" * 300)
    assert ask("dns", "purge")["text"]


def test_an_address_is_pinged(place, ask):
    juliet = place.client("juliet", "balcony")
    pinging = gevent.spawn(ask, "xmpp", "ping", "localhost", juliet.jid)
    ping = juliet.receive_until(lambda element: element.name == "iq")
    assert ping.attr["from"] == "localhost" and ping.tags[0].attr["xmlns"] == "urn:xmpp:ping"
    juliet.send(f"<iq type='result' id='{ping.attr['id']}' to='localhost'/>")
    assert "has answered in" in pinging.get(timeout=10)["text"]
    with pytest.raises(CommandError, match="service-unavailable"):
        ask("xmpp", "ping", "localhost", "juliet@localhost/nowhere")


def test_stanzas_of_an_account_are_shown_without_its_secrets(place, ask):
    juliet = place.client("juliet", "balcony")
    watching = gevent.spawn(ask, "watch", "stanzas", "juliet@localhost")
    session = place.server.full_sessions[juliet.jid]
    wait_until(lambda: session.filters)
    juliet.iq("set", "<query xmlns='jabber:iq:register'><password>hush</password></query>")
    second = place.client("juliet", "garden")
    second.iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    wait_until(lambda: any("urn:xmpp:ping" in line for line in ask.reader.lines))
    place.client("romeo").iq("get", "<ping xmlns='urn:xmpp:ping'/>")
    ask.reader.there = False
    watching.get(timeout=10)
    shown = "\n".join(ask.reader.lines)
    assert "> juliet@localhost/balcony <iq" in shown and "< juliet@localhost/balcony <iq" in shown
    assert "juliet@localhost/garden" in shown and "romeo" not in shown
    assert "<password>(secret)</password>" in shown and "hush" not in shown
    assert session.filters is None


@pytest.mark.parametrize("text", [
    "<auth mechanism='PLAIN'>hush</auth>", "<response xmlns='x'>hush</response>",
    "<field var='password' type='text-private'><value>hush</value></field>",
    "<field type='text-private' var='p'><required/><value>hush</value><value>2</value></field>",
    '<field var="new_password"><value>hush</value></field>', "<token token='hush'/>",
    "<fast xmlns='urn:xmpp:fast:0' token=\"hush\"/>", "<secret>hush</secret>"])
def test_secrets_are_taken_out(text):
    assert "hush" not in without_secrets(text) and "(secret)" in without_secrets(text)
    assert without_secrets("<body>hush</body>") == "<body>hush</body>"


@pytest.mark.slow
def test_the_log_and_events_are_shown_for_a_while(place, ask):
    root = logging.getLogger()
    handlers = len(root.handlers)
    watching = gevent.spawn(ask, "watch", "log", "info", "sonnet")
    wait_until(lambda: len(root.handlers) > handlers)
    logging.getLogger("mod_x").info("sonnet 18")
    logging.getLogger("mod_x").debug("sonnet 19")
    logging.getLogger("mod_x").info("limerick")
    wait_until(lambda: len(ask.reader.lines) > 1)
    ask.reader.there = False
    watching.get(timeout=10)
    assert ask.reader.lines[0] == "Looking on for 60 seconds; Ctrl-C ends it"
    assert len(ask.reader.lines) == 2 and ask.reader.lines[1].endswith("sonnet 18")
    assert len(root.handlers) == handlers
    events = place.server.hosts["localhost"].events
    ask.reader.lines.clear()
    ask.reader.there = True
    watching = gevent.spawn(ask, "watch", "events", "localhost", "presence/*")
    wait_until(lambda: events.wrapped)
    place.client("paris").available()
    wait_until(lambda: len(ask.reader.lines) > 1)
    ask.reader.there = False
    watching.get(timeout=10)
    assert "presence/initial (origin, stanza)" in ask.reader.lines and not events.wrapped
    ask.reader.there = True
    with pytest.raises(CommandError, match="from 1 to 3600"):
        ask("watch", "log", "info", "x", "9999")
    assert "in 1 seconds" in ask("watch", "log", "error", "nothing", "1")["text"]


def test_what_is_watched_is_never_offered_over_xmpp(place):
    streaming = {command.words for command in Registry.of(place.server).commands.values()
                 if command.streams}
    assert streaming == {("watch", "log"), ("watch", "stanzas"), ("watch", "events")}


def test_connections_of_a_host_are_ended(place, ask):
    juliet, other = place.client("juliet"), place.client("eve", host="second.example")
    assert "Ended" in ask("c2s", "closeall", "second.example", "Good", "night")["text"]
    assert other.closed_with() == "reset"
    assert juliet.iq("get", "<ping xmlns='urn:xmpp:ping'/>").attr["type"] == "result"


def test_timers_and_objects_are_counted(place, ask):
    module = place.server.modules.get_module("localhost", "ping")
    timer = module.add_timer(60, len)
    assert ["<Timer of mod_ping on localhost: len>", 1] in ask("debug", "timers")["rows"]
    timer.stop()
    assert len(ask("debug", "objects", "5")["rows"]) == 5


def test_who_was_not_here_for_long_is_listed(place, ask):
    place.user("ghost")
    place.client("paris")
    store = place.server.storage.open("localhost", "account_activity", "keyval")
    wait_until(lambda: store.get("paris"))
    assert ["ghost@localhost", "never"] in ask("user", "inactive", "localhost", "1")["rows"]
    assert dict(ask("user", "activity", "paris@localhost")["rows"])["last login"].endswith("Z")
    ask("user", "delete", "paris@localhost")
    assert store.get("paris") is None
    with pytest.raises(CommandError, match="There is no account"):
        ask("user", "activity", "paris@localhost")


def test_roles_are_given_and_taken(place, ask):
    place.user("tybalt")
    ask("user", "setrole", "tybalt@localhost", "prosody:admin")
    ask("user", "addrole", "tybalt@localhost", "prosody:member")
    assert ask("user", "role", "tybalt@localhost")["rows"] == [
        ["role", "prosody:admin"], ["further role", "prosody:member"]]
    assert ["account", "tybalt@localhost"] in ask(
        "role", "show", "localhost", "prosody:admin")["rows"]
    assert ask("role", "list", "localhost")["rows"][1][::2] == ["prosody:admin", 1]
    ask("user", "delrole", "tybalt@localhost", "prosody:member")
    with pytest.raises(CommandError, match="no further role"):
        ask("user", "delrole", "tybalt@localhost", "prosody:member")
    ask("user", "setrole", "tybalt@localhost", "prosody:user")
    assert ask("user", "role", "tybalt@localhost")["rows"] == [["role", "prosody:user"]]


def test_an_account_is_shown(place, ask):
    juliet = place.client("juliet", "hall")
    rows = ask("user", "show", "juliet@localhost")["rows"]
    assert ["resource", "hall"] in rows and ["ip", "127.0.0.1"] in rows
    juliet.iq("set", "<query xmlns='jabber:iq:roster'><item jid='r@x' name='R'/></query>")
    assert ask("roster", "show", "juliet@localhost")["rows"] == [["r@x", "R", "none", ""]]


def presences(client):
    return [(element.attr["from"], element.attr.get("type")) for element in client.flush()
            if element.name == "presence"]


def test_accounts_are_made_to_see_each_other_and_not_to(place, ask):
    hero, leander = place.client("hero").available(), place.client("leander").available()
    hero.iq("get", "<query xmlns='jabber:iq:roster'/>")
    ask("roster", "subscribe", "hero@localhost", "leander@localhost")
    assert ask("roster", "show", "hero@localhost")["rows"][0][2] == "to"
    assert ask("roster", "show", "leander@localhost")["rows"][0][2] == "from"
    push = hero.receive_until(lambda element: element.name == "iq")
    assert push.tags[0].tags[0].attr["jid"] == "leander@localhost"
    assert (leander.jid, None) in presences(hero) and presences(leander) == []
    ask("roster", "subscribe_both", "hero@localhost", "leander@localhost")
    for name in ("hero", "leander"):
        assert ask("roster", "show", f"{name}@localhost")["rows"][0][2] == "both"
    assert (hero.jid, None) in presences(leander)
    ask("roster", "unsubscribe", "hero@localhost", "leander@localhost")
    assert ask("roster", "show", "hero@localhost")["rows"][0][2] == "from"
    assert (leander.jid, "unavailable") in presences(hero)
    ask("roster", "unsubscribe_both", "hero@localhost", "leander@localhost")
    for name in ("hero", "leander"):
        assert ask("roster", "show", f"{name}@localhost")["rows"][0][2] == "none"
    with pytest.raises(CommandError, match="There is no account"):
        ask("roster", "subscribe", "hero@localhost", "nobody@localhost")


def test_tasks_of_modules_are_listed(place, ask):
    module = place.server.modules.get_module("localhost", "ping")
    task = module.hourly("Tidy up", lambda _task: None)
    place.server.modules.get_module("*", "cron").exports.run_due(
        place.server.modules.get_module("*", "cron"), 7200.0)
    rows = ask("cron", "tasks", "localhost")["rows"]
    assert ["localhost", "ping/tidy_up", "hourly"] in [row[:3] for row in rows]
    module.remove_item("task", task)
