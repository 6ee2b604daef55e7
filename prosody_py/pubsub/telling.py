"""Who is told what: notifications by the options of each subscription, last items, changes of
subscriptions (XEP-0060 sections 6.1.7, 7.1.2, 12.2, 12.3 and 12.15).
"""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub.collections import covers
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import PLAIN, Notice, Wish, subscription_element
from prosody_py.pubsub.subscribe_options import BODY, DIGEST, SHOWS, wants_delivery

BY_CONTENT = ("items", "retract")
"""Notices that depend on the subscription; others are about the node (section 12.13)."""


class Telling:
    """Mixed into Service."""

    setup: Any

    def notify(self, notice: Notice) -> None:
        """Tell the subscribers of something that has happened to a node."""
        node, receivers = notice.node, {}
        watched = node["access_model"] in ("presence", "roster")
        online_only = node["presence_based_delivery"] and self.setup.shows is not None
        for jid, options in list(node.subscribers.items()):
            # What rosters say may have changed since (XEP-0163 section 8.1).
            if watched and self._why_not_have(node, jid) is not None:
                self.end(node, jid)
            elif options is True and not online_only:
                receivers[jid] = PLAIN
            else:
                wish = self._wish(notice, jid)
                if wish is not None:
                    receivers[jid] = wish
        if node.config.get("collection"):
            self.add_subscribers_above(notice, receivers)
        self.setup.deliver(notice, receivers)

    def _wish(self, notice: Notice, jid: str) -> Wish | None:
        """Return how an address is told now, None if it is not; note what is for its digests."""
        node, subids, body = notice.node, [], False
        have = node.subscriptions(jid)
        for subid, options in have.items():
            if not wants_delivery(options):
                continue
            own = options if isinstance(options, dict) else {}
            if notice.kind == "collection" and not covers(own, "nodes", 1):
                continue
            if own.get(DIGEST) and (notice.items or notice.ids) and self.can_digest:
                self.note_digest(notice, jid, subid, own)
            elif self.is_reachable(node, jid, own):
                subids.append(subid)
                body = body or bool(own.get(BODY))
        if not subids:
            return None
        if len(have) == 1 or notice.kind not in BY_CONTENT:
            return Wish(True) if body else PLAIN
        return Wish(body, tuple(subids))

    def is_reachable(self, node: Node, jid: str, options: dict[str, Any]) -> bool:
        """Whether an address is online, in a state that its subscription wants, if that matters."""
        wanted = options.get(SHOWS)
        if self.setup.shows is None or not (wanted or node["presence_based_delivery"]):
            return True
        shows = self.setup.shows(jid)
        return any(show in wanted for show in shows) if wanted else bool(shows)

    def shown_publisher(self, node: Node) -> bool | str:
        """Return what a node's items say of who has published them (see Item.element)."""
        reply = node["itemreply"]
        if reply == "owner":
            return next(iter(self.owners(node)), False)
        return reply == "publisher"

    def greet(self, node: Node, jid: str, to: str | None = None) -> None:
        """Send the last item to a subscriber (at `to`), if the node is so configured (6.1.7)."""
        have = node.subscriptions(jid)
        subids = [subid for subid, options in have.items() if wants_delivery(options)
                  and self.is_reachable(node, jid, options if isinstance(options, dict) else {})]
        if subids:
            self.send_last(node, to or jid, subids if len(have) > 1 else [])

    def send_last(self, node: Node, to: str, subids: list[str]) -> None:
        """Send the last item to an address, if the node is so configured."""
        if (node["send_last_published_item"] == "never" or not node["notify_items"]
                or not node["persist_items"] or node.is_collection):
            return
        item = self.items(node).last()
        if item is not None:
            notice = Notice("items", node, item, late=True, publisher=self.shown_publisher(node))
            self.setup.tell(to, notice.message(self.setup.jid, subids=subids))

    def tell_state(self, node: Node, jid: str, state: str, subid: str,
                   expiry: str | None = None) -> None:
        """Tell somebody about the state of the own subscription (sections 12.15 and 12.18)."""
        detail = subscription_element(node.name, jid, state, subid, expiry=expiry)
        self.setup.tell(jid, Notice("subscription", node, detail=detail).message(self.setup.jid))

    def tell_owners(self, node: Node, jid: str, state: str, subid: str) -> None:
        """Tell the owners that somebody has come or gone (notify_sub)."""
        detail = subscription_element(node.name, jid, state, subid)
        for owner in self.owners(node):
            self.setup.tell(owner, Notice("subscription", node, detail=detail)
                            .message(self.setup.jid))
