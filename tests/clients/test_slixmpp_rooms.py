"""slixmpp's own plugins for rooms (XEP-0045, 0249, 0410, 0421, 0425) against the server."""

from __future__ import annotations

import asyncio

import pytest
import slixmpp
from slixmpp.exceptions import IqError, PresenceError
from slixmpp.plugins.xep_0410.self_ping import PingStatus

from tests.clients.talker import Talker, serve, until

pytestmark = pytest.mark.slow
HOST, HALL = "rooms.localhost", "hall@rooms.localhost"
OPTIONS = {
    "modules_enabled": ["saslauth", "tls", "roster", "ping", "disco"],
    "components": {HOST: {"module": "muc", "modules_enabled": ["muc_moderation"]}},
}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Start the server; return where clients connect."""
    with serve(tmp_path_factory.mktemp("server"), **OPTIONS) as ports:
        yield ports


class Guest(Talker):
    """A client with slixmpp's plugins for rooms."""

    def __init__(self, name):
        self.said, self.invited = [], []
        super().__init__(name, plugins=(30, 45, 199, 249, 359, 410, 421, 424, 425), kept={
            "groupchat_message": self.said, "groupchat_invite": self.invited})
        self.muc = self["xep_0045"]


async def two_guests(port, room):
    """Log in, make a room, and enter it."""
    juliet, romeo = await Guest("juliet").log_in(port), await Guest("romeo").log_in(port)
    await juliet.muc.join_muc_wait(room, "Jule", maxstanzas=0, timeout=10)
    form = await juliet.muc.get_room_config(room)
    form["type"] = "submit"
    form["values"] = {"FORM_TYPE": "http://jabber.org/protocol/muc#roomconfig",
                      "muc#roomconfig_roomname": "The hall"}
    await juliet.muc.set_room_config(room, form)
    joined = await romeo.muc.join_muc_wait(room, "Romeo", timeout=10)
    await until(lambda: "Romeo" in juliet.muc.get_roster(room))
    return juliet, romeo, joined


def run(test, port, room):
    async def work():
        juliet, romeo, joined = await two_guests(port, room)
        await test(juliet, romeo, joined)
        for client in (juliet, romeo):
            await client.disconnect()

    with asyncio.Runner() as runner:
        runner.run(work())


def test_two_clients_meet_and_talk(port):
    async def talk(juliet, romeo, joined):
        own, subject, occupants, _history = joined
        assert [one["muc"]["nick"] for one in occupants] == ["Jule", "Romeo"]
        assert own["muc"]["role"] == "participant" and not subject["subject"]
        for number in range(50):
            juliet.send_message(HALL, f"line {number}", mtype="groupchat")
        await until(lambda: len(romeo.said) >= 50 and len(juliet.said) >= 50)
        assert [one["body"] for one in romeo.said] == [f"line {number}" for number in range(50)]
        assert romeo.said[0]["mucnick"] == "Jule" and romeo.said[0]["occupant-id"]["id"]
        assert romeo.muc.get_jid_property(HALL, "Jule", "role") == "moderator"
        assert juliet.muc.get_jid_property(HALL, "Romeo", "jid") == "romeo@localhost/r"
        info = await romeo["xep_0030"].get_info(HALL)
        assert "muc_public" in info["disco_info"]["features"]
        items = await romeo["xep_0030"].get_items(HOST)
        assert (HALL, None, "The hall") in items["disco_items"]["items"]
        ping = romeo["xep_0410"].send_self_ping
        assert await ping(slixmpp.JID(f"{HALL}/Romeo")) is PingStatus.JOINED
        assert await ping(slixmpp.JID(f"nowhere@{HOST}/Romeo")) is PingStatus.DISCONNECTED

    run(talk, port, HALL)


def test_affiliations_roles_and_kicks(port):
    room = f"lists@{HOST}"

    async def rule(juliet, romeo, _joined):
        await juliet.muc.set_affiliation(room, "member", jid="romeo@localhost")
        assert await juliet.muc.get_affiliation_list(room, "member") == ["romeo@localhost"]
        await juliet.muc.set_role(room, "Romeo", "moderator")
        assert set(await juliet.muc.get_roles_list(room, "moderator")) == {"Jule", "Romeo"}
        with pytest.raises(IqError) as refused:
            await romeo.muc.set_affiliation(room, "owner", jid="romeo@localhost")
        assert refused.value.condition == "forbidden"
        await juliet.muc.set_affiliation(room, "outcast", jid="romeo@localhost")
        await until(lambda: "Romeo" not in juliet.muc.get_roster(room))
        with pytest.raises(PresenceError) as banned:
            await romeo.muc.join_muc_wait(room, "Romeo", timeout=10)
        assert banned.value.condition == "forbidden"

    run(rule, port, room)


def test_invitations_and_the_end(port):
    room = f"end@{HOST}"

    async def invite(juliet, romeo, _joined):
        romeo.muc.leave_muc(room, "Romeo")
        await until(lambda: "Romeo" not in juliet.muc.get_roster(room))
        juliet.muc.invite(room, "romeo@localhost", reason="come")
        await until(lambda: romeo.invited)
        assert romeo.invited[0]["from"] == room
        await juliet.muc.destroy(room, reason="over")
        own = (await romeo.muc.join_muc_wait(room, "Romeo", timeout=10))[0]
        assert 201 in own["muc"]["status_codes"]

    run(invite, port, room)


def test_a_moderator_takes_back_what_was_said(port):
    room = f"moderated@{HOST}"

    async def moderate(juliet, romeo, _joined):
        romeo.send_message(room, "a rude word", mtype="groupchat")
        await until(lambda: any(one["body"] for one in juliet.said))
        id = next(one for one in juliet.said if one["body"])["stanza_id"]["id"]
        told = []
        romeo.add_event_handler("moderated_message", told.append)
        await juliet["xep_0425"].moderate(slixmpp.JID(room), id, reason="rude")
        await until(lambda: told)
        assert told[0]["retract"]["id"] == id
        assert told[0]["retract"]["moderated"]["by"] == f"{room}/Jule"

    run(moderate, port, room)
