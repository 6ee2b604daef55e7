"""module:may and its kin, with each form of context."""

from __future__ import annotations

import logging

import pytest

from prosody_py.api import roles
from prosody_py.api.roles import Role
from prosody_py.events.bus import Event
from prosody_py.lua.driver import ScriptError
from prosody_py.xmpp.stanza import Stanza

HOST = "example.com"
TEXT = """
module:default_permission("prosody:admin", ":rule");
module:default_permissions("prosody:registered", { ":read", "other:write" });
function ask(action, context, peek) return module:may(action, context, peek); end
function could(action, context) return module:could(action, context); end
function ask_table(who) return module:may(":rule", { stanza = { attr = { from = who } } }); end
function ask_session(name) return module:may(":rule", { username = name, host = module.host }); end
"""


@pytest.fixture
def exports(make_place):
    place = make_place(admins=[f"root@{HOST}"])
    place.load("storage_memory")
    exports = place.load("acts", TEXT).exports
    return place, exports


def test_addresses_have_the_permissions_of_their_roles(exports):
    _place, module = exports
    assert module.ask(":rule", f"root@{HOST}/phone") is True
    assert module.ask(":rule", f"alice@{HOST}") is False
    assert module.ask(":read", f"alice@{HOST}") is True
    assert module.ask("other:write", f"alice@{HOST}") is True
    assert module.ask(":read", "alice@elsewhere.example") is False


def test_events_sessions_and_tables_name_who_acts(exports):
    place, module = exports
    session = place.session("root")
    stanza = Stanza("message", {"from": f"root@{HOST}/phone"})
    assert module.ask(":rule", session) is True
    assert module.ask(":rule", Event(origin=session, stanza=stanza)) is True
    assert module.ask(":rule", Event(session=session)) is True
    # A host that speaks for somebody: the stanza says for whom.
    assert module.ask(":rule", Event(origin=place.host, stanza=stanza)) is True
    assert module.ask_table(f"root@{HOST}") is True
    assert module.ask_table(f"alice@{HOST}") is False
    assert module.ask_session("root") is True and module.ask_session("alice") is False


def test_a_session_acts_in_the_role_that_it_was_given(exports):
    place, module = exports
    session = place.session("alice")
    session.role = Role(place.server, HOST, "prosody:admin")
    assert module.ask(":rule", session) is True
    session.role = Role(place.server, HOST, "prosody:guest")
    assert module.ask(":read", session) is False
    assert place.run("return (...).role.name, (...).role:may('acts:read')", session) == (
        "prosody:guest", False)


def test_a_role_from_the_store_counts(exports):
    place, module = exports
    place.server.storage.open(HOST, roles.STORE).set("alice", {"_default": "prosody:admin"})
    assert module.ask(":rule", f"alice@{HOST}") is True  # asks the store, which may take time
    assert module.ask(":rule", f"bob@{HOST}") is False


def test_a_refusal_is_logged_unless_somebody_only_looks(exports, caplog):
    _place, module = exports
    with caplog.at_level(logging.DEBUG):
        assert module.could(":rule", f"alice@{HOST}") is False
        assert module.ask(":rule", f"alice@{HOST}", True) is False
        assert "acts:rule" not in caplog.text
        module.ask(":rule", f"alice@{HOST}")
    assert f"alice@{HOST} (prosody:user) may not do acts:rule" in caplog.text


def test_a_context_without_anybody_is_an_error(exports):
    _place, module = exports
    with pytest.raises(ScriptError, match="names nobody"):
        module.ask(":rule", Event())


def test_a_component_serves_the_users_of_its_parent(exports):
    place, _module = exports
    place.server.activate(f"rooms.{HOST}", "component")
    rooms = place.modules.load(f"rooms.{HOST}", "acts").exports
    assert rooms.ask(":read", f"alice@{HOST}") is True
    assert rooms.ask(":read", "alice@example.org") is False
    assert rooms.ask(":rule", f"root@{HOST}") is True
