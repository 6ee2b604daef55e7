"""Announcements: what an administrator sends to HOST/announce/online goes to all who are there.

The commands `announce online`, `announce all` and `announce role` do the same with a text.
"""

from __future__ import annotations

from functools import partial

from prosody_py.api import CommandError, StanzaError, command, hook, jid, roles, stanza
from prosody_py.api.role_definitions import definitions
from prosody_py.hosts import users
from prosody_py.hosts.users import is_admin

FLAGS = {"value_params": {"subject"}}


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


@command("announce", "online", "host:host", "text:text", flags=FLAGS,
         help="Messages to all users of a host")
def announce_online(module, call, host, text, given):
    """Send a message to everybody who is connected to a host."""
    count = send_copies(module, announcement(module, text, given, "headline"), host)
    module.log("info", "%s sent an announcement to %d users", call.who, count)
    return f"Announcement sent to {count} online users"


@command("announce", "all", "host:host", "text:text", flags=FLAGS)
def announce_all(module, call, host, text, given):
    """Send a message to all accounts of a host; who is not there gets it later."""
    names = [f"{username}@{host}" for username in users.provider(module.server, host).users()]
    module.broadcast(names, announcement(module, text, given))
    module.log("info", "%s sent an announcement to %d accounts", call.who, len(names))
    return f"Announcement sent to {len(names)} accounts"


@command("announce", "role", "host:host", "role:string", "text:text", flags=FLAGS)
def announce_role(module, call, host, role, text, given):
    """Send a message to the accounts of a host that have a role, such as "prosody:admin"."""
    if role not in definitions(module.server, host):
        raise CommandError(f"There is no role {role}", "item-not-found")
    names = [f"{username}@{host}" for username in roles.users_with_role(
        module.server, host, role, users.provider(module.server, host).users())]
    module.broadcast(names, announcement(module, text, given))
    module.log("info", "%s sent an announcement to %d accounts with the role %s", call.who,
               len(names), role)
    return f"Announcement sent to {len(names)} accounts"


def announcement(module, text: str, given: dict, type: str | None = None):
    """Return the message of an announcement; a "headline" is not kept for who is not there."""
    message = stanza.message({"from": module.host}, type=type)
    if given.get("subject"):
        message.text_tag("subject", given["subject"])
    return message.body(text)
