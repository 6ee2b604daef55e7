"""The services for publishing that an account has subscribed to: they may notify it.

The store "strangers_subscriptions" has for each account {"<bare JID> <node>": when}, noted when a
client sends the request and taken away when it sends the opposite. At most MOST of an account are
kept, those that were asked for last. What is in memory is what was wanted last, of `size` accounts.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from prosody_py.api import Stanza, jid
from prosody_py.pubsub.namespaces import EVENT, PUBSUB
from prosody_py.storage.interface import REMOVE

MOST = 100


class Subscriptions:
    """The subscriptions of a host's accounts.

    Args:
        store: kind "keyval+".
        size: accounts that are kept in memory.
    """

    def __init__(self, store, size: int):
        self._store, self._size, self._changes = store, size, 0
        self._known: OrderedDict[str, frozenset[str]] = OrderedDict()

    def services(self, username: str) -> frozenset[str]:
        """Return the bare JIDs of the services that may notify an account; may wait."""
        found = self._known.get(username)
        if found is not None:
            self._known.move_to_end(username)
            return found
        before = self._changes
        found = frozenset(name.partition(" ")[0] for name in self._store.get(username) or {}
                          if isinstance(name, str))
        if self._changes == before:  # else what was read may be of before
            self._known[username] = found
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return found

    def note(self, username: str, service: str, node: str, wanted: bool) -> None:
        """Note that a client asks for a subscription or for the end of one."""
        stored, name = self._store.get(username) or {}, f"{service} {node}"
        if (name in stored) is wanted:
            return
        if wanted:
            oldest = sorted(stored, key=lambda other: stored[other])
            gone = oldest[:max(0, len(stored) + 1 - MOST)]
            self._store.set_keys(username, {**dict.fromkeys(gone, REMOVE), name: time.time()})
        else:
            self._store.set_keys(username, {name: REMOVE})
        self._known.pop(username, None)
        self._changes += 1

    def forget(self, username: str) -> None:
        """Know nothing of an account that is gone."""
        self._known.pop(username, None)


def request_in(element: Stanza) -> tuple[str, str, bool] | None:
    """Return (bare JID of the service, node, whether it begins) of a request, None for others."""
    pubsub, to = element.get_child("pubsub", PUBSUB), jid.bare(element.attr.get("to"))
    action = pubsub.tags[0] if pubsub is not None and pubsub.tags else None
    if action is None or to is None or action.name not in ("subscribe", "unsubscribe"):
        return None
    node = action.attr.get("node") or ""
    return None if len(node) > 1023 else (to, node, action.name == "subscribe")


def is_notification(element: Stanza) -> bool:
    """Whether a message is of the kind that services send, and not to be mistaken for a chat."""
    return element.get_child("event", EVENT) is not None and (
        element.attr.get("type") == "headline" or element.get_child("body") is None)
