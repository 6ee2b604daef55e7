"""Clients whose streams are managed (XEP-0198): lose the connection, come back."""

from __future__ import annotations

from typing import Any

from prosody_py.testing.client import Client, wait_until
from prosody_py.xmpp.stanza import Stanza

SM = "urn:xmpp:sm:3"


def enable(client: Client, resume: bool = True, more: str = "") -> Stanza:
    """Ask for stream management; return <enabled/> or <failed/>."""
    wish = " resume='true'" if resume else ""
    client.send(f"<enable xmlns='{SM}'{wish}{more}/>")
    return client.receive_until(lambda element: element.name in ("enabled", "failed"))


def acknowledge(client: Client, count: int) -> None:
    """Say that so many stanzas are handled."""
    client.send(f"<a xmlns='{SM}' h='{count}'/>")


def handled(client: Client) -> int:
    """Ask how many stanzas the server has handled."""
    client.send(f"<r xmlns='{SM}'/>")
    return int(client.receive_until(lambda element: element.name == "a").attr["h"])


def say(client: Client, to: str, body: str, type: str = "chat") -> None:
    """Send a message, and wait until the server has handled it."""
    client.send(f"<message to='{to}' type='{type}'><body>{body}</body></message>").flush()


def bodies(elements: list) -> list[str]:
    """Return the texts of the messages among some elements."""
    return [element.get_child_text("body") for element in elements
            if isinstance(element, Stanza) and element.name == "message"]


def log_in(running: Any, username: str) -> Client:
    """Return a client that has logged in and has bound nothing."""
    client = running.connect()
    client.open()
    client.authenticate(username, "secret")
    client.open()
    return client


def resume(running: Any, username: str, token: str, h: int, more: str = "",
           ) -> tuple[Client, Stanza]:
    """Return a new connection that has asked to go on with a session, and the answer."""
    client = log_in(running, username)
    client.send(f"<resume xmlns='{SM}' previd='{token}' h='{h}'/>{more}")
    return client, client.receive()


class Managed:
    """A client that is logged in and whose session can be resumed by `token`."""

    def __init__(self, running: Any, username: str = "juliet", resource: str = "balcony",
                 available: bool = True, more: str = ""):
        self.running, self.username = running, username
        self.client = running.client(username, resource)
        if available:
            self.client.available()
        self.jid = self.client.jid
        self.token = enable(self.client, more=more).attr["id"]

    @property
    def session(self) -> Any:
        """The server's session, None when it is over."""
        return self.running.server.full_sessions.get(self.jid)

    def cut(self) -> Any:
        """End the connection without a word; return the session that waits."""
        session = self.session
        self.client.sock.close()
        wait_until(lambda: session.conn is None)
        return session

    def come_back(self, h: int, running: Any = None) -> Stanza:
        """Go on over a new connection, perhaps to another server; return the answer."""
        self.running = running or self.running
        self.client, answer = resume(self.running, self.username, self.token, h)
        self.client.jid = self.jid
        return answer
