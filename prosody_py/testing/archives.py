"""A client that reads archives (XEP-0313), and says things that get into them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from prosody_py.testing.client import Client
from prosody_py.xmpp import dataforms, mam, rsm
from prosody_py.xmpp.datetime import DELAY
from prosody_py.xmpp.stanza import Stanza


@dataclass
class Found:
    """What an archive has answered: ids, messages and times of a page, and the iq at the end."""

    ids: list[str]
    messages: list[Stanza]
    stamps: list[str]
    answer: Stanza

    @property
    def bodies(self) -> list[str | None]:
        """The texts of the messages."""
        return [message.get_child_text("body") for message in self.messages]

    @property
    def error(self) -> str | None:
        """The condition of an error, None for a result."""
        return self.answer.get_error()[1] if self.answer.attr["type"] == "error" else None

    @property
    def complete(self) -> bool:
        """Whether the page is the last one."""
        return self.answer.get_child("fin", mam.XMLNS).attr.get("complete") == "true"

    def of_set(self, name: str) -> str | None:
        """Return a part of the <set/>: first, last or count."""
        return self.answer.get_child("fin", mam.XMLNS).get_child(
            "set", rsm.XMLNS).get_child_text(name)

    @property
    def index(self) -> str | None:
        """How many messages come before those of the page, None if that is not told."""
        first = self.answer.get_child("fin", mam.XMLNS).get_child(
            "set", rsm.XMLNS).get_child("first")
        return first.attr.get("index") if first is not None else None


def form(**fields: str | list[str]) -> str:
    """Return the form of a query as text; an underscore stands for a hyphen, or ends a name."""
    text = f"<field var='FORM_TYPE' type='hidden'><value>{mam.XMLNS}</value></field>"
    for name, values in fields.items():
        values = [values] if isinstance(values, str) else values
        text += (f"<field var='{name.rstrip('_').replace('_', '-')}'>"
                 + "".join(f"<value>{value}</value>" for value in values) + "</field>")
    return f"<x xmlns='{dataforms.XMLNS}' type='submit'>{text}</x>"


def page(inside: str) -> str:
    """Return a <set/> as text."""
    return f"<set xmlns='{rsm.XMLNS}'>{inside}</set>"


class Archive:
    """What a client does with archives; `client` is a client that is logged in."""

    def __init__(self, client: Client):
        self.client = client

    def query(self, inside: str = "", to: str | None = None) -> Found:
        """Send a query, with XML text inside, and return what is found."""
        queryid, id = secrets.token_hex(4), secrets.token_hex(4)
        address = f" to='{to}'" if to else ""
        self.client.send(f"<iq type='set' id='{id}'{address}><query xmlns='{mam.XMLNS}' "
                         f"queryid='{queryid}'>{inside}</query></iq>")
        found = Found([], [], [], None)
        while True:
            element = self.client.receive()
            if element.name == "iq" and element.attr.get("id") == id:
                found.answer = element
                return found
            result = element.get_child("result", mam.XMLNS)
            if result is not None and result.attr["queryid"] == queryid:
                own = self.client.bare_jid
                assert element.attr.get("from", own) == (to or own)
                assert element.attr["to"] == self.client.jid
                forwarded = result.get_child("forwarded", mam.FORWARD)
                found.ids.append(result.attr["id"])
                found.messages.append(forwarded.get_child("message", "jabber:client"))
                found.stamps.append(forwarded.get_child("delay", DELAY).attr["stamp"])

    def bodies(self, inside: str = "", to: str | None = None) -> list[str | None]:
        """Return the texts that a query finds."""
        return self.query(inside, to).bodies

    def say(self, to: str, body: str | None = None, inside: str = "", type: str = "chat") -> str:
        """Send a message and wait until the server has worked it off; return its id."""
        id = secrets.token_hex(4)
        body = "" if body is None else f"<body>{body}</body>"
        self.client.send(f"<message to='{to}' id='{id}' type='{type}'>{body}{inside}</message>")
        self.client.flush()
        return id
