"""slixmpp, a client library of others, against the server as a process of its own."""

from __future__ import annotations

import asyncio

import pytest

from tests.clients import talker
from tests.clients.talker import serve, talk, until

pytestmark = pytest.mark.slow
MESSAGES = 100
OPTIONS = {
    "c2s_direct_tls_ports": [0], "c2s_direct_tls_interfaces": ["127.0.0.2"],
    "modules_enabled": ["saslauth", "tls", "roster", "ping", "disco", "blocklist", "register",
                        "carbons", "mam", "smacks", "csi_simple"],
    "allow_registration": True,
}


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """Start the server; return service -> (interface, port)."""
    with serve(tmp_path_factory.mktemp("server"), **OPTIONS) as ports:
        yield ports


class Talker(talker.Talker):
    """A client that remembers what comes."""

    def __init__(self, name, resource="r"):
        super().__init__(name, resource, (77, 191, 199))
        self.bodies, self.presences = [], []
        self.add_event_handler("message", lambda message: self.bodies.append(message["body"]))
        self.add_event_handler("presence_available",
                               lambda presence: self.presences.append(presence["from"].full))


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct tls"])
def test_two_clients_chat_both_ways(ports, direct):
    async def chat():
        juliet = await Talker("juliet").log_in(ports, direct)
        romeo = await Talker("romeo").log_in(ports, direct)
        for number in range(MESSAGES):
            juliet.send_message("romeo@localhost/r", f"to romeo {number}", mtype="chat")
            romeo.send_message("juliet@localhost", f"to juliet {number}", mtype="chat")
        await until(lambda: len(juliet.bodies) >= MESSAGES and len(romeo.bodies) >= MESSAGES)
        assert romeo.bodies == [f"to romeo {number}" for number in range(MESSAGES)]
        assert juliet.bodies == [f"to juliet {number}" for number in range(MESSAGES)]
        assert await juliet.plugin["xep_0199"].ping("localhost", timeout=5) < 5
        for client in (juliet, romeo):
            await client.disconnect()
    talk(chat())


def test_a_subscription_makes_contacts_see_each_other(ports):
    async def subscribe():
        juliet = await Talker("juliet").log_in(ports, False)
        romeo = await Talker("romeo").log_in(ports, True)
        romeo.send_presence_subscription("juliet@localhost")  # both accept what they are asked
        await until(lambda: romeo.client_roster["juliet@localhost"]["subscription"] == "both"
                    and juliet.client_roster["romeo@localhost"]["subscription"] == "both")
        await until(lambda: "juliet@localhost/r" in romeo.presences)
        await until(lambda: "romeo@localhost/r" in juliet.presences)
        await juliet.disconnect()
        again = await Talker("juliet", "again").log_in(ports, False)
        await until(lambda: "juliet@localhost/again" in romeo.presences)
        assert again.client_roster["romeo@localhost"]["subscription"] == "both"
        for client in (again, romeo):
            await client.disconnect()
    talk(subscribe())


def test_copies_and_the_archive(ports):
    async def read():
        juliet = await Talker("juliet").log_in(ports, False)
        romeo = await Talker("romeo").log_in(ports, True)
        desk = await Talker("juliet", "desk").log_in(ports, True)
        copies = []
        for client in (juliet, romeo, desk):
            for plugin in ("xep_0280", "xep_0313"):
                client.register_plugin(plugin)
        for kind, event in (("received", "carbon_received"), ("sent", "carbon_sent")):
            desk.add_event_handler(event, lambda message, kind=kind: copies.append(
                (kind, message[f"carbon_{kind}"]["body"])))
        await desk.plugin["xep_0280"].enable()
        metadata = await juliet.plugin["xep_0313"].get_archive_metadata()
        since = metadata["mam_metadata"]["end"]["id"]
        for number in range(60):
            romeo.send_message("juliet@localhost/r", f"line {number}", mtype="chat")
        await until(lambda: len(juliet.bodies) >= 60)
        juliet.send_message("romeo@localhost/r", "answer", mtype="chat")
        lines = [f"line {number}" for number in range(60)]
        await until(lambda: len(copies) == 61)
        assert copies == [*(("received", line) for line in lines), ("sent", "answer")]
        archive = juliet.plugin["xep_0313"].iterate(with_jid="romeo@localhost", rsm={"max": 25})
        found = [message["mam_result"]["forwarded"]["stanza"]["body"] async for message in archive]
        assert found[-61:] == [*lines, "answer"]
        answer = await juliet.plugin["xep_0313"].retrieve(rsm={"max": 20, "after": since})
        pages = [message["mam_result"]["forwarded"]["stanza"]["body"]
                 for message in answer["mam"]["results"]]
        assert pages == (lines[:20] if since else found[:20])
        for client in (juliet, romeo, desk):
            await client.disconnect()
    talk(read())


