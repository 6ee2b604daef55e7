"""Announcements: what an administrator sends to HOST/announce/online goes to all who are there."""

from __future__ import annotations

from functools import partial

from prosody_py.api import StanzaError, hook, jid
from prosody_py.hosts.users import is_admin


def load(module):
    """Offer other modules the sending, by Prosody's name."""
    module.exports.send_to_online = partial(send_copies, module)


@hook("message/host")
def announce(module, event):
    """Send a copy of an administrator's message to everybody who is connected."""
    message = event.stanza
    if jid.resource(message.attr.get("to")) != "announce/online" or message.attr.get(
            "type") == "error":
        return None
    sender = jid.bare(message.attr.get("from"))
    if not is_admin(module.server, sender, module.host):
        module.log("warn", "Somebody who is no administrator tried to announce: %s", sender)
        raise StanzaError("forbidden", "Announcements are for administrators to make")
    copy = message.shallow()
    copy.attr["from"] = module.host
    count = send_copies(module, copy, module.host)
    module.log("info", "%s sent an announcement to %d users", sender, count)
    return True


def send_copies(module, message, host: str | None = None) -> int:
    """Send a message to the users who are connected to a host (None: to any); return how many."""
    names = [host] if host else list(module.server.hosts)
    addresses = [f"{username}@{name}" for name in names
                 for username in list(module.server.hosts[name].sessions)]
    module.broadcast(addresses, message)
    return len(addresses)
