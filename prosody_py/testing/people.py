"""The people of a test: users with rosters who see each other, on a server that tests share."""

from __future__ import annotations

import secrets
from typing import Any

from prosody_py.hosts.roster import Roster, RosterItem, commit, load_roster
from prosody_py.testing.client import Client
from prosody_py.testing.server import TestServer


class People:
    """Makes users, their rosters and their clients; `close` ends the clients.

    Their names end with something random, so that tests can share a server.
    """

    def __init__(self, server: TestServer):
        self.server, self.suffix = server, secrets.token_hex(4)
        self.clients: list[Client] = []

    def name(self, name: str) -> str:
        """Return the user name of one of the people."""
        return f"{name}-{self.suffix}"

    def jid(self, name: str, host: str = "localhost") -> str:
        """Return the address of one of the people."""
        return f"{self.name(name)}@{host}"

    def login(self, name: str, resource: str = "r", available: bool = True, inside: str = "",
              host: str = "localhost") -> Client:
        """Return a client that has asked for the roster and (unless told not to) is available.

        `inside` is what its presence contains.
        """
        client = self.server.client(self.name(name), resource, host)
        self.clients.append(client)
        client.iq("get", "<query xmlns='jabber:iq:roster'/>")
        return client.available(inside) if available else client

    def roster(self, name: str, host: str = "localhost") -> Roster:
        """Return somebody's roster as the server has it."""
        return load_roster(self.server.server, self.name(name), host)

    def set(self, name: str, contact: str, subscription: str, host: str = "localhost",
            ask: str | None = None) -> None:
        """Put a contact (an address) into somebody's roster."""
        self.server.user(self.name(name), host=host)
        roster = self.roster(name, host)
        with roster.lock:
            commit(self.server.server, roster, contact, RosterItem(subscription, ask))

    def befriend(self, one: str, two: str) -> None:
        """Let two people see each other's presence."""
        self.set(one, self.jid(two), "both")
        self.set(two, self.jid(one), "both")

    def session(self, client: Client) -> Any:
        """Return the server's session of a client."""
        return self.server.server.full_sessions[client.jid]

    def close(self) -> None:
        """End all clients."""
        for client in self.clients:
            client.close()


def kinds(elements: list) -> list[tuple[str | None, str | None]]:
    """Return (from, type) of the presences among the elements that a client has got."""
    return [(element.attr.get("from"), element.attr.get("type")) for element in elements
            if element.name == "presence"]