def test_a_stream_is_resumed_with_what_was_missed(ports):
    async def lose_and_resume():
        juliet, romeo = Talker("juliet", "phone"), await Talker("romeo").log_in(ports, False)
        resumed = asyncio.get_running_loop().create_future()
        juliet.register_plugin("xep_0198", {"window": 1})
        juliet.register_plugin("xep_0352")
        juliet.add_event_handler("session_resumed", resumed.set_result)
        await juliet.log_in(ports, False)
        juliet["xep_0352"].send_inactive()
        for number in range(MESSAGES):
            juliet.send_message("romeo@localhost/r", str(number), mtype="chat")
            if number == MESSAGES // 2:
                await until(lambda: len(romeo.bodies) > MESSAGES // 4)
                juliet.transport.abort()
                for missed in range(MESSAGES):
                    romeo.send_message("juliet@localhost/phone", str(missed), mtype="chat")
                await asyncio.sleep(0.1)
                juliet.connect(*ports["c2s"])
                await asyncio.wait_for(resumed, 10)
        await until(lambda: len(juliet.bodies) >= MESSAGES and len(romeo.bodies) >= MESSAGES)
        juliet["xep_0198"].request_ack()
        await until(lambda: not juliet["xep_0198"].unacked_queue)
        assert romeo.bodies == juliet.bodies == [str(number) for number in range(MESSAGES)]
        for client in (juliet, romeo):
            await client.disconnect()
    talk(lose_and_resume())


def test_a_wrong_password_is_refused(ports):
    async def fail():
        client = Talker("juliet")
        client.password = "wrong"
        with pytest.raises(AssertionError, match="login failed"):
            await client.log_in(ports, False)
        client.abort()
    talk(fail())


def test_who_is_blocked_is_not_heard(ports):
    async def block():
        juliet = await Talker("juliet").log_in(ports, False)
        romeo = await Talker("romeo").log_in(ports, False)
        pushed = []
        juliet.add_event_handler("blocked", lambda iq: pushed.append("blocked"))
        juliet.add_event_handler("unblocked", lambda iq: pushed.append("unblocked"))
        plugin = juliet.plugin["xep_0191"]
        assert not (await plugin.get_blocked())["blocklist"]["items"]
        await plugin.block("romeo@localhost")
        found = (await plugin.get_blocked())["blocklist"]["items"]
        assert {item["jid"] for item in found} == {"romeo@localhost"}
        refused = asyncio.get_running_loop().create_future()
        romeo.add_event_handler("message_error", refused.set_result)
        romeo.send_message("juliet@localhost/r", "hark", mtype="chat")
        error = await asyncio.wait_for(refused, 10)
        assert error["error"]["condition"] == "service-unavailable" and juliet.bodies == []
        await plugin.unblock("romeo@localhost")
        romeo.send_message("juliet@localhost/r", "again", mtype="chat")
        await until(lambda: juliet.bodies == ["again"])
        assert pushed == ["blocked", "unblocked"]
        for client in (juliet, romeo):
            await client.disconnect()
    talk(block())


def test_an_account_is_made_changed_and_removed(ports):
    async def register():
        nurse = Talker("nurse")

        async def sign_up(form):
            query = nurse.Iq()
            query["type"], query["register"]["username"] = "set", "nurse"
            query["register"]["password"] = "secret"
            assert "username" in form["register"]["fields"]
            await query.send(timeout=5)

        nurse.add_event_handler("register", sign_up)
        await nurse.log_in(ports, False)
        plugin = nurse.plugin["xep_0077"]
        known = await plugin.get_registration("localhost")
        assert known["register"]["registered"] and known["register"]["username"] == "nurse"
        await plugin.change_password("changed", "localhost")
        again = Talker("nurse", "again")
        again.password = "changed"
        await again.log_in(ports, False)
        gone = asyncio.get_running_loop().create_future()
        again.add_event_handler("disconnected", lambda _event: gone.done() or gone.set_result(1))
        await plugin.cancel_registration()
        await asyncio.wait_for(gone, 10)
        again.abort()
        nurse.abort()
    talk(register())
