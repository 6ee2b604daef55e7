"""Where PEP keeps the nodes of an account: store "pep", {node: its data} for each account.

Items are in the archives "pep_<node>" of the account. Where deleted nodes have moved to is in
"pep_moved".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prosody_py.pubsub.setup import changes_of_moved


class Nodes:
    """prosody_py.pubsub.setup.NodeStore for one account, on stores of kind keyval+."""

    __slots__ = ("_nodes", "_moved", "username", "stored")

    def __init__(self, nodes: Any, moved: Any, username: str, stored: Any):
        self._nodes, self._moved, self.username = nodes, moved, username
        self.stored = stored

    def all(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stored data) of all nodes."""
        stored, self.stored = self.stored, None
        return [(name, value) for name, value in (stored or {}).items() if isinstance(name, str)]

    def set(self, name: str, stored: Mapping[str, Any] | None) -> None:
        """Replace one node; None deletes it."""
        self._nodes.set_key(self.username, name, stored)

    def moved_to(self, name: str) -> str | None:
        """Return the URI where a deleted node has moved to, None for all others."""
        found = self._moved.get_key(self.username, name)
        return found if isinstance(found, str) else None

    def set_moved(self, name: str, uri: str | None, most: int = 0) -> None:
        """Remember where a node has moved to; None forgets it. Of more than `most` some go."""
        known = self._moved.get(self.username) or {} if uri is not None else {}
        self._moved.set_keys(self.username, changes_of_moved(known, name, uri, most,
                                                      self._moved.remove))
