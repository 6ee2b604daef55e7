"""How much was handled of sessions that are over: the store "smacks_h", in Prosody's form.

For each user `{token: {"h": number of stanzas, "t": when the session ended}}`, the newest
`smacks_max_old_sessions` of them. A client that asks for such a session learns what it need not
send again (XEP-0198 section 5).
"""

from __future__ import annotations

import time

from prosody_py.storage.interface import REMOVE, StorageError


class OldSessions:
    """The sessions of one host that are over."""

    def __init__(self, module):
        self.module, self.limit = module, module.options.smacks_max_old_sessions
        self.store = module.open_store("smacks_h", "keyval+")

    def add(self, username: str, token: str, h: int) -> None:
        """Note a session that has just ended; without a store that works it is not known."""
        try:
            self._add(username, token, h)
        except StorageError as error:
            self.module.log("error", "It is not kept how much a session of %s has handled: %s",
                            username, error)

    def _add(self, username: str, token: str, h: int) -> None:
        if self.limit <= 0:
            return
        changes = {token: {"h": h, "t": time.time()}}
        known = self.store.get(username) or {}
        known.pop(token, None)
        oldest = sorted(known, key=lambda name: known[name].get("t") or 0)
        changes.update(dict.fromkeys(oldest[:max(0, len(known) + 1 - self.limit)], REMOVE))
        self.store.set_keys(username, changes)

    def get(self, username: str, token: str) -> int | None:
        """Return how much was handled of a session, None if that is not known."""
        entry = self.store.get_key(username, token)
        return int(entry["h"]) if isinstance(entry, dict) and "h" in entry else None

    def forget(self, username: str) -> None:
        """Forget the sessions of an account that is gone."""
        self.store.set(username, None)
