"""mod_firewall of Debian: rules in a script of the administrator's, for what real clients send."""

from __future__ import annotations

import os

import pytest

from prosody_py.hosts.roster import RosterItem, commit, load_roster
from prosody_py.testing.client import wait_until

RULES = """
# comment
%ZONE friends: romeo@localhost, nurse@localhost
%LIST words: memory
%PATTERN word: [^%s%p]+
%SEARCH body: body#
%RATE slow: 0.03 (burst 100)
%LIST bad: file:{folder}/bad.txt (filter: lower)

::preroute

KIND: message
FROM: <tyb*>@localhost
TO: <*>@localhost
LOG=[warn] $<@from|bare> writes to $<@to> of type $(stanza.attr.type)
DROP.

KIND: presence
TYPE: subscribe
NOT FROM: romeo@localhost
BOUNCE=forbidden (No new friends)

KIND: message
TYPE: chat
JUMP_CHAIN=user/chat

KIND: iq
PAYLOAD: urn:example:limited
LIMIT: slow on $<@from|bare>
BOUNCE=policy-violation (Too fast)

::user/chat

INSPECT: body#~=%d%d%d
BOUNCE=not-acceptable

INSPECT: body#/=swap
REDIRECT=nurse@localhost

INSPECT: body#=copy
COPY=nurse@localhost

CHECK_LIST: bad contains $<@to|node>
BOUNCE=gone

SCAN: body for word in words
DROP.

INSPECT: body#~=^teach (%w+)$
ADD_TO=words $<body#>
RETURN.

INSPECT: subject
STRIP=subject
INJECT=<note xmlns='urn:example:note'>clean</note>

::deliver

KIND: message
SUBSCRIBED?
MARK_ORIGIN=friend

ORIGIN MARKED: friend
KIND: iq
PAYLOAD: urn:example:marked
BOUNCE=conflict (You are marked)

KIND: message
TO: locked@localhost
NOT IN ROSTER?
BOUNCE=registration-required

KIND: message
TO: answering@localhost
REPLY=I am away
DROP.

KIND: message
TO: forwarded@localhost
FORWARD=nurse@localhost
DROP.
"""


class Stage:
    """A server with a script of rules, and clients."""

    def __init__(self, start, folder, rules, **options):
        (folder / "bad.txt").write_text("mercutio\nparis\n")
        self.script = folder / "rules.pfw"
        self.script.write_text(rules.replace("{folder}", str(folder)))
        self.running = start("firewall", firewall_scripts=[str(self.script)], **options)

    def client(self, name):
        return self.running.client(name).available()


@pytest.fixture
def stage(start_debian, tmp_path):
    return lambda rules=RULES, **options: Stage(start_debian, tmp_path, rules, **options)


def say(client, to, body, more="", type="chat"):
    client.send(f"<message to='{to}' type='{type}' id='m1'><body>{body}</body>{more}</message>")
    return [element for element in client.flush() if element.name == "message"]


def heard(client):
    return [element.get_child_text("body") for element in client.flush()
            if element.name == "message"]


def condition(messages):
    (message,) = messages
    return message.get_error()[1]


def test_messages_are_dropped_and_noted_by_sender(stage, caplog):
    place = stage()
    juliet, tybalt = place.client("juliet"), place.client("tybalt")
    assert say(tybalt, juliet.jid, "x") == [] and heard(juliet) == []
    assert f"tybalt@localhost writes to {juliet.jid} of type chat" in caplog.text


