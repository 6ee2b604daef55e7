"""Blocking in tests: requests of XEP-0191 in short, and what comes through."""

from __future__ import annotations

from prosody_py.testing.client import Client
from prosody_py.xmpp.stanza import Stanza

XMLNS = "urn:xmpp:blocking"


def command(client: Client, name: str, *addresses: str) -> Stanza:
    """Send a request, "block" or "unblock", with addresses; return the answer."""
    items = "".join(f"<item jid='{address}'/>" for address in addresses)
    return client.iq("set", f"<{name} xmlns='{XMLNS}'>{items}</{name}>")


def block(client: Client, *addresses: str) -> None:
    """Block addresses, which must succeed."""
    answer = command(client, "block", *addresses)
    assert answer.attr["type"] == "result", str(answer)


def unblock(client: Client, *addresses: str) -> None:
    """Unblock addresses, all if none is named, which must succeed."""
    answer = command(client, "unblock", *addresses)
    assert answer.attr["type"] == "result", str(answer)


def blocked(client: Client) -> list[str]:
    """Return the addresses on the list."""
    answer = client.iq("get", f"<blocklist xmlns='{XMLNS}'/>")
    return [item.attr["jid"] for item in answer.get_child("blocklist", XMLNS).childtags("item")]


def say(client: Client, to: str, body: str = "hark", type: str = "chat") -> None:
    """Send a message."""
    client.send(f"<message to='{to}' type='{type}'><body>{body}</body></message>")


def bodies(client: Client) -> list[str]:
    """Return the texts of the messages that a client has got, but for errors."""
    return [found.get_child_text("body") for found in client.flush() if found.name == "message"
            and found.attr.get("type") != "error"]
