"""mod_addressing: XEP-0033."""

from __future__ import annotations

import pytest

from prosody_py.testing.people import kinds
from prosody_py.xmpp.builders import message, presence

XMLNS = "http://jabber.org/protocol/address"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["addressing"],
                     hosts={"localhost": {}, "second.example": {}}, addressing_max_receivers=21)
    yield running
    running.stop()


@pytest.fixture
def four(people):
    return [people.login(name) for name in ("sender", "one", "two", "three")]


def address(type, jid=None, **more):
    attr = {"type": type, "jid": jid, **more}
    return "<address" + "".join(f" {key}='{value}'" for key, value in attr.items()
                                if value is not None) + "/>"


def send(client, *addresses, name="message", type="", inside="<body>Hello</body>"):
    attr = f" type='{type}'" if type else ""
    client.send(f"<{name} to='localhost' id='i'{attr}><addresses xmlns='{XMLNS}'>"
                f"{''.join(addresses)}</addresses>{inside}</{name}>")
    return client.flush()


def header(stanza):
    found = stanza.get_child("addresses", XMLNS)
    return [(child.attr["type"], child.attr.get("jid"), child.attr.get("delivered"))
            for child in found.childtags("address")]


def messages(client):
    return [found for found in client.flush() if found.name == "message"]


def test_the_feature_is_announced(four):
    info = four[0].iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "localhost")
    assert XMLNS in {child.attr.get("var") for child in info.tags[0].tags}


def test_a_message_goes_to_all_whom_it_names(four):
    sender, one, two, three = four
    assert send(sender, address("to", one.jid, desc="One"), address("cc", two.bare_jid),
                address("bcc", three.jid), address("replyto", sender.jid),
                address("noreply")) == []
    seen = [("to", one.jid, "true"), ("cc", two.bare_jid, "true"), ("replyto", sender.jid, None),
            ("noreply", None, None)]
    for client in (one, two):
        (got,) = messages(client)
        assert header(got) == seen and got.get_child_text("body") == "Hello"
        assert got.attr["from"] == sender.jid and got.attr["to"] in (client.jid, client.bare_jid)
    (got,) = messages(three)
    assert header(got) == [*seen, ("bcc", three.jid, None)]
    assert got.get_child("addresses", XMLNS).tags[0].attr["desc"] == "One"


def test_nobody_gets_a_message_twice_or_what_was_delivered(four):
    sender, one, two, _three = four
    send(sender, address("to", one.jid), address("cc", one.jid),
         address("to", two.jid, delivered="true"))
    assert len(messages(one)) == 1 and messages(two) == []


def test_two_who_are_meant_blindly_do_not_see_each_other(four):
    sender, one, two, _three = four
    send(sender, address("bcc", one.jid), address("bcc", two.jid))
    for client in (one, two):
        assert header(messages(client)[0]) == [("bcc", client.jid, None)]


@pytest.mark.parametrize(("addresses", "condition"), [
    ([address("to", "one@localhost") for _ in range(22)], "not-acceptable"),
    ([address("to", uri="sip:one@localhost")], "jid-malformed"),
    ([address("to", "@")], "jid-malformed"), ([address("to")], "bad-request"),
    ([address("to", "a@b", uri="sip:a@b")], "bad-request"),
    ([address("to", uri="sip:a@b", node="x")], "bad-request"),
    ([address("someone", "a@b")], "bad-request"), (["<address jid='a@b'/>"], "bad-request")])
def test_what_is_wrong_goes_to_nobody(four, addresses, condition):
    sender, one, *_more = four
    (error,) = send(sender, address("to", one.jid), *addresses)
    assert error.get_error()[1] == condition and error.attr["id"] == "i"
    assert messages(one) == []


def test_what_names_nobody_is_left_to_others(four):
    sender = four[0]
    (error,) = send(sender, address("replyto", sender.jid))
    assert error.get_error()[1] == "service-unavailable"


def test_who_is_not_there_sends_an_error_of_the_own(four):
    sender, one, *_more = four
    (error,) = send(sender, address("to", "nobody@localhost"), address("to", one.jid))
    assert error.attr["from"] == "nobody@localhost" and len(messages(one)) == 1


class Peer:
    """A stream of another server."""

    type, host, full_jid = "s2sin", "elsewhere.example", None

    def __init__(self):
        self.got = []

    def send(self, element):
        self.got.append(element)


def relayed(server, *addresses):
    peer = Peer()
    element = message({"from": "eve@elsewhere.example/x", "to": "localhost"}, "Spam")
    head = element.tag("addresses", xmlns=XMLNS)
    for type, jid in addresses:
        head.tag("address", type=type, jid=jid).up()
    server.server.post_stanza(peer, element.reset())
    return [found.get_error()[1] for found in peer.got]


def test_nothing_is_relayed_for_other_servers(server, four):
    _sender, one, two, _three = four
    assert relayed(server, ("to", one.jid), ("cc", "x@second.example")) == ["forbidden"]
    assert messages(one) == []
    assert relayed(server, ("to", one.jid), ("bcc", two.jid)) == []
    assert len(messages(one)) == len(messages(two)) == 1


def test_guests_may_not_send_to_many(start_server):
    running = start_server(["addressing", "auth_anonymous"], authentication="anonymous")
    client = running.connect()
    client.open()
    client.sasl_auth("ANONYMOUS", b"")
    client.receive()
    client.open()
    client.bind()
    (error,) = send(client, address("to", client.jid))
    assert error.get_error()[1] == "forbidden"


# -- presence --------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["directed", "closed"])
def test_who_has_heard_of_the_beginning_hears_of_the_end(four, end):
    sender, one, two, _three = four
    assert send(sender, address("bcc", one.jid), address("to", two.jid), name="presence",
                inside="") == []
    assert kinds(one.flush()) == kinds(two.flush()) == [(sender.jid, None)]
    if end == "directed":
        sender.send("<presence type='unavailable' to='localhost'/>").flush()
    else:
        sender.close()
    for client in (one, two):
        assert client.presence().attr["type"] == "unavailable"
        assert kinds(client.flush()) == []


def test_the_end_may_name_receivers_too(four):
    sender, one, two, _three = four
    send(sender, address("to", one.jid), name="presence", inside="")
    one.flush()
    send(sender, address("to", two.jid), name="presence", type="unavailable", inside="")
    assert kinds(one.flush()) == kinds(two.flush()) == [(sender.jid, "unavailable")]


def test_subscriptions_do_not_go_to_many(four):
    sender, one, *_more = four
    (error,) = [found for found in send(sender, address("to", one.jid), name="presence",
                                        type="probe", inside="") if found.name == "presence"]
    assert error.get_error()[1] == "bad-request"
    assert kinds(one.flush()) == []


def test_the_end_is_told_over_a_reload_and_for_other_servers(server, four):
    one = four[1]
    begin = presence({"from": "eve@elsewhere.example/x", "to": "localhost"})
    begin.tag("addresses", xmlns=XMLNS).tag("address", type="to", jid=one.jid)
    server.server.post_stanza(Peer(), begin.reset())
    server.server.modules.reload("localhost", "addressing")
    server.server.post_stanza(Peer(), presence(
        {"from": "eve@elsewhere.example/x", "to": "localhost", "type": "unavailable"}))
    assert kinds(one.flush()) == [("eve@elsewhere.example/x", None),
                                  ("eve@elsewhere.example/x", "unavailable")]
    assert not server.server.modules.get_module("localhost", "addressing").told
