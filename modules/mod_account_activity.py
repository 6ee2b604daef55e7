"""When an account was last logged in to, in Prosody's store "account_activity": {timestamp}.

It is written at a login, at most once in `account_activity_accuracy`, so that clients which come
and go all day do not write all day.
"""

from __future__ import annotations

import time

from prosody_py.api import CommandError, Options, Table, command, datetime, hook, jid, period
from prosody_py.hosts import users

DAY = 86400


class Config(Options):
    """How exact."""

    account_activity_accuracy = period("1 minute", min="0 seconds", doc="A login this shortly "
                                       "after the last one that was noted is not noted.")


def load(module):
    """Open the store."""
    module.store = module.open_store("account_activity")


@hook("authentication-success")
def note(module, event):
    """Note a login; the client does not wait for the disk."""
    username = event.session.username
    if username is not None:
        module.add_timer(0, lambda _now: keep(module, username, time.time()))


def keep(module, username, now):
    """Store the time of a login, unless the account was removed meanwhile."""
    if not users.user_exists(module.server, username, module.host):
        return
    last = (module.store.get(username) or {}).get("timestamp") or 0
    if now - last >= module.options.account_activity_accuracy:
        module.store.set(username, {"timestamp": int(now)})


@hook("user-deleted")
def forget(module, event):
    """Keep nothing of an account that is gone."""
    module.store.set(event.username, None)


@command("user", "activity", "jid:bare_jid")
def activity(module, call, address):
    """Show when an account was last logged in to."""
    username = jid.node(address)
    if not users.user_exists(module.server, username, module.host):
        raise CommandError(f"There is no account {address}", "item-not-found")
    last = (module.store.get(username) or {}).get("timestamp")
    return Table(("what", "value"), [
        ("account", address), ("last login", datetime.format_datetime(last) if last else None)])


@command("user", "inactive", "host:host", "days:integer")
def inactive(module, call, host, days):
    """List the accounts that nobody has logged in to for so many days."""
    before = time.time() - days * DAY
    rows = []
    for username in list(users.provider(module.server, host).users()):
        last = (module.store.get(username) or {}).get("timestamp")
        if (last or 0) < before and username not in module.host_object.sessions:
            rows.append((f"{username}@{host}", datetime.format_datetime(last) if last else "never"))
    return Table(("account", "last login"), sorted(rows))
