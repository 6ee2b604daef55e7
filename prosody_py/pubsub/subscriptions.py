"""Subscriptions: asked for, changed and ended (XEP-0060 sections 6.1 to 6.3 and 8.6).

An address may have several to one node, with options of their own (6.1.6): who subscribes once more
with other options gets another one, who says no options, or the same, gets the one there is. When
the only difference is the end of a lease, that is a renewal.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

from prosody_py.pubsub.access import Actor, bare
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.node import FIRST, Node
from prosody_py.pubsub.subscribe_options import TYPE, essence

_GONE = ("item-not-found", "gone", "remote-server-not-found")


class Subscription(NamedTuple):
    """One subscription, or a request for one; state "subscribed", "pending" or "none"."""

    node: Node
    jid: str
    state: str
    options: Any
    subid: str


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

    # -- asked for ---------------------------------------------------------------------------

    def add_subscription(self, name: str, actor: Actor, jid: str, options: Any = True) -> str:
        """Subscribe a JID, or change the options of the subscription that it has.

        Returns "subscribed", or "pending" if it has to wait.
        """
        return self.subscribe(name, actor, jid, options, several=False).state

    def subscribe(self, name: str, actor: Actor, jid: str, options: Any = True,
                  several: bool = True) -> Subscription:
        """Subscribe a JID (section 6.1); return the subscription.

        A node that an owner has to approve for waits in `node.pending`, and its owners are asked.
        `several` is whether other options mean another subscription.
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
        state = self._state_for(node, actor, jid)
        options = self.for_its_time(node, jid, options or True)
        return self._subscribe(node, jid, options, state, several)

    def _state_for(self, node: Node, actor: Actor, jid: str) -> str:
        """Return the state of a new subscription; raises PubsubError for one that cannot be."""
        if actor is True or bare(actor) != bare(jid):  # an owner decides
            if self.affiliation(node, jid) == "outcast":
                raise PubsubError("forbidden")
            known = jid in node.subscribers or jid in node.pending
            if actor is not True and not known and not self.setup.may_add(bare(actor), jid, node):
                raise PubsubError("forbidden", "Owners do not subscribe strangers here")
            return "subscribed"
        why_not = self.why_not_subscribe(node, jid)
        if why_not == "not-subscribed":
            return "pending"
        if why_not is not None:
            raise PubsubError(why_not)
        return "subscribed"

    def _subscribe(self, node: Node, jid: str, options: Any, state: str,
                   several: bool = False) -> Subscription:
        with self.locked(node.name):
            self._still_there(node)
            have, waits = node.subscriptions(jid), jid in node.pending
            if have:
                state = "subscribed"
                subid, further = self._which(have, options, several, node.is_collection)
                if not further and (options is True or have[subid] == options):
                    return Subscription(node, jid, state, have[subid], subid)
            else:
                subid, further = FIRST, True
                if state == "pending" and waits:
                    raise PubsubError("pending-subscription")
            if further:
                self._check_room(node, jid, waits)
            if state == "pending":
                self._store(node, jid, have, options)
            else:
                self._store(node, jid, {**have, subid: options})
            self._index(node.name, jid)
        self.note_lease(node, jid, subid, options)
        if state == "pending":
            self.ask_owners(node, jid)
        elif further:
            if not have:
                self.fire("subscription-added", node=node.name, jid=jid, normalized_jid=bare(jid),
                          options=options)
            if node["notify_sub"]:
                self.tell_owners(node, jid, "subscribed", subid)
        return Subscription(node, jid, state, options, subid)

    def _which(self, have: dict[str, Any], options: Any, several: bool,
               is_collection: bool) -> tuple[str, bool]:
        """Return (SubID, whether it is another one) of who subscribes once more."""
        subid = next(iter(have))
        if options is True or not several or self.setup.max_subids == 1:
            return subid, False
        for known, own in have.items():
            if essence(own) == essence(options):
                return known, False
            if is_collection and essence(own).get(TYPE) == essence(options).get(TYPE):
                raise PubsubError("conflict", "There is a subscription for such notifications")
        if len(have) >= self.setup.max_subids:
            raise PubsubError("too-many-subscriptions",
                              f"An address has at most {self.setup.max_subids} of them")
        return secrets.token_urlsafe(9), True

    def _store(self, node: Node, jid: str, wanted: dict[str, Any], pending: Any = None) -> None:
        fields = node.with_subscriptions(jid, wanted, pending)
        self.setup.node_store.set(node.name, node.to_stored(**fields))
        for name, value in fields.items():
            setattr(node, name, value)

    def _check_room(self, node: Node, jid: str, waits: bool) -> None:
        own = self.by_account.get(bare(jid), {})
        count = sum(max(1, len(self.nodes[name].several.get(other, ())))
                    for other, names in own.items() for name in names if name in self.nodes)
        if count >= self.setup.max_subscriptions + waits:
            raise PubsubError("too-many-subscriptions")
        if node.subscription_count >= self.setup.max_subscribers + waits:
            raise PubsubError("too-many-subscriptions", "The node has too many subscribers")
        if not self.setup.has_room():
            raise PubsubError("too-many-subscriptions", "The service has no room for more")

    # -- changed and ended -------------------------------------------------------------------

    def choose(self, node: Node, jid: str, subid: str | None, type: str = "cancel") -> Subscription:
        """Return the subscription of an address that somebody means (6.2.3, 6.3.4).

        Raises PubsubError "no-such-subscriber", "subid-required" or "invalid-subid"; `type` is
        that of the first error.
        """
        have = node.subscriptions(jid)
        if not have:
            if jid in node.pending:
                return Subscription(node, jid, "pending", node.pending[jid], FIRST)
            error = PubsubError("no-such-subscriber")
            error.type = type
            raise error
        if subid is None and len(have) > 1:
            raise PubsubError("subid-required")
        if subid is not None and subid not in have:
            raise PubsubError("invalid-subid")
        subid = subid or next(iter(have))
        return Subscription(node, jid, "subscribed", have[subid], subid)

    def remove_subscription(self, name: str, actor: Actor, jid: str,
                            subid: str | None = None) -> None:
        """End a subscription, or a request for one (section 6.2); all of an address by default."""
        if not isinstance(jid, str) or not jid:
            raise PubsubError("jid-required")
        node = self.node(name)
        self.require_own(node, actor, jid, "forbidden")
        with self.locked(name):
            self._still_there(node)
            have = dict(node.subscriptions(jid))
            if not have and jid not in node.pending:
                raise PubsubError("no-such-subscriber")
            if have and subid is not None and subid not in have:
                raise PubsubError("invalid-subid")
            gone = list(have) if subid is None else [subid]
            for each in gone:
                have.pop(each, None)
            was_subscribed = jid in node.subscribers
            self._store(node, jid, have)
            if not have:
                self._unindex(name, jid)
        for each in gone or [FIRST]:
            self.forget_lease(node, jid, each)
            self.forget_digest(node, jid, each)
        if was_subscribed:
            if not have:
                self.fire("subscription-removed", node=name, jid=jid, normalized_jid=bare(jid))
            for each in gone if node["notify_sub"] else ():
                self.tell_owners(node, jid, "none", each)

    def set_subscription_options(self, name: str, jid: str, options: Any,
                                 subid: str | None = None) -> None:
        """Change the options of a subscription or of a request for one."""
        node = self.node(name)
        options = self.for_its_time(node, jid, options)
        with self.locked(name):
            self._still_there(node)
            chosen = self.choose(node, jid, subid)
            if chosen.state == "pending":
                self._store(node, jid, {}, options)
            else:
                self._store(node, jid, {**node.subscriptions(jid), chosen.subid: options})
        self.note_lease(node, jid, chosen.subid, options)

    def subscription(self, node: Node, jid: str) -> tuple[str, Any]:
        """Return (state, options) of a JID: "subscribed", "pending" or "none"."""
        if jid in node.subscribers:
            return "subscribed", node.subscribers[jid]
        if jid in node.pending:
            return "pending", node.pending[jid]
        return "none", None

    def subscriptions_of(self, account: str, name: str | None = None) -> Iterator[Subscription]:
        """Iterate over the subscriptions of an account, to one node or to all."""
        for jid, names in list(self.by_account.get(bare(account), {}).items()):
            for each in sorted(names) if name is None else [name] if name in names else []:
                node = self.nodes.get(each)
                if node is None:
                    continue
                if jid in node.pending:
                    yield Subscription(node, jid, "pending", node.pending[jid], FIRST)
                for subid, options in list(node.subscriptions(jid).items()):
                    yield Subscription(node, jid, "subscribed", options, subid)

    def bounced(self, message: Any) -> bool:
        """End the subscriptions of an address that is gone for good, by its error (12.4).

        Returns whether it was such an error.
        """
        type, condition = message.get_error()[:2]
        sender = message.attr.get("from")
        if type != "cancel" or condition not in _GONE or sender is None:
            return False
        for name in sorted(self.by_account.get(bare(sender), {}).get(sender, ())):
            self.remove_subscription(name, True, sender)
        return True

    # -- after a change of rights ------------------------------------------------------------

    def settle(self, node: Node, account: str) -> None:
        """End what an account may not have any longer, begin what it waits for and may have."""
        for jid, names in list(self.by_account.get(bare(account), {}).items()):
            if node.name in names:
                self._settle(node, jid)

    def _settle(self, node: Node, jid: str) -> None:
        why_not, waits = self._why_not_have(node, jid), jid in node.pending
        if waits and why_not is None:
            self._subscribe(node, jid, node.pending[jid], "subscribed")
            self.tell_state(node, jid, "subscribed", FIRST)
            self.greet(node, jid)
        elif why_not is not None and not (waits and why_not == "not-subscribed"):
            self.end(node, jid)

    def _why_not_have(self, node: Node, jid: str) -> str | None:
        if self.affiliation(node, jid) == "publish-only":
            return "forbidden"
        return self.why_not_subscribe(node, jid)

    def end(self, node: Node, jid: str, subid: str | None = None) -> None:
        """End a subscription that may not be any longer, and say so; all by default."""
        subids = list(node.subscriptions(jid)) or [FIRST] if subid is None else [subid]
        try:
            self.remove_subscription(node.name, True, jid, subid)
        except PubsubError as error:
            if error.name not in ("no-such-subscriber", "item-not-found", "invalid-subid"):
                raise
            return
        for each in subids:
            self.tell_state(node, jid, "none", each)

    def settle_all(self, node: Node) -> None:
        """Bring all subscriptions in line with another access model."""
        for jid in [*node.subscribers, *node.pending]:
            self._settle(node, jid)
