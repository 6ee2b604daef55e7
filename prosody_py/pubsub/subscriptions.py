"""Subscriptions: asked for, approved, ended, and told of what happens (XEP-0060 6.1, 6.2, 8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prosody_py.pubsub.access import Actor, bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import Notice, subscription_element, wants_delivery

_GONE = ("item-not-found", "gone", "remote-server-not-found")


class Subscriptions:
    """Mixed into Service."""

    setup: Any
    nodes: dict[str, Node]
    by_account: dict[str, dict[str, set[str]]]

    def _index(self, name: str, jid: str) -> None:
        self.by_account.setdefault(bare(jid), {}).setdefault(jid, set()).add(name)

    def _unindex(self, name: str, jid: str) -> None:
        own = self.by_account.get(bare(jid))
        names = own.get(jid) if own else None
        if names is None:
            return
        names.discard(name)
        if not names:
            del own[jid]
        if not own:
            del self.by_account[bare(jid)]

    def require_own(self, node: Node | None, actor: Actor, jid: str, error: str) -> None:
        """Raise an error unless the actor speaks for `jid`, or manages the node."""
        if actor is not True and bare(actor) != bare(jid) and not self.may(node, actor, "manage"):
            raise PubsubError(error)

    def add_subscription(self, name: str, actor: Actor, jid: str, options: Any = True) -> str:
        """Subscribe a JID (section 6.1); return "subscribed", or "pending" if it has to wait.

        A node that an owner has to approve for waits in `node.pending`, and its owners are asked.
        """
        if not isinstance(jid, str) or not jid:
            raise PubsubError("jid-required")
        if name and name not in self.nodes and self.setup.autocreate_on_subscribe:
            self.require_own(None, actor, jid, "invalid-jid")
            self.create(name, True)
        node = self.node(name)
        self.require_own(node, actor, jid, "invalid-jid")
        if not node["subscribe"]:
            raise PubsubError("unsupported", feature="subscribe")
        state = "subscribed"
        if actor is True or bare(actor) != bare(jid):  # an owner decides
            if self.affiliation(node, jid) == "outcast":
                raise PubsubError("forbidden")
        else:
            why_not = self.why_not_subscribe(node, jid)
            if why_not == "not-subscribed":
                state = "pending"
            elif why_not is not None:
                raise PubsubError(why_not)
        return self._subscribe(node, jid, options or True, state)

    def _subscribe(self, node: Node, jid: str, options: Any, state: str) -> str:
        with self.locked(node.name):
            self._still_there(node)
            if jid in node.subscribers:
                state, waits = "subscribed", False
                if options is True or options == node.subscribers[jid]:
                    return state
            else:
                waits = jid in node.pending
                if state == "pending" and waits:
                    raise PubsubError("pending-subscription")
                self._check_room(node, jid, waits)
            subscribers, pending = dict(node.subscribers), dict(node.pending)
            pending.pop(jid, None)
            (subscribers if state == "subscribed" else pending)[jid] = options
            self.setup.node_store.set(node.name, node.to_stored(subscribers=subscribers,
                                                                pending=pending))
            new = jid not in node.subscribers
            node.subscribers, node.pending = subscribers, pending
            self._index(node.name, jid)
        if state == "pending":
            self.ask_owners(node, jid)
        elif new:
            self.fire("subscription-added", node=node.name, jid=jid, normalized_jid=bare(jid),
                      options=options)
            if node["notify_sub"]:
                self.tell_owners(node, jid, "subscribed")
        return state

    def _check_room(self, node: Node, jid: str, waits: bool) -> None:
        own = self.by_account.get(bare(jid), {})
        if sum(map(len, own.values())) >= self.setup.max_subscriptions + waits:
            raise PubsubError("too-many-subscriptions")
        if len(node.subscribers) + len(node.pending) >= self.setup.max_subscribers + waits:
            raise PubsubError("too-many-subscriptions", "The node has too many subscribers")
        if not self.setup.has_room():
            raise PubsubError("too-many-subscriptions", "The service has no room for more")

    def remove_subscription(self, name: str, actor: Actor, jid: str) -> None:
        """End a subscription, or a request for one (section 6.2)."""
        if not isinstance(jid, str) or not jid:
            raise PubsubError("jid-required")
        node = self.node(name)
        self.require_own(node, actor, jid, "forbidden")
        with self.locked(name):
            self._still_there(node)
            if jid not in node.subscribers and jid not in node.pending:
                raise PubsubError("no-such-subscriber")
            subscribers, pending = dict(node.subscribers), dict(node.pending)
            was_subscribed = subscribers.pop(jid, None) is not None
            pending.pop(jid, None)
            self.setup.node_store.set(name, node.to_stored(subscribers=subscribers,
                                                           pending=pending))
            node.subscribers, node.pending = subscribers, pending
            self._unindex(name, jid)
        if was_subscribed:
            self.fire("subscription-removed", node=name, jid=jid, normalized_jid=bare(jid))
            if node["notify_sub"]:
                self.tell_owners(node, jid, "none")

    def set_subscription_options(self, name: str, jid: str, options: Any) -> None:
        """Change the options of a subscription or of a request for one."""
        node = self.node(name)
        with self.locked(name):
            self._still_there(node)
            kept = {"subscribers": dict(node.subscribers), "pending": dict(node.pending)}
            of_jid = next((entries for entries in kept.values() if jid in entries), None)
            if of_jid is None:
                raise PubsubError("no-such-subscriber")
            of_jid[jid] = options
            self.setup.node_store.set(name, node.to_stored(**kept))
            node.subscribers, node.pending = kept["subscribers"], kept["pending"]

    def subscription(self, node: Node, jid: str) -> tuple[str, Any]:
        """Return (state, options) of a JID: "subscribed", "pending" or "none"."""
        if jid in node.subscribers:
            return "subscribed", node.subscribers[jid]
        if jid in node.pending:
            return "pending", node.pending[jid]
        return "none", None

    def subscriptions_of(self, account: str, name: str | None = None,
                         ) -> Iterator[tuple[Node, str, str, Any]]:
        """Iterate over (node, JID, state, options) of an account, in one node or in all."""
        for jid, names in list(self.by_account.get(bare(account), {}).items()):
            for each in sorted(names) if name is None else [name] if name in names else []:
                node = self.nodes.get(each)
                if node is not None:
                    yield (node, jid, *self.subscription(node, jid))

    def bounced(self, message: Any) -> bool:
        """End the subscriptions of an address that is gone for good, by its error (12.4).

        Returns whether it was such an error.
        """
        type, condition = message.get_error()[:2]
        sender = message.attr.get("from")
        if type != "cancel" or condition not in _GONE or sender is None:
            return False
        for node, jid, _state, _options in list(self.subscriptions_of(sender)):
            if jid == sender:
                self.remove_subscription(node.name, True, jid)
        return True

    # -- after a change of rights ------------------------------------------------------------

    def settle(self, node: Node, account: str) -> None:
        """End what an account may not have any longer, begin what it waits for and may have."""
        for _node, jid, state, options in list(self.subscriptions_of(account, node.name)):
            why_not = self._why_not_have(node, jid)
            if state == "pending" and why_not is None:
                self._subscribe(node, jid, options, "subscribed")
                self.tell_state(node, jid, "subscribed")
            elif why_not is not None and (state == "subscribed" or why_not != "not-subscribed"):
                self.end(node, jid)

    def _why_not_have(self, node: Node, jid: str) -> str | None:
        if self.affiliation(node, jid) == "publish-only":
            return "forbidden"
        return self.why_not_subscribe(node, jid)

    def end(self, node: Node, jid: str) -> None:
        """End a subscription that may not be any longer, and say so."""
        try:
            self.remove_subscription(node.name, True, jid)
        except PubsubError as error:
            if error.name not in ("no-such-subscriber", "item-not-found"):
                raise
            return
        self.tell_state(node, jid, "none")

    def end_unlawful(self, node: Node) -> None:
        """End all subscriptions that the access model does not allow any longer."""
        for jid in list(node.subscribers):
            if self._why_not_have(node, jid) is not None:
                self.end(node, jid)

    # -- telling -----------------------------------------------------------------------------

    def notify(self, notice: Notice) -> None:
        """Tell the subscribers of something that has happened to a node."""
        node = notice.node
        receivers = {}
        watched = node["access_model"] in ("presence", "roster")
        for jid, options in list(node.subscribers.items()):
            # What rosters say may have changed since (XEP-0163 section 8.1).
            if watched and self._why_not_have(node, jid) is not None:
                self.end(node, jid)
            elif wants_delivery(options):
                receivers[jid] = options
        self.setup.deliver(notice, receivers)

    def greet(self, node: Node, jid: str, to: str | None = None) -> None:
        """Send the last item to a subscriber (at `to`), if the node is so configured (6.1.7)."""
        if (node["send_last_published_item"] == "never" or not node["notify_items"]
                or not node["persist_items"] or not wants_delivery(node.subscribers.get(jid))):
            return
        item = self.items(node).last()
        if item is not None:
            notice = Notice("items", node, item, late=True,
                            publisher=self.setup.expose_publisher)
            self.setup.tell(to or jid, notice.message(self.setup.jid))

    def tell_state(self, node: Node, jid: str, state: str) -> None:
        """Tell somebody about the state of the own subscription (section 12.15)."""
        detail = subscription_element(node.name, jid, state)
        self.setup.tell(jid, Notice("subscription", node, detail=detail).message(self.setup.jid))

    def tell_owners(self, node: Node, jid: str, state: str) -> None:
        """Tell the owners that somebody has come or gone (notify_sub)."""
        detail = subscription_element(node.name, jid, state)
        for owner in self.owners(node):
            self.setup.tell(owner, Notice("subscription", node, detail=detail)
                            .message(self.setup.jid))
