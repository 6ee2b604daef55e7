"""Ad-hoc commands (XEP-0050) from the client's side, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prosody_py.testing.client import Client
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import escape_attr, escape_text

COMMANDS, DATA = "http://jabber.org/protocol/commands", "jabber:x:data"
ADMIN = "http://jabber.org/protocol/admin"
ITEMS = "http://jabber.org/protocol/disco#items"


def submit(fields: Mapping[str, Any], form_type: str = ADMIN) -> str:
    """Return the <x/> of a filled in form; a value is a text or a list of texts."""
    def field(name: str, given: str | Iterable[str]) -> str:
        texts = [given] if isinstance(given, str) else given
        return f"<field var='{name}'>" + "".join(
            f"<value>{escape_text(text)}</value>" for text in texts) + "</field>"
    return (f"<x xmlns='{DATA}' type='submit'>{field('FORM_TYPE', form_type)}"
            + "".join(field(name, given) for name, given in fields.items()) + "</x>")


def step(client: Client, node: str, action: str = "execute", session: str | None = None,
         fields: Mapping[str, Any] | None = None, form_type: str = ADMIN,
         to: str | None = None) -> Stanza:
    """Send one step of a command; return the iq that answers it."""
    sessionid = f" sessionid='{session}'" if session else ""
    inside = submit(fields, form_type) if fields is not None else ""
    attributes = f"xmlns='{COMMANDS}' node='{escape_attr(node)}' action='{action}'{sessionid}"
    return client.iq("set", f"<command {attributes}>{inside}</command>", to or client.host)


def run(client: Client, node: str, fields: Mapping[str, Any] | None = None,
        form_type: str = ADMIN, to: str | None = None) -> Stanza:
    """Go through a command that asks once, or without `fields` not at all.

    Returns its last <command/>; raises AssertionError when it does not come to its end.
    """
    answer = step(client, node, to=to)
    assert answer.attr["type"] == "result", str(answer)
    command = answer.tags[0]
    if fields is not None:
        assert command.attr["status"] == "executing" and command.get_child("x", DATA), str(command)
        answer = step(client, node, "complete", command.attr["sessionid"], fields, form_type, to)
        assert answer.attr["type"] == "result", str(answer)
        command = answer.tags[0]
    assert command.attr["status"] == "completed", str(command)
    return command


def note(command: Stanza) -> tuple[str, str]:
    """Return type and text of the first <note/>."""
    found = command.get_child("note")
    return found.attr["type"], found.get_text()


def values(command: Stanza) -> dict[str, list[str]]:
    """Return the values of the form in a <command/>, by field."""
    form = command.get_child("x", DATA)
    return {field.attr["var"]: [value.get_text() for value in field.childtags("value")]
            for field in form.childtags("field")}


def listed(client: Client, to: str | None = None) -> set[str]:
    """Return the nodes of the commands that a host lists for a client."""
    answer = client.iq("get", f"<query xmlns='{ITEMS}' node='{COMMANDS}'/>", to or client.host)
    return {item.attr["node"] for item in answer.tags[0].tags}
