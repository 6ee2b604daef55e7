"""When an account was last used: for administrators, by commands. Others are told nothing.

The store is "account_activity", username -> {"timestamp": seconds since 1970}, of the last login or
the end of the last session.
"""

from __future__ import annotations

import time

from prosody_py.api import CommandError, Table, command, datetime, hook, jid
from prosody_py.config.values import period
from prosody_py.hosts import users


def load(module):
    """Open the store."""
    module.store = module.open_store("account_activity")


def note(module, username: str) -> None:
    """Store that an account is used now, without holding up who is served."""
    now = int(time.time())

    def store(_now: float) -> None:
        if users.user_exists(module.server, username, module.host):  # not removed meanwhile
            module.store.set(username, {"timestamp": now})

    module.add_timer(0, store)


@hook("authentication-success")
def login(module, event):
    """Somebody has logged in."""
    note(module, event.session.username)


@hook("resource-unbind")
def leave(module, event):
    """A session has ended."""
    note(module, event.session.username)


@hook("user-deleted")
def forget(module, event):
    """Remove what is known of an account that is gone."""
    module.store.set(event.username, None)


def last_used(module, username: str) -> float | None:
    """Return when an account was last used, seconds since 1970; now while it is connected."""
    if username in module.host_object.sessions:
        return time.time()
    return (module.store.get(username) or {}).get("timestamp")


@command("user", "activity", "jid:bare_jid")
def activity(module, call, address):
    """Tell when an account was last used."""
    username = jid.node(address)
    if not users.user_exists(module.server, username, module.host):
        raise CommandError(f"There is no account {address}")
    if username in module.host_object.sessions:
        return f"{address} is connected now"
    when = last_used(module, username)
    if when is None:
        return f"{address} has not been used since this is noted"
    days = int((time.time() - when) // 86400)
    return f"{address} was last used {datetime.format_datetime(when)} ({days} days ago)"


@command("user", "list_inactive", "host:host", "time:string")
def list_inactive(module, call, host, text):
    """List accounts that were not used for a time such as "1 year"."""
    try:
        limit = time.time() - period(text)
    except ValueError:
        raise CommandError(f"{text!r} is not a time such as \"1 year\"") from None
    rows = []
    for username in sorted(users.provider(module.server, host).users()):
        when = last_used(module, username)
        if when is None or when < limit:
            rows.append((f"{username}@{host}",
                         "never" if when is None else datetime.format_datetime(when)))
    return Table(("account", "last used"), rows)
