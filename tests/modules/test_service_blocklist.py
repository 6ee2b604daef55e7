"""mod_service_blocklist: addresses that a host or a component has nothing to do with."""

from __future__ import annotations

import pytest

from prosody_py.api import CommandError
from prosody_py.testing.adhoc import run, step, values
from prosody_py.testing.people import kinds

ROOMS, ROOM = "rooms.localhost", "hall@rooms.localhost"
MUC = "<x xmlns='http://jabber.org/protocol/muc'/>"
EDIT = "http://jabber.org/protocol/admin#edit-blacklist"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(
        tmp_path_factory.mktemp("server"), ["service_blocklist", "adhoc", "admin_adhoc"],
        hosts={"localhost": {"admins": ["root@localhost"]}, "far.example": {}},
        components={ROOMS: {"module": "muc", "restrict_room_creation": False,
                            "muc_room_locking": False, "admins": ["root@localhost"],
                            "modules_enabled": ["service_blocklist", "adhoc", "admin_adhoc"]}})
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def empty(server):
    yield
    for host in ("localhost", ROOMS):
        for address, _since in server.command("service_blocklist", "list", host)["rows"]:
            server.command("service_blocklist", "remove", host, address)


@pytest.fixture
def iago(people):
    return people.login("iago", host="far.example")


def ask(client, to):
    client.send(f"<iq type='get' id='q' to='{to}'><ping xmlns='urn:xmpp:ping'/></iq>")
    found = [element for element in client.flush() if element.attr.get("id") == "q"]
    return [element.get_error()[1] if element.attr["type"] == "error" else "result"
            for element in found]


def say(client, to, type="chat"):
    client.send(f"<message to='{to}' type='{type}'><body>!</body></message>")
    return [element.get_error()[1] for element in client.flush()
            if element.name == "message" and element.attr["type"] == "error"]


def heard(client):
    return [element.attr["from"] for element in client.flush()
            if element.name == "message" and element.get_child("body") is not None]


@pytest.mark.parametrize("listed", ["{bare}", "{host}", "{full}", "{host}/r"])
def test_a_host_has_nothing_to_do_with_what_is_listed(people, server, iago, listed):
    juliet, other = people.login("juliet"), people.login("other", "x", host="far.example")
    people.befriend("juliet", "romeo")
    address = listed.format(bare=iago.bare_jid, host="far.example", full=iago.jid)
    server.command("service_blocklist", "add", "localhost", address)
    for to in (juliet.jid, juliet.bare_jid):
        assert say(iago, to) == ["forbidden"]
        iago.send(f"<presence to='{to}'/>")
        iago.send(f"<presence to='{to}' type='subscribe'/>")
    assert ask(iago, "localhost") == ["forbidden"]
    assert heard(juliet) == [] and kinds(juliet.flush()) == []
    assert say(juliet, iago.jid) == ["not-acceptable"]
    juliet.send(f"<presence to='{iago.jid}'/>").flush()
    assert heard(iago) == []
    if listed != "{host}":  # others are not meant
        assert say(other, juliet.jid) == [] and heard(juliet) == [other.jid]
    server.command("service_blocklist", "remove", "localhost", address)
    assert say(iago, juliet.jid) == [] and heard(juliet) == [iago.jid]


def test_contacts_do_not_see_each_other(people, server, iago):
    juliet = people.login("juliet")
    people.set("juliet", iago.bare_jid, "both")
    people.set("iago", juliet.bare_jid, "both", host="far.example")
    server.command("service_blocklist", "add", "localhost", "far.example")
    juliet.send("<presence><show>away</show></presence>").flush()
    iago.send("<presence><show>dnd</show></presence>").flush()
    assert [sender for sender, _type in kinds(iago.flush()) if sender == juliet.jid] == []
    assert kinds(juliet.flush()) == []


def test_a_component_is_left_and_cannot_be_entered(people, server):
    juliet, iago = people.login("juliet"), people.login("iago")
    for client in (juliet, iago):
        client.send(f"<presence to='{ROOM}/{client.bare_jid}'>{MUC}</presence>").flush()
    juliet.flush()
    server.command("service_blocklist", "add", ROOMS, iago.bare_jid)
    assert (f"{ROOM}/{iago.bare_jid}", "unavailable") in kinds(juliet.flush())
    iago.flush()
    assert say(iago, ROOM, "groupchat") == ["forbidden"]
    iago.send(f"<presence to='{ROOM}/again'>{MUC}</presence>")
    (refused,) = [element for element in iago.flush() if element.name == "presence"]
    assert refused.get_error()[1] == "forbidden"
    juliet.send(f"<message to='{ROOM}' type='groupchat'><body>!</body></message>")
    assert heard(juliet) == [f"{ROOM}/{juliet.bare_jid}"] and heard(iago) == []
    assert say(iago, juliet.jid) == []  # the host has another list


@pytest.mark.parametrize(("address", "condition"), [
    ("a b@", "jid-malformed"), ("juliet@localhost", "not-allowed"), ("localhost", "not-allowed"),
    ("far.example", "conflict"), ("one.example", "resource-constraint")])
def test_what_cannot_be_listed(server, monkeypatch, address, condition):
    server.command("service_blocklist", "add", "localhost", "far.example")
    module = server.server.modules.get_module("localhost", "service_blocklist")
    monkeypatch.setattr(module.options, "service_blocklist_max_items", 1)
    with pytest.raises(CommandError) as caught:
        server.command("service_blocklist", "add", "localhost", address)
    assert caught.value.condition == condition


def test_the_list_outlives_a_reload(people, server, iago):
    server.command("service_blocklist", "add", "localhost", "far.example")
    server.server.modules.reload("localhost", "service_blocklist")
    assert ask(iago, "localhost") == ["forbidden"]


def test_administrators_edit_it_in_a_form(people, server, iago):
    root = server.client("root")
    server.command("service_blocklist", "add", "localhost", "old.example")
    assert values(step(root, EDIT).tags[0])["blacklistjids"] == ["old.example"]
    run(root, EDIT, {"blacklistjids": ["far.example", "localhost"]})
    assert [row[0] for row in server.command("service_blocklist", "list", "localhost")[
        "rows"]] == ["far.example"]
    assert ask(iago, "localhost") == ["forbidden"]
    run(root, EDIT, {"blacklistjids": []})
    assert ask(iago, "localhost") == ["result"]


def test_nobody_locks_the_own_address_out(server):
    root = server.client("root")
    for listed in (["localhost"], ["root@localhost"], [root.jid]):
        run(root, EDIT, {"blacklistjids": listed}, to=ROOMS)
    assert server.command("service_blocklist", "list", ROOMS)["rows"] == []
    run(root, EDIT, {"blacklistjids": ["far.example"]}, to=ROOMS)
    assert len(server.command("service_blocklist", "list", ROOMS)["rows"]) == 1
