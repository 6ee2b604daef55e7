"""A message of the day for everybody who becomes available.

It is that of the option `motd_text`, or what an administrator has set instead with `motd set`,
which is kept in the store "motd" of the host as {"text": ...} and may be empty for none.
"""

from __future__ import annotations

import textwrap

from prosody_py.api import Options, hook, stanza, string
from prosody_py.api.commands.kept_text import KeptText


class Config(Options):
    """The message."""

    motd_text = string(None, doc="The message; nothing is sent without it.")
    motd_jid = string(None, doc="Who the message is from; the host by default.")


MESSAGE = KeptText("motd", "message of the day", "motd_text", {
    "set": "Set the message of the day, in place of the option motd_text.",
    "delete": "Let there be no message of the day, whatever the option motd_text says.",
    "reset": "Let the option motd_text say what the message of the day is.",
}, lambda text: textwrap.dedent(text).strip())
show, set_text, delete, reset = MESSAGE.commands()


def load(module):
    """Open the store; it is read when somebody comes."""
    MESSAGE.open(module)


@hook("presence/initial")
def greet(module, event):
    """Send the message to a session that has become available."""
    text = MESSAGE.text(module)
    if text:
        module.send(stanza.message(
            {"from": module.options.motd_jid or module.host, "to": event.origin.full_jid}, text))
