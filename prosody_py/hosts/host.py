"""A host: a domain that this server speaks for, with its own events and modules."""

from __future__ import annotations

from typing import Any

from prosody_py.events.bus import Events


class UserSessions:
    """What is known of a user who is connected: resources, and the roster they share."""

    __slots__ = ("sessions", "roster", "username", "extras")

    def __init__(self, username: str):
        self.username = username
        self.sessions: dict[str, Any] = {}   # resource -> session
        self.roster = None                   # hosts.roster.Roster, shared by all resources
        self.extras: dict[str, Any] = {}     # fields that modules add


class Host:
    """A virtual host ("local") or a component ("component").

    `sessions` maps user names to `UserSessions`, `modules` module names to loaded modules.
    `users` is the authentication provider, see prosody_py.hosts.users.
    """

    def __init__(self, name: str, kind: str = "local", failed=None):
        self.host = name
        self.type = kind
        self.events = Events(failed) if failed else Events()
        self.sessions: dict[str, UserSessions] = {}
        self.modules: dict[str, Any] = {}
        self.users: Any = None
        self.removing: set[str] = set()  # accounts whose removal goes on
        self.send = None        # a component's connection, or the module that answers for it
        self.s2sout: dict[str, Any] = {}
        self.extras: dict[str, Any] = {}

    @property
    def host_object(self) -> Host:
        """The host itself: stanzas can come from a host as they come from a session."""
        return self

    def __repr__(self) -> str:
        return f"<Host {self.host} {self.type}>"
