"""A message of the day for everybody who becomes available.

It is that of the option `motd_text`, or what an administrator has set instead with `motd set`,
which is kept in the store "motd" of the host as {"text": ...} and may be empty for none.
"""

from __future__ import annotations

import textwrap

from prosody_py.api import CommandError, Options, command, hook, stanza, string

MAX_TEXT = 10_000  # characters


class Config(Options):
    """The message."""

    motd_text = string(None, doc="The message; nothing is sent without it.")
    motd_jid = string(None, doc="Who the message is from; the host by default.")


def load(module):
    """Open the store; it is read when somebody comes."""
    module.store = module.open_store("motd")
    module.kept = None


def text_of(module) -> str:
    """Return the message, empty for none."""
    if module.kept is None:
        module.kept = module.store.get(None) or {}
    text = module.kept.get("text")
    return textwrap.dedent(module.options.motd_text or "").strip() if text is None else text


@hook("presence/initial")
def greet(module, event):
    """Send the message to a session that has become available."""
    text = text_of(module)
    if text:
        module.send(stanza.message(
            {"from": module.options.motd_jid or module.host, "to": event.origin.full_jid}, text))


def keep(module, text: str | None) -> None:
    """Set the message in place of the option's, None for that of the option."""
    value = None if text is None else {"text": text}
    module.store.set(None, value)
    module.kept = value or {}


@command("motd", "show", "host:host", help="The message of the day")
def show(module, call, host):
    """Show the message of the day."""
    return text_of(module) or "There is no message of the day"


@command("motd", "set", "host:host", "text:text")
def set_text(module, call, host, text):
    """Set the message of the day, in place of the option motd_text."""
    if len(text) > MAX_TEXT:
        raise CommandError(f"A message of the day has at most {MAX_TEXT} characters")
    keep(module, text)
    return "The message of the day was set"


@command("motd", "delete", "host:host")
def delete(module, call, host):
    """Let there be no message of the day, whatever the option motd_text says."""
    keep(module, "")
    return "The message of the day was deleted"


@command("motd", "reset", "host:host")
def reset(module, call, host):
    """Let the option motd_text say what the message of the day is."""
    keep(module, None)
    return "The message of the day is that of the option motd_text"
