"""Reload of the configuration: what changes, what stays, and what a broken file does."""

import signal
import socket

import pytest
from gevent.event import Event

from prosody_py.app.reload import reload_config
from prosody_py.config.problems import ConfigError
from prosody_py.sessions.lifecycle import bind_resource
from prosody_py.testing.client import Client, wait_until
from prosody_py.xmpp import ns
from prosody_py.xmpp.errors import StanzaError

PING = "<ping xmlns='urn:xmpp:ping'/>"


@pytest.fixture
def server(start_server):
    return start_server()


def reload(server, **options):
    """Reload a TestServer with changed options; return the report."""
    server.write_config(**options)
    return reload_config(server.server)


def answered(client):
    return client.iq("get", PING, to="localhost").attr["type"] == "result"


def test_modules_and_options_change_under_a_connected_client(server):
    client = server.client("alice")
    report = reload(server, modules_enabled=["saslauth", "tls", "roster", "ping", "time"],
                    c2s_timeout="1 minute")
    assert str(report).splitlines() == [
        "all hosts:", '  + c2s_timeout: "1 minute"', "localhost:",
        "  - module disco", "  + module time"]
    assert not report.failed
    modules = server.server.modules
    assert modules.is_loaded("localhost", "time") and not modules.is_loaded("localhost", "disco")
    assert modules.get_module("*", "c2s").options.c2s_timeout == 60
    assert answered(client)


@pytest.mark.parametrize("text", [
    "hosts: [", "hosts: {localhost: {}}\nc2s_timeout: soon\n", "- 1\n",
    "hosts: {localhost: {}}\nc2s_ports: abc\n", "hosts: {localhost: {}}\nssl: {protokol: x}\n",
    "hosts: {localhost: {}}\nmodules_enabled: [saslauth, tls, roster, nosuch]\n"])
def test_a_broken_file_changes_nothing(server, text):
    client = server.client("alice")
    before = server.server.config
    with open(server.file, "w", encoding="utf-8") as file:
        file.write(text)
    with pytest.raises(ConfigError):
        reload_config(server.server)
    assert server.server.config is before
    assert answered(client)
    assert not reload(server).failed  # and it can be put right


def test_an_option_that_nobody_knows_is_remarked_on(server):
    report = reload(server, c2s_timout="1 minute")
    assert not report.failed
    assert any("there is no option c2s_timout (did you mean c2s_timeout?)" in remark
               for remark in report.remarks)


def test_hosts_come_and_go(server):
    alice = server.client("alice")
    reload(server, hosts={"localhost": {}, "example.org": {}})
    bob = server.client("bob", host="example.org")
    report = reload(server, hosts={"localhost": {}})
    assert bob.closed_with() == "host-gone"
    assert "example.org" not in server.server.hosts
    assert not report.failed
    assert answered(alice)
    reload(server, hosts={"localhost": {}, "example.org": {}})
    assert server.client("bob", host="example.org").jid


def test_ports_open_and_close_and_what_is_taken_is_reported(server):
    client = server.client("alice")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        report = reload(server, c2s_ports=[0, taken])
        assert report.failed == [
            ("c2s", f"port {taken} on 127.0.0.1 cannot be opened; the log says why")]
    assert not reload(server, c2s_ports=[0, taken]).failed
    late = Client(("127.0.0.1", taken)).login("alice", resource="late")
    reload(server, c2s_ports=[0])
    with pytest.raises(ConnectionRefusedError):
        Client(("127.0.0.1", taken))
    assert answered(late) and answered(client)


def test_one_module_that_fails_does_not_hold_up_the_others(server, tmp_path):
    (tmp_path / "mod_bad.py").write_text("def load(module):\n    raise RuntimeError('no')\n")
    report = reload(server, plugin_paths=[str(tmp_path)], modules_enabled=[
        "saslauth", "tls", "roster", "ping", "bad", "time"])
    (where, why), = report.failed
    assert where == "localhost" and "RuntimeError: no" in why
    assert server.server.modules.is_loaded("localhost", "time")
    (tmp_path / "mod_bad.py").write_text("# put right\n")
    assert not reload(server).failed
    assert server.server.modules.is_loaded("localhost", "bad")


