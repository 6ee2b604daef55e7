"""A message for everybody who has registered an account.

It is that of the option `welcome_message`, or what an administrator has set instead with
`welcome set`, which is kept in the store "welcome" of the host as {"text": ...} and may be empty
for none.
"""

from __future__ import annotations

import re

from prosody_py.api import Options, hook, stanza, string
from prosody_py.api.commands.kept_text import KeptText


class Config(Options):
    """The message."""

    welcome_message = string(
        "Hello $username, welcome to the $host IM server!",
        doc="The message; $username and $host stand for those of the new account.")


MESSAGE = KeptText("welcome", "message for new accounts", "welcome_message", {
    "set": "Set the message for new accounts; $username and $host stand for theirs.",
    "delete": "Send nothing to new accounts, whatever the option welcome_message says.",
    "reset": "Let the option welcome_message say what new accounts are sent.",
})
show, set_text, delete, reset = MESSAGE.commands()


def load(module):
    """Open the store; it is read when somebody registers."""
    MESSAGE.open(module)


@hook("user-registered")
def greet(module, event):
    """Send the message to the new account, where it waits for the first login."""
    known = {"$username": event.username, "$host": event.host}
    text = re.sub(r"\$\w+", lambda found: known.get(found[0], found[0]), MESSAGE.text(module))
    if text:
        module.send(stanza.message(
            {"from": module.host, "to": f"{event.username}@{event.host}"}, text))
