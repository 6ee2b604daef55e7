"""Tells the administrators about new accounts."""

from __future__ import annotations

import re

from prosody_py.api import Options, hook, jid, set_, stanza, string


class Config(Options):
    """Who is told what."""

    registration_watchers = set_(None, of=string(), doc="Who is told; by default the admins.")
    registration_from = string(None, doc="Who the message is from; the host by default.")
    registration_notification = string(
        "User $username just registered on $host from $ip",
        doc="The message; $username, $host, $ip and $source stand for what is known.")


@hook("user-registered")
def tell(module, event):
    """Send a message to the watchers."""
    options, session = module.options, getattr(event, "session", None)
    known = {"username": event.username, "host": event.host,
             "source": getattr(event, "source", None) or "unknown",
             "ip": getattr(event, "ip", None) or getattr(session, "ip", None) or "unknown"}
    text = re.sub(r"\$(\w+)", lambda found: known.get(found[1], found[0]),
                  options.registration_notification)
    watchers = options.registration_watchers
    if watchers is None:
        watchers = module.get_option_inherited_set("admins", ())
    message = stanza.message(
        {"type": "chat", "from": options.registration_from or module.host}, text)
    module.broadcast([address for address in watchers if jid.prep(address)], message)