def test_a_module_that_another_needs_stays(server, tmp_path):
    (tmp_path / "mod_needs.py").write_text("DEPENDS = ('disco',)\n")
    reload(server, plugin_paths=[str(tmp_path)], modules_enabled=["saslauth", "disco", "needs"])
    report = reload(server, modules_enabled=["saslauth", "needs"])
    assert "disco stays loaded on localhost: mod_needs on localhost needs it" in str(report)
    assert server.server.modules.is_loaded("localhost", "disco")


def test_other_stores_are_opened_when_the_driver_changes(server):
    server.user("alice")
    accounts = server.server.hosts["localhost"].users
    report = reload(server, storage="sqlite", sqlite_durable=False)
    assert not report.failed
    assert server.server.hosts["localhost"].users is not accounts
    assert not server.server.hosts["localhost"].users.user_exists("alice")


def test_other_accounts_mean_logging_in_again(server):
    alice = server.client("alice")
    report = reload(server, hosts={"localhost": {"authentication": "anonymous"}})
    assert "clients have to log in again" in str(report)
    assert alice.closed_with() == "host-gone"
    assert server.server.hosts["localhost"].users.name == "anonymous"


def test_who_is_logging_in_when_the_accounts_change_has_to_begin_anew(server):
    old, go_on = server.server.hosts["localhost"], Event()
    bare, begun = server.connect(), server.connect()
    bare.open()
    server.user("alice")
    begun.open()
    begun.authenticate("alice", "secret")
    begun.open()
    waiting = []

    def wait(event):
        waiting.append(event)
        go_on.wait()

    old.events.add_handler("pre-resource-bind", wait, 1000)
    begun.send(f"<iq type='set' id='b'><bind xmlns='{ns.BIND}'/></iq>")
    wait_until(lambda: waiting)
    reload(server, hosts={"localhost": {"authentication": "anonymous"}})
    go_on.set()
    assert bare.closed_with() == begun.closed_with() == "host-gone"
    wait_until(lambda: waiting[0].session.in_hand is None)
    assert not server.server.full_sessions and not server.server.bare_sessions


def test_no_session_is_bound_on_a_host_that_is_gone(server):
    server.user("alice")
    client = server.connect()
    client.open()
    client.authenticate("alice", "secret")
    [session] = server.server.modules.get_module("*", "c2s").listener.sessions.values()
    reload(server, hosts={"localhost": {"authentication": "anonymous"}})
    session.destroyed = None  # as one that another module serves
    with pytest.raises(StanzaError, match="recipient-unavailable"):
        bind_resource(session, "r", lambda username, host: None)


def test_events_tell_modules_of_the_reload(server):
    seen = []
    events = server.server.events
    events.add_handler("reloading-config", lambda event: seen.append("before"))
    events.add_handler("config-reloaded", lambda event: seen.append(event.config))
    reload(server)
    assert seen == ["before", server.server.config]


def test_sighup_and_the_command_reload(install):
    place = install(pidfile="server.pid", modules_disabled=["admin_shell"])
    place.account("alice")
    place.start()
    client = place.client("alice")
    place.write(hosts={"localhost": {}, "example.org": {}}, modules_disabled=[])
    done = place.run("reload")  # without the admin socket
    assert "SIGHUP" in done.stdout and done.returncode == 0
    place.wait_for("Reload: + host example.org")
    place.wait_for("Ready:", 2)
    place.file.write_text("hosts: [")
    place.kill(signal.SIGHUP)
    place.wait_for("The configuration was not reloaded")
    place.wait_for("prosody.cfg.yaml:1:9: ")
    assert answered(client)
    client.close()
    assert place.stop() == 0
