"""Where the component keeps its nodes: store "pubsub_nodes", one node for each "user".

Items are in the archives "pubsub_<node>", as those of the host. Where deleted nodes have moved to
is in "pubsub_moved".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prosody_py.pubsub.setup import changes_of_moved


class Nodes:
    """prosody_py.pubsub.setup.NodeStore, on a store of kind keyval."""

    def __init__(self, module):
        self._nodes = module.open_store("pubsub_nodes", "keyval")
        self._moved = module.open_store("pubsub_moved", "keyval+")

    def all(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stored data) of all nodes."""
        whole = getattr(self._nodes, "items", None)
        if whole is not None:
            return list(whole())
        return [(name, self._nodes.get(name)) for name in list(self._nodes.users())]

    def set(self, name: str, stored: Mapping[str, Any] | None) -> None:
        """Replace one node; None deletes it."""
        self._nodes.set(name, stored)

    def moved_to(self, name: str) -> str | None:
        """Return the URI where a deleted node has moved to, None for all others."""
        found = self._moved.get_key(None, name)
        return found if isinstance(found, str) else None

    def set_moved(self, name: str, uri: str | None, most: int = 0) -> None:
        """Remember where a node has moved to; None forgets it. Of more than `most` some go."""
        known = self._moved.get(None) or {} if uri is not None else {}
        self._moved.set_keys(None, changes_of_moved(known, name, uri, most,
                                                      self._moved.remove))