def test_what_a_rule_bounces_comes_back_with_its_condition_and_text(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    juliet.send(f"<presence type='subscribe' to='{romeo.bare_jid}'/>")
    error = juliet.presence().get_error()
    assert error[:3] == ("auth", "forbidden", "No new friends")
    romeo.send(f"<presence type='subscribe' to='{juliet.bare_jid}'/>").flush()
    assert juliet.presence().attr["type"] == "subscribe"


def test_a_chain_of_the_users_is_jumped_to(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    assert condition(say(juliet, romeo.jid, "call 555 now")) == "not-acceptable"
    assert say(juliet, romeo.jid, "call 555 now", type="normal") == []
    assert heard(romeo) == ["call 555 now"]
    assert say(juliet, romeo.jid, "call") == [] and heard(romeo) == ["call"]


def test_messages_are_redirected_and_copied(stage):
    place = stage()
    juliet, romeo, nurse = (place.client(name) for name in ("juliet", "romeo", "nurse"))
    say(juliet, romeo.jid, "please swap it")
    assert heard(romeo) == [] and heard(nurse) == ["please swap it"]
    say(juliet, romeo.jid, "copy")
    assert heard(romeo) == ["copy"] and heard(nurse) == ["copy"]


def test_lists_are_asked_and_added_to(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    assert condition(say(juliet, "MERCUTIO@localhost", "hello")) == "gone"
    assert say(juliet, romeo.jid, "teach") == [] and heard(romeo) == ["teach"]
    say(juliet, romeo.jid, "teach rudeness")
    assert heard(romeo) == ["teach rudeness"]


def test_children_are_stripped_and_injected(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    say(juliet, romeo.jid, "hello", "<subject>old</subject>")
    message = romeo.message()
    assert message.get_child("subject") is None
    assert message.get_child_text("note", "urn:example:note") == "clean"


def test_a_rate_is_kept_for_each_sender(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")

    def ask(client):
        return client.iq("get", "<query xmlns='urn:example:limited'/>", "localhost").get_error()[1]

    assert [ask(juliet) for _ in range(5)] == ["service-unavailable"] * 3 + ["policy-violation"] * 2
    assert ask(romeo) == "service-unavailable"


def test_origins_are_marked_by_who_is_subscribed(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    marked = "<query xmlns='urn:example:marked'/>"
    assert romeo.iq("get", marked, "localhost").get_error()[1] == "service-unavailable"
    roster = load_roster(place.running.server, "juliet", "localhost")
    with roster.lock:
        commit(place.running.server, roster, "romeo@localhost", RosterItem("from"))
    say(romeo, juliet.jid, "hello")
    assert romeo.iq("get", marked, "localhost").get_error()[1:3] == ("conflict", "You are marked")
    assert juliet.iq("get", marked, "localhost").get_error()[1] == "service-unavailable"


def test_rules_know_the_roster_of_the_receiver(stage):
    place = stage()
    romeo, locked = place.client("romeo"), place.client("locked")
    assert condition(say(romeo, "locked@localhost", "x")) == "registration-required"
    roster = load_roster(place.running.server, "locked", "localhost")
    with roster.lock:
        commit(place.running.server, roster, "romeo@localhost", RosterItem("none"))
    assert say(romeo, "locked@localhost", "x") == [] and heard(locked) == ["x"]


def test_messages_are_answered_and_forwarded(stage):
    place = stage()
    romeo, nurse = place.client("romeo"), place.client("nurse")
    (answer,) = say(romeo, "answering@localhost", "x")
    assert answer.get_child_text("body") == "I am away"
    say(romeo, "forwarded@localhost", "for you")
    forwarded = nurse.message().get_child("forwarded", "urn:xmpp:forward:0")
    assert forwarded.tags[0].get_child_text("body") == "for you"


def test_a_script_that_has_changed_is_read_anew_with_the_configuration(stage):
    place = stage()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    place.script.write_text("::deliver\n\nKIND: message\nFROM: romeo@localhost\nDROP.\n")
    os.utime(place.script, (1000, 1000))
    place.running.server.reload_config()
    assert say(juliet, romeo.jid, "call 555 now") == []
    assert heard(romeo) == ["call 555 now"]
    assert say(romeo, juliet.jid, "x") == [] and heard(juliet) == []
    place.running.write_config(firewall_scripts=[])
    place.running.server.reload_config()
    say(romeo, juliet.jid, "x")
    assert heard(juliet) == ["x"]


def test_a_mistake_in_a_script_is_logged_with_its_line(stage, caplog):
    stage("::deliver\n\nCOLOUR: red\nDROP.\n")
    assert "Unknown condition on line 3: COLOUR" in caplog.text


def test_marks_of_users_outlive_their_sessions(stage):
    place = stage("::preroute\n\nINSPECT: body#=mark me\nMARK_USER=bad\nPASS.\n\n"
                  "::deliver\n\nUSER MARKED: bad\nKIND: message\nBOUNCE=forbidden\n",
                  firewall_experimental_user_marks=True)
    juliet, romeo = place.client("juliet"), place.client("romeo")
    assert say(juliet, romeo.jid, "hello") == []
    say(juliet, romeo.jid, "mark me")
    assert condition(say(juliet, romeo.jid, "hello")) == "forbidden"
    juliet.close()
    store = place.running.server.storage.open("localhost", "firewall_marks")
    wait_until(lambda: store.get("juliet"))
    again = place.client("juliet")
    assert condition(say(again, romeo.jid, "hello")) == "forbidden"
    assert heard(romeo) == ["hello"]


def test_the_scripts_that_come_with_the_module_can_be_used(stage):
    place = stage("::user/none\n\nDROP.\n")
    place.running.write_config(firewall_scripts=[
        f"module:scripts/{name}.pfw" for name in ("spam-blocking", "spam-strip-xhtml")])
    place.running.server.reload_config()
    juliet, romeo = place.client("juliet"), place.client("romeo")
    html = "<html xmlns='http://jabber.org/protocol/xhtml-im'/>"
    for to, names in ((romeo.jid, ["body", "html"]), (romeo.bare_jid, ["body"])):
        juliet.send(f"<message to='{to}' type='chat'><body>hello</body>{html}</message>")
        assert [tag.name for tag in romeo.message().tags] == names
