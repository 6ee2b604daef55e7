"""What an administrator writes into the forms of ad-hoc commands: an answer, never a failure."""

from __future__ import annotations

import logging
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from prosody_py.hosts import users
from prosody_py.testing.adhoc import DATA, listed, step
from prosody_py.testing.client import Closed
from prosody_py.xmpp import ns

MODULES = """
admin_adhoc account_activity announce blocklist cloud_notify groups_internal invites_adhoc
invites_register lastactivity limits mam motd offline pep presence register smacks
spam_reporting time uptime user_account_management vcard_legacy version vjud welcome adhoc
admin_shell client_management sasl2_fast cron
""".split()
ROOMS, NODES, SEARCH = "rooms.localhost", "pubsub.localhost", "search.localhost"
HOSTS = ["localhost", ROOMS, NODES, SEARCH]
ENDING = ("shutdown", "server:stop", "restart", "host:deactivate", "hosts#deactivate",
          "config:reload", "module", "unload", "globally")
VALUES = ["", " ", "0", "-1", "1e9", "9" * 30, "true", "none", "owner", "x" * 2000, "*", "@", "/",
          "a@", "@b", "a@b/", "a b@c", "\N{PILE OF POO}", "2010-13-07T99:00:00Z", "60", "kept",
          "kept@localhost", "kept@localhost/r", "nobody@localhost", "kept@elsewhere.example",
          f"hall@{ROOMS}", ROOMS, "localhost", "node", "list", "prosody:admin", "prosody:nothing",
          "--help", "-1", "{}", "[1", "disco"]


class Administrator:
    """Somebody who logs in again when a command has ended the own session or account."""

    def __init__(self, running):
        self.running = running
        self.log_in()

    def log_in(self):
        if users.user_exists(self.running.server, "admin", "localhost"):
            users.delete_user(self.running.server, "admin", "localhost")
        self.client = self.running.client("admin", "r").available()
        self.client.send(f"<presence to='hall@{ROOMS}/admin'>"
                         "<x xmlns='http://jabber.org/protocol/muc'/></presence>").flush()


@pytest.fixture(scope="module")
def admin(tmp_path_factory, launch):
    running = launch(
        tmp_path_factory.mktemp("server"), MODULES, storage="sqlite", admins=["admin@localhost"],
        components={ROOMS: {"module": "muc", "modules_enabled": [
                        "disco", "adhoc", "muc_hats_adhoc", "muc_mam", "muc_moderation"]},
                    NODES: {"module": "pubsub", "modules_enabled": ["disco", "adhoc"]},
                    SEARCH: {"module": "vjud"}})
    running.user("kept")
    yield Administrator(running)
    running.stop()


@pytest.fixture(scope="module")
def commands(admin):
    """Return the commands that end nothing: [(address, node)]."""
    found = [(host, node) for host in [*HOSTS[:3], f"hall@{ROOMS}"]
             for node in sorted(listed(admin.client, host))]
    return [(host, node) for host, node in found if not any(word in node for word in ENDING)]


def filled_in(form, chance: random.Random) -> dict[str, list[str]]:
    """Return values for the fields of a form: those that are there, some of its options, or any."""
    fields = {}
    for field in form.childtags("field"):
        options = [option.get_child_text("value") for option in field.childtags("option")]
        known = [value.get_text() for value in field.childtags("value")]
        kind = chance.randrange(4)
        if kind == 0 and known:
            fields[field.attr["var"]] = known
        elif kind == 1 and options:
            fields[field.attr["var"]] = [chance.choice(options)]
        elif kind:
            fields[field.attr["var"]] = chance.choices(VALUES, k=chance.choice([1, 1, 1, 2, 3]))
    fields.pop("FORM_TYPE", None)
    return fields


def go_through(client, host, node, chance: random.Random) -> None:
    """Execute a command, and answer with anything up to three times."""
    session = fields = form_type = None
    action = "execute"
    for _ in range(4):
        answer = step(client, node, action, session, fields, form_type, host)
        said = f"{node} {action} {fields}"
        if answer.attr["type"] == "error":
            error = answer.get_child("error")
            assert error.get_child("internal-server-error", ns.STANZA_ERRORS) is None, said
            return
        command = answer.tags[0]
        session, form = command.attr.get("sessionid"), command.get_child("x", DATA)
        if command.attr["status"] != "executing" or form is None:
            return
        form_type = next((field for field in form.childtags("field")
                          if field.attr.get("var") == "FORM_TYPE"), None)
        form_type = form_type.get_child_text("value") if form_type is not None else None
        action, fields = chance.choice(["execute", "complete", "next"]), filled_in(form, chance)
        form_type = form_type or "x"


def check(admin, caplog, commands, chance):
    caplog.clear()
    caplog.set_level(logging.WARNING)
    host, node = chance.choice(commands)
    try:
        go_through(admin.client, host, node, chance)
    except Closed:
        admin.log_in()
    bad = [record for record in caplog.records if record.levelno >= logging.ERROR
           or record.exc_info]
    assert not bad, f"{host} {node}\n" + "\n".join(record.getMessage() + (
        logging.Formatter().formatException(record.exc_info) if record.exc_info else "")
        for record in bad)


def many(examples):
    return settings(max_examples=examples, deadline=None, database=None,
                    phases=[Phase.generate, Phase.shrink],
                    suppress_health_check=[HealthCheck.function_scoped_fixture,
                                           HealthCheck.too_slow])


@pytest.mark.slow
@many(150)
@given(seed=st.integers(0, 2 ** 64))
def test_no_form_makes_a_command_fail(admin, caplog, commands, seed):
    check(admin, caplog, commands, random.Random(seed))


@pytest.mark.slow
@many(3000)
@given(seed=st.integers(0, 2 ** 64))
def test_none_of_many_forms_makes_a_command_fail(admin, caplog, commands, seed):
    check(admin, caplog, commands, random.Random(seed))
