"""A message for everybody who has registered an account.

It is that of the option `welcome_message`, or what an administrator has set instead with
`welcome set`, which is kept in the store "welcome" of the host as {"text": ...} and may be empty
for none.
"""

from __future__ import annotations

import re

from prosody_py.api import CommandError, Options, command, hook, stanza, string

MAX_TEXT = 10_000  # characters


class Config(Options):
    """The message."""

    welcome_message = string(
        "Hello $username, welcome to the $host IM server!",
        doc="The message; $username and $host stand for those of the new account.")


def load(module):
    """Open the store; it is read when somebody registers."""
    module.store = module.open_store("welcome")
    module.kept = None


def text_of(module) -> str:
    """Return the message with its variables, empty for none."""
    if module.kept is None:
        module.kept = module.store.get(None) or {}
    text = module.kept.get("text")
    return module.options.welcome_message if text is None else text


@hook("user-registered")
def greet(module, event):
    """Send the message to the new account, where it waits for the first login."""
    known = {"$username": event.username, "$host": event.host}
    text = re.sub(r"\$\w+", lambda found: known.get(found[0], found[0]), text_of(module))
    if text:
        module.send(stanza.message(
            {"from": module.host, "to": f"{event.username}@{event.host}"}, text))


def keep(module, text: str | None) -> None:
    """Set the message in place of the option's, None for that of the option."""
    value = None if text is None else {"text": text}
    module.store.set(None, value)
    module.kept = value or {}


@command("welcome", "show", "host:host", help="The message for new accounts")
def show(module, call, host):
    """Show the message for new accounts."""
    return text_of(module) or "There is no message for new accounts"


@command("welcome", "set", "host:host", "text:text")
def set_text(module, call, host, text):
    """Set the message for new accounts; $username and $host stand for theirs."""
    if len(text) > MAX_TEXT:
        raise CommandError(f"A welcome has at most {MAX_TEXT} characters")
    keep(module, text)
    return "The message for new accounts was set"


@command("welcome", "delete", "host:host")
def delete(module, call, host):
    """Send nothing to new accounts, whatever the option welcome_message says."""
    keep(module, "")
    return "The message for new accounts was deleted"


@command("welcome", "reset", "host:host")
def reset(module, call, host):
    """Let the option welcome_message say what new accounts are sent."""
    keep(module, None)
    return "The message for new accounts is that of the option welcome_message"
