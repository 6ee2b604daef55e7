"""A message of the day for everybody who becomes available."""

from __future__ import annotations

import textwrap

from prosody_py.api import Options, hook, stanza, string


class Config(Options):
    """The message."""

    motd_text = string(None, doc="The message; nothing is sent without it.")
    motd_jid = string(None, doc="Who the message is from; the host by default.")


@hook("presence/initial")
def greet(module, event):
    """Send the message to a session that has become available."""
    text = textwrap.dedent(module.options.motd_text or "").strip()
    if text:
        module.send(stanza.message(
            {"from": module.options.motd_jid or module.host, "to": event.origin.full_jid}, text))
