"""Refuses to register names that look like one of an account, such as "alice" with a Cyrillic a.

Each account's skeleton (Unicode Technical Standard 39) is in the store "skeletons", Prosody's:
skeleton -> {"username": name}. Accounts that were there before the module is first used are added
by the command `mimicking bootstrap HOST`.
"""

from __future__ import annotations

from prosody_py.api import command, hook
from prosody_py.hosts import users
from prosody_py.xmpp.confusables import skeleton


def load(module):
    """Open the store."""
    module.store = module.open_store("skeletons")


@hook("user-registering")
def check(module, event):
    """Refuse a name that looks like another one."""
    other = module.store.get(skeleton(event.username))
    if other and other.get("username") != event.username:
        event.allowed = False
        event.error_type, event.error_condition = "cancel", "conflict"
        event.reason = "The name looks too much like one that exists"
        module.log("info", "Refused the registration of %s, which looks like %s", event.username,
                   other.get("username"))


@hook("user-created")
@hook("user-registered")
def add(module, event):
    """Note how a new account looks; one that an administrator has made as well."""
    key = skeleton(event.username)
    if module.store.get(key) is None:
        module.store.set(key, {"username": event.username})


@hook("user-deleted")
def forget(module, event):
    """Forget how an account looked that is gone."""
    key = skeleton(event.username)
    if (module.store.get(key) or {}).get("username") == event.username:
        module.store.set(key, None)


@command("mimicking", "bootstrap", "host:host", help="Names that look alike")
def bootstrap(module, call, host):
    """Note how the accounts of a host look that are there already; tell which look alike."""
    added, alike = 0, []
    for username in list(users.provider(module.server, host).users()):
        key = skeleton(username)
        other = (module.store.get(key) or {}).get("username")
        if other is None:
            module.store.set(key, {"username": username})
            added += 1
        elif other != username:
            alike.append(f"{username} looks like {other}")
    return "\n".join([*alike, f"{added} accounts were added"])
