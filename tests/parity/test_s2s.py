"""Debian's mod_s2s, mod_dialback and mod_tls: two of our servers speak with each other."""

from __future__ import annotations

import os
import socket

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def addresses():
    """Two addresses of this machine, which are the domains too, on which no one else listens.

    Port 5269 is where servers look for a domain that is an address.
    """
    pid = os.getpid()
    found = [f"127.{pid >> 8 & 127 | 1}.{pid & 255}.{number}" for number in (1, 2, 3)]
    try:
        for address in found:
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, 5269))
    except OSError as error:
        pytest.skip(f"port 5269 of {found} cannot be had: {error}")
    return found


@pytest.fixture
def start(start_server, debian_module, tmp_path, guarded, kind):
    names = ("s2s", "dialback", "s2s_auth_certs", "tls")
    for folder, found in (("encrypted", names), ("plain", names[:-1])):
        (tmp_path / folder).mkdir()
        for name in found:
            (tmp_path / folder / f"mod_{name}.lua").symlink_to(debian_module(name))

    def start_on(address, encrypted=False, **options):
        folder = tmp_path / ("encrypted" if encrypted else "plain")
        return start_server(["s2s", "dialback", "s2s_auth_certs"], plugin_paths=[str(folder)],
                            lua_runtime=kind, interfaces=[address],
                            s2s_interfaces=[address], s2s_ports=[5269],
                            hosts={address: {}}, s2s_require_encryption=encrypted,
                            s2s_secure_auth=False, lua_time_limit="10 seconds", **options)

    return start_on


@pytest.fixture(params=["lua54", "luajit21"])
def kind(request):
    return request.param


@pytest.mark.parametrize("encrypted", [False, True])
def test_messages_go_both_ways_after_dialback(start, addresses, caplog, encrypted):
    first, second, _nobody = addresses
    one, two = start(first, encrypted), start(second, encrypted)
    romeo = one.client("romeo", "r", host=first).available()
    juliet = two.client("juliet", "j", host=second).available()
    for number in range(20):
        romeo.send(f"<message to='{juliet.jid}' type='chat' id='m{number}'>"
                   f"<body>{number}</body></message>")
    for number in range(20):
        message = juliet.message()
        assert message.attr["from"] == romeo.jid
        assert message.get_child_text("body") == str(number)
    juliet.send(f"<message to='{romeo.jid}' type='chat' id='back'><body>ay</body></message>")
    assert romeo.message().get_child_text("body") == "ay"
    assert romeo.iq("get", "<ping xmlns='urn:xmpp:ping'/>", to=second).attr["type"] == "result"
    assert list(one.server.hosts[first].s2sout) == [second]
    assert one.server.hosts[first].s2sout[second].get("secure") == (encrypted or None)
    two.server.modules.unload("*", "s2s")  # says goodbye on its streams
    romeo.flush()
    assert "Error in" not in caplog.text


def test_what_cannot_be_delivered_comes_back(start, addresses):
    first, _second, nobody = addresses
    romeo = start(first).client("romeo", "r", host=first).available()
    romeo.send(f"<message to='juliet@{nobody}' type='chat' id='lost'><body>?</body></message>")
    answer = romeo.message()
    assert (answer.attr["id"], answer.attr["type"]) == ("lost", "error")
    assert answer.get_child("error").tags[0].name == "remote-server-not-found"


def test_presence_and_a_subscription_cross(start, addresses):
    first, second, _nobody = addresses
    one, two = start(first), start(second)
    romeo = one.client("romeo", "r", host=first).available()
    juliet = two.client("juliet", "j", host=second).available()
    romeo.send(f"<presence to='juliet@{second}' type='subscribe'/>")
    asked = juliet.receive_until(lambda element: element.attr.get("type") == "subscribe")
    assert asked.attr["from"] == f"romeo@{first}"
    juliet.send(f"<presence to='romeo@{first}' type='subscribed'/>")
    seen = romeo.receive_until(lambda element: element.attr.get("from") == juliet.jid)
    assert seen.name == "presence" and seen.attr.get("type") is None
