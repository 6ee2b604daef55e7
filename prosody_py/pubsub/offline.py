"""Items that last as long as their publisher is online (pubsub#purge_offline, XEP-0060 8.2).

Data and owner: a service knows in memory to which such nodes an account that is online has
published (who publishes without being online does not go offline); after a restart `purge_absent`
looks into the items of these nodes, and of no others.
"""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub.node import Node
from prosody_py.pubsub.publishing import MAX_BATCH


class Offline:
    """Mixed into Service."""

    setup: Any
    nodes: dict[str, Node]
    _publishers: dict[str, set[str]] | None = None  # by bare JID the names of nodes

    def _passes(self, node: Node) -> bool:
        return (bool(node["purge_offline"]) and self.setup.shows is not None
                and bool(node["persist_items"]) and not node.is_collection)

    def note_publisher(self, node: Node, account: str) -> None:
        """Remember that items of an account are to go with it, if the node is so configured."""
        if self._passes(node) and self.setup.shows(account):
            self._note(node, account)

    def _note(self, node: Node, account: str) -> None:
        if self._publishers is None:
            self._publishers = {}
        self._publishers.setdefault(account, set()).add(node.name)

    def purge_of(self, account: str) -> None:
        """Delete the items of an account that has gone offline, and tell the subscribers."""
        for name in sorted((self._publishers or {}).pop(account, ())):
            node = self.nodes.get(name)
            if node is None or not self._passes(node):
                continue
            items = self.items(node).newest()
            own = [item.id for item in items if item.publisher == account]
            if len(own) == len(items):
                if own:
                    self.purge(name, True)
                continue
            for start in range(0, len(own), MAX_BATCH):
                self.retract_all(name, True, own[start:start + MAX_BATCH])

    def purge_absent(self, node: Node) -> None:
        """Delete the items of all publishers who are not online, remember those who are."""
        if not self._passes(node):
            return
        publishers = {item.publisher for item in self.items(node).newest()}
        for account in publishers - {"", self.setup.jid}:
            self._note(node, account)
            if not self.setup.shows(account):
                self.purge_of(account)
