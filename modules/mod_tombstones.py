"""A name of an account that is gone cannot be registered again, for a while or forever.

Somebody else under that name would get what is meant for who had it before. The names are in the
store "tombstones" of the host itself, each with the time of its end (seconds since 1970), as
Prosody's. Administrators make accounts as they like.
"""

from __future__ import annotations

import math
import time

from prosody_py.api import Options, hook, period


class Config(Options):
    """How long."""

    user_tombstone_expiry = period(
        "never", doc="Time after which a name is free again; never by default.")


def load(module):
    """Open the store."""
    module.store = module.open_store("tombstones", "map")


@hook("user-deleted")
def keep(module, event):
    """Note the name of an account that is gone."""
    module.store.set(None, event.username, int(time.time()))


@hook("user-registering")
def check(module, event):
    """Refuse a name that is not free."""
    when = module.store.get(None, event.username)
    expiry = module.options.user_tombstone_expiry
    if when is None:
        return
    if expiry is not None and not math.isinf(expiry) and time.time() >= when + expiry:
        module.store.set(None, event.username, None)
        return
    event.allowed = False
    event.error_type, event.error_condition = "cancel", "conflict"
    event.reason = "This name was used before and cannot be registered"
    module.log("info", "Refused the registration of %s, an account that is gone", event.username)
