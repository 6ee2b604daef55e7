"""mod_external_services and mod_turn_external: XEP-0215."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.xmpp import stanza
from prosody_py.xmpp.datetime import parse_datetime

pytestmark = pytest.mark.twins("external_services", "turn_external")

VERSIONS = ("urn:xmpp:extdisco:2", "urn:xmpp:extdisco:1")
SERVICES = [
    {"type": "stun", "host": "stun.example", "port": 9998, "transport": "udp"},
    {"type": "ftp", "host": "ftp.example", "port": 20, "transport": "tcp",
     "username": "guest", "password": "guest"},
    {"type": "relay", "host": "r.example", "restricted": True, "password": "p", "username": "u"},
    {"type": "other", "host": "o.example", "secret": "hidden", "ttl": 600,
     "algorithm": "turn"},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), ["external_services"],
                     external_services=SERVICES)
    yield running
    running.stop()


@pytest.fixture
def romeo(people):
    return people.login("romeo")


def ask(client, name="services", inside="", xmlns=VERSIONS[0], **attr):
    more = "".join(f" {key}='{value}'" for key, value in attr.items())
    return client.iq("get", f"<{name} xmlns='{xmlns}'{more}>{inside}</{name}>", "localhost")


def services(answer):
    assert answer.attr["type"] == "result", str(answer)
    return [{name: value for name, value in child.attr.items() if name != "xmlns"}
            for child in answer.tags[0].childtags("service")]


def check(service, secret):
    """Check credentials as a TURN server does."""
    expires = service["username"].partition(":")[0]
    digest = hmac.new(secret.encode(), service["username"].encode(), hashlib.sha1).digest()
    assert service["password"] == base64.b64encode(digest).decode()
    assert int(expires) == parse_datetime(service["expires"])
    return int(expires) - time.time()


def test_both_versions_are_announced(romeo):
    info = romeo.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "localhost")
    assert set(VERSIONS) <= {child.attr.get("var") for child in info.tags[0].tags}


@pytest.mark.parametrize("xmlns", VERSIONS)
def test_all_services_are_told(romeo, xmlns):
    answer = ask(romeo, xmlns=xmlns)
    assert answer.tags[0].attr["xmlns"] == xmlns
    stun, ftp, relay, other = services(answer)
    assert stun == {"type": "stun", "host": "stun.example", "port": "9998", "transport": "udp"}
    assert ftp == {"type": "ftp", "host": "ftp.example", "port": "20", "transport": "tcp",
                   "username": "guest", "password": "guest", "restricted": "1"}
    assert relay["restricted"] == "1" and relay["password"] == "p"
    assert 500 < check(other, "hidden") <= 600
    assert "hidden" not in str(answer)


def test_services_of_one_type_are_told(romeo):
    assert [one["host"] for one in services(ask(romeo, type="stun"))] == ["stun.example"]
    assert services(ask(romeo, type="none")) == []


def test_credentials_are_given_by_type_and_host(romeo):
    answer = ask(romeo, "credentials", "<service type='other' host='o.example'/>")
    (service,) = services(answer)
    assert answer.tags[0].name == "credentials"
    assert check(service, "hidden") > 0


@pytest.mark.ours_alone("Debian's gives an empty list, or says nothing of the limit")
@pytest.mark.parametrize(("inside", "condition"), [
    ("", "bad-request"), ("<service type='other'/>", "bad-request"),
    ("<service host='o.example'/>", "bad-request"),
    ("<service type='other' host='o.example'/>" * 21, "policy-violation"),
    ("<service type='other' host='o.example' port='7'/>", "item-not-found"),
    ("<service type='other' host='x.example'/>", "item-not-found"),
    ("<service type='stun' host='stun.example'/>", "item-not-found")])
def test_wrong_requests_are_refused(romeo, inside, condition):
    assert ask(romeo, "credentials", inside).get_error()[1] == condition


def test_the_port_tells_services_of_one_host_apart(start_server):
    running = start_server(["turn_external"], turn_external_secret="s", turn_external_tls_port=5349,
                           turn_external_host="t.example")
    romeo = running.client("romeo")
    wanted = "<service type='turn' host='t.example' port='{}'/>"
    assert [one["port"] for one in services(ask(romeo, "credentials", wanted.format(3478)))] == [
        "3478"]


@pytest.mark.ours_alone("Debian's has other words for who may ask")
@pytest.mark.parametrize(("access", "answered"), [
    ([], False), (["other.example"], True), (["eve@other.example"], True)])
def test_others_may_ask_only_if_they_are_named(start_server, access, answered):
    running = start_server(["external_services"], external_services=SERVICES,
                           external_service_access=access,
                           components={"other.example": {"module": "muc_stub"}})
    got = []

    class Peer:
        type, host, full_jid = "s2sin", "other.example", None

        def send(self, element):
            got.append(element)

    request = stanza.Stanza("iq", {"type": "get", "id": "1", "to": "localhost",
                                   "from": "eve@other.example/x"})
    request.tag("services", xmlns=VERSIONS[0])
    running.server.post_stanza(Peer(), request)
    assert (got[0].attr["type"] == "result") is answered
    if not answered:
        assert got[0].get_error()[1] == "forbidden"


def test_modules_offer_services_and_change_the_answer(server, romeo):
    module = server.server.modules.get_module("localhost", "ping")
    item = {"type": "web", "host": "w.example"}
    asked = []

    def change(event):
        asked.append(event.requested_type)
        event.services[:] = event.services[:1]

    module.add_item("external_service", item)
    assert [one["host"] for one in services(ask(romeo, type="web"))] == ["w.example"]
    if server.server.modules.get_module("localhost", "external_services").code.language != "lua":
        module.hook("external_service/services", change)
        assert len(services(ask(romeo))) == 1 and asked == [None]
        module.unhook("external_service/services", change)
    module.remove_item("external_service", item)
    assert services(ask(romeo, type="web")) == []


@pytest.mark.ours_alone("Debian's tells no names, and has no credentials with names")
def test_a_service_has_a_name_and_credentials_may_have_one(start_server):
    running = start_server(["external_services"], external_services=[
        {"type": "turn", "name": "Relay", "username": "me", "secret": "hidden"}])
    (service,) = services(ask(running.client("romeo")))
    assert service["name"] == "Relay" and service["username"].endswith(":me")
    assert check(service, "hidden") > 0


@pytest.mark.ours_alone("Debian's makes no credentials with the common secret")
def test_what_a_service_does_not_say_comes_from_the_options(start_server):
    running = start_server(["external_services"], external_services=[
        {"type": "stun"}, {"type": "turn", "secret": True}], external_service_host="e.example",
        external_service_port=99, external_service_secret="shared")
    stun, turn = services(ask(running.client("romeo")))
    assert (stun["host"], stun["port"]) == ("e.example", "99")
    assert 86000 < check(turn, "shared") <= 86400


# -- mod_turn_external -----------------------------------------------------------------------


def test_a_turn_server_is_told_with_credentials(start_server):
    running = start_server(["turn_external"], turn_external_secret="tell no one",
                           turn_external_host="turn.example", turn_external_ttl=3600)
    stun, turn = services(ask(running.client("romeo")))
    assert stun == {"type": "stun", "host": "turn.example", "port": "3478", "transport": "udp"}
    assert (turn["type"], turn["host"], turn["port"]) == ("turn", "turn.example", "3478")
    assert turn["transport"] == "udp" and 3500 < check(turn, "tell no one") <= 3600


def test_tcp_and_tls_are_told_if_they_are_there(start_server):
    running = start_server(["turn_external"], turn_external_secret="s", turn_external_port=3479,
                           turn_external_tcp=True, turn_external_tls_port=5349)
    found = {(one["type"], one["transport"], one["port"])
             for one in services(ask(running.client("romeo")))}
    assert {("turn", "udp", "3479"), ("turn", "tcp", "3479"), ("turns", "tcp", "5349")} <= found
    assert {one["host"] for one in services(ask(running.clients[-1]))} == {"localhost"}


@pytest.mark.ours_alone("Debian's loads, and offers nothing")
def test_without_a_secret_there_is_no_module(start_server):
    with pytest.raises(LoadError, match="turn_external_secret"):
        start_server().server.modules.load("localhost", "turn_external")
