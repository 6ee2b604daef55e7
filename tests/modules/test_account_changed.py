"""Who has begun to log in when the account changes is not let in by what it was before."""

from __future__ import annotations

import base64

import pytest

from prosody_py.api import roles
from prosody_py.hosts import users
from prosody_py.testing.client import Closed
from prosody_py.testing.sasl2 import XMLNS, Scram, connect, encode
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamClose

CHANGES = {
    "password": lambda server: users.set_password(server, "juliet", "new", "localhost"),
    "disabled": lambda server: users.set_enabled(server, "juliet", "localhost", False),
    "deleted": lambda server: users.delete_user(server, "juliet", "localhost"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["sasl2_bind2", "sasl2_fast", "smacks"])
    yield running
    running.stop()


@pytest.fixture(params=CHANGES)
def change(request, server):
    """Return what changes the account of juliet, which is as new."""
    if users.user_exists(server.server, "juliet", "localhost"):
        users.delete_user(server.server, "juliet", "localhost")
    server.user("juliet")
    return lambda: CHANGES[request.param](server.server)


def test_an_exchange_that_has_begun_fails(server, change):
    client = server.connect()
    client.open()
    scram = Scram("juliet", "secret", "SCRAM-SHA-1")
    client.sasl_auth("SCRAM-SHA-1", scram.first().encode())
    final = scram.final(base64.b64decode(client.receive().get_text()))
    change()
    client.send(f"<response xmlns='{ns.SASL}'>{encode(final)}</response>")
    answer = client.receive()
    assert answer.name == "failure", str(answer)


def test_an_exchange_of_sasl_2_that_has_begun_fails(server, change):
    client = connect(server)
    scram = Scram("juliet", "secret", "SCRAM-SHA-1")
    client.send(f"<authenticate xmlns='{XMLNS}' mechanism='SCRAM-SHA-1'><initial-response>"
                f"{encode(scram.first())}</initial-response></authenticate>")
    final = scram.final(base64.b64decode(client.receive().get_text()))
    change()
    client.send(f"<response xmlns='{XMLNS}'>{encode(final)}</response>")
    answer = client.receive()
    assert answer.name == "failure", str(answer)


def unbound(server):
    client = server.connect()
    client.open()
    client.authenticate("juliet", "secret")
    client.open()
    return client


def test_a_stream_without_a_resource_ends(server, change):
    client = unbound(server)
    change()
    ends(client)


def test_a_stream_without_a_resource_does_not_keep_a_role(server):
    server.user("juliet")
    roles.set_user_role(server.server, "juliet", "localhost", "prosody:admin")
    client = unbound(server)
    roles.set_user_role(server.server, "juliet", "localhost", "prosody:registered")
    ends(client)


def ends(client):
    """Assert that nothing can be done on a stream any more."""
    client.send(f"<iq type='set' id='b'><bind xmlns='{ns.BIND}'/></iq>")
    with pytest.raises(Closed):
        while not isinstance(element := client.receive(), StreamClose):
            assert element.name != "iq", str(element)
        raise Closed
