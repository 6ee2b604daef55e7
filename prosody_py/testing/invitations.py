"""Invitations in tests: who makes them, and clients that register with them."""

from __future__ import annotations

from typing import Any

from prosody_py.hosts import users
from prosody_py.testing.client import Client
from prosody_py.testing.server import TestServer
from prosody_py.xmpp.stanza import Stanza

PARS, REGISTER = "urn:xmpp:pars:0", "jabber:iq:register"


def invites(running: TestServer) -> Any:
    """Return what mod_invites exports, in Python or in Lua."""
    return running.server.modules.get_module("localhost", "invites").exports


def look_up(running: TestServer, token: str | None, *username: str) -> Any:
    """Return the invitation of a token, for an account if one is named; None for none."""
    exports = invites(running)  # of a Lua module a table, which has a get of its own
    get = exports["get"] if hasattr(exports, "raw") else exports.get
    found = get(token, *username)
    return found[0] if isinstance(found, tuple) else found


def valid(running: TestServer, token: str | None, *username: str) -> bool:
    """Whether a token is good for something."""
    return look_up(running, token, *username) is not None


def exists(running: TestServer, username: str = "juliet") -> bool:
    """Whether there is an account."""
    return users.user_exists(running.server, username, "localhost")


def opened(running: TestServer) -> Client:
    """Return a client that has opened its stream and has not logged in."""
    client = running.connect()
    client.open()
    return client


def show(client: Client, token: str) -> Stanza:
    """Show a token before registering; return the answer (XEP-0445)."""
    return client.iq("set", f"<preauth xmlns='{PARS}' token='{token}'/>", "localhost")


def register(client: Client, username: str = "juliet", password: str = "secret") -> Stanza:
    """Make an account, or change its password; return the answer."""
    return client.iq("set", f"<query xmlns='{REGISTER}'><username>{username}</username>"
                     f"<password>{password}</password></query>")


def registered(running: TestServer, invite: Any, username: str = "juliet") -> Stanza:
    """Make an account with an invitation, by a client of its own; return the answer."""
    client = opened(running)
    assert show(client, invite.token).attr["type"] == "result"
    return register(client, username)
