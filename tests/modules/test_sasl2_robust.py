"""Whatever clients send while they log in with SASL 2: nobody gets in who should not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.testing.client import Closed
from prosody_py.testing.sasl2 import AGENT, BIND, FAST, SM, XMLNS, connect, encode
from prosody_py.xmpp import ns
from prosody_py.xmpp.parser import StreamClose
from prosody_py.xmpp.stanza import Stanza

NAMES = st.sampled_from(["authenticate", "response", "abort", "next", "task-data", "success",
                         "initial-response", "x"])
MECHANISMS = st.sampled_from(["PLAIN", "SCRAM-SHA-1", "HT-SHA-256-NONE", "EXTERNAL", "", "X"])
MESSAGES = st.sampled_from([
    "", encode("n,,n=juliet,r=abc"), encode("\0juliet\0wrong"), encode("juliet\0" + "x" * 32),
    encode("c=biws,r=abc,p=YWJj"), encode(b"\xff\0\0"), "%", "=",
    " " + encode("n,,n=a,r=b") + "\n"])
INLINE = st.sampled_from([
    "", f"<bind xmlns='{BIND}'/>", f"<bind xmlns='{BIND}'><tag/><enable xmlns='{SM}'/></bind>",
    f"<resume xmlns='{SM}' previd='x' h='0'/>", f"<fast xmlns='{FAST}'/>",
    f"<fast xmlns='{FAST}' count='1' invalidate='1'/>", f"<request-token xmlns='{FAST}'/>",
    f"<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>", f"<user-agent id='{AGENT}'/>",
    "<user-agent/>", "<user-agent id=''/>", "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'/>",
    "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>",
    "<hash xmlns='urn:xmpp:scram-upgrade:0'>eA==</hash>", "<initial-response/>"])


@st.composite
def elements(draw):
    """Return an element, as XML."""
    name, message = draw(NAMES), draw(MESSAGES)
    inside = "".join(draw(st.lists(INLINE, max_size=3)))
    if name == "authenticate":
        inside = f"<initial-response>{message}</initial-response>{inside}"
    elif name in ("response", "initial-response"):
        inside = message + inside
    return (f"<{name} xmlns='{draw(st.sampled_from([XMLNS, XMLNS, XMLNS, ns.SASL, 'urn:x']))}' "
            f"mechanism='{draw(MECHANISMS)}' task='UPGR-SCRAM-SHA-256'>{inside}</{name}>")


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    running = launch(tmp_path_factory.mktemp("server"), [
        "sasl2_bind2", "sasl2_fast", "sasl2_sm", "sasl2_upgrade", "client_management", "csi"],
        password_hashes=["SHA-1"])
    running.user("juliet")
    yield running
    running.stop()


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(elements(), min_size=1, max_size=6))
def test_nobody_gets_in_without_a_password(server, caplog, said):
    caplog.clear()
    client = connect(server)
    answers = []
    try:
        client.send("".join(said) + "<end xmlns='urn:x'/>")
        while not isinstance(element := client.receive(), StreamClose):
            answers.append(element)
    except Closed:
        pass
    client.sock.close()
    server.clients.remove(client)
    assert answers and all(isinstance(answer, Stanza) for answer in answers)
    assert {answer.name for answer in answers} <= {"failure", "challenge", "error"}
    assert answers[-1].name == "error"  # of the stream, which nothing leaves without
    assert not server.server.full_sessions
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]
    assert not any(record.exc_info for record in caplog.records)


def test_who_has_the_password_gets_in_after_all_that(server):
    client = connect(server)
    assert client.succeeded(client.scram("juliet")).jid == "juliet@localhost"
