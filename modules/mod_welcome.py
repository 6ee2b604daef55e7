"""A message for everybody who has registered an account."""

from __future__ import annotations

import re

from prosody_py.api import Options, hook, stanza, string


class Config(Options):
    """The message."""

    welcome_message = string(
        "Hello $username, welcome to the $host IM server!",
        doc="The message; $username and $host stand for those of the new account.")


@hook("user-registered")
def greet(module, event):
    """Send the message to the new account, where it waits for the first login."""
    known = {"$username": event.username, "$host": event.host}
    text = re.sub(r"\$\w+", lambda found: known.get(found[0], found[0]),
                  module.options.welcome_message)
    module.send(stanza.message({"from": module.host, "to": f"{event.username}@{event.host}"}, text))
