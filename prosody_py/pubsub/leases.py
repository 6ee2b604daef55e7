"""Subscriptions that end by themselves (XEP-0060 sections 12.4 and 12.18).

A lease ends at a time; its subscriber hears of it a day before, and at the end. A temporary
subscription ends when its subscriber goes offline, and has not outlived a restart of the server.
Both are kept as options of the subscription, so what ends when is known again after a restart.
"""

from __future__ import annotations

import time
from typing import Any

from prosody_py.pubsub.access import bare
from prosody_py.pubsub.agenda import Agenda, Key
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.node import FIRST, Node
from prosody_py.pubsub.subscribe_options import EXPIRE, PRESENCE, is_temporary, lease_end
from prosody_py.storage.interface import StorageError

WARNING = 86_400  # seconds before its end in which a subscriber is reminded of a lease
AGAIN = 60  # seconds after which something is tried again that the store could not do
LEASE, REMINDER, DIGEST = "lease", "reminder", "digest"


class Leases:
    """Mixed into Service; `agenda` is made with the first thing to do at a time."""

    setup: Any
    nodes: dict[str, Node]
    _agenda: Agenda | None = None
    _publishers: dict[str, set[str]] | None

    @property
    def agenda(self) -> Agenda:
        """What is to be done at a certain time; only for a service that has timers."""
        if self._agenda is None:
            self._agenda = Agenda(self.setup.add_timer, self._due, hold=(DIGEST,))
        return self._agenda

    def note_lease(self, node: Node, jid: str, subid: str, options: Any) -> None:
        """Note when a subscription ends, if it does."""
        end = lease_end(options)
        if end is None or self.setup.add_timer is None:
            self.forget_lease(node, jid, subid)
            return
        self.agenda.put((LEASE, node.name, jid, subid), end)
        if end - WARNING > time.time():
            self.agenda.put((REMINDER, node.name, jid, subid), end - WARNING)
        else:
            self.agenda.drop((REMINDER, node.name, jid, subid))

    def forget_lease(self, node: Node, jid: str, subid: str) -> None:
        """Forget when a subscription was to end."""
        if self._agenda is not None:
            self._agenda.drop((LEASE, node.name, jid, subid))
            self._agenda.drop((REMINDER, node.name, jid, subid))

    def note_leases(self, node: Node) -> None:
        """Note the ends of all subscriptions to a node that has been read."""
        for jid, options in (*node.subscribers.items(), *node.pending.items()):
            if options is not True:
                for subid, own in (node.subscriptions(jid) or {FIRST: options}).items():
                    if lease_end(own) is not None:
                        self.note_lease(node, jid, subid, own)

    def _due(self, keys: list[Key]) -> None:
        digests = []
        for key in keys:
            try:
                if key[0] == DIGEST:
                    digests.append(key)
                elif key[0] == LEASE:
                    self._end_lease(*key[1:])
                else:
                    self._remind(*key[1:])
            except StorageError as error:
                self.setup.log_failure(error)
                self.agenda.put(key, time.time() + AGAIN)
        if digests:
            self.send_digests(digests)

    def _lease(self, name: str, jid: str, subid: str) -> tuple[Node | None, Any]:
        node = self.nodes.get(name)
        if node is None:
            return None, None
        return node, node.subscriptions(jid).get(subid) or node.pending.get(jid)

    def _end_lease(self, name: str, jid: str, subid: str) -> None:
        node, options = self._lease(name, jid, subid)
        end = lease_end(options)
        if node is not None and end is not None and end <= time.time():
            self.end(node, jid, subid)

    def _remind(self, name: str, jid: str, subid: str) -> None:
        node, options = self._lease(name, jid, subid)
        if node is not None and lease_end(options) is not None and jid in node.subscribers:
            self.tell_state(node, jid, "subscribed", subid, options[EXPIRE])

    # -- as long as somebody is online ---------------------------------------------------------

    def for_its_time(self, node: Node, jid: str, options: Any) -> Any:
        """Return the options of a subscription to a node whose subscriptions may be temporary.

        Raises PubsubError for a temporary subscription of who is not online.
        """
        if self.setup.shows is None:
            return options
        if node["tempsub"]:
            options = {**(options if isinstance(options, dict) else {}), EXPIRE: PRESENCE}
        if is_temporary(options) and not self.setup.shows(jid):
            raise PubsubError("not-acceptable", "A temporary subscription is for who is online "
                              "and has let this service know it by its presence")
        return options

    def went_offline(self, address: str) -> None:
        """End what lasted as long as a full JID was online, or its account."""
        for node, jid, _state, options, subid in list(self.subscriptions_of(address)):
            if is_temporary(options) and not self.setup.shows(jid):
                self._end_silently(node, jid, subid)
        if self._publishers and bare(address) in self._publishers \
                and not self.setup.shows(bare(address)):
            self.purge_of(bare(address))

    def end_absent(self, node: Node) -> None:
        """End the temporary subscriptions of all who are not online, or make all temporary."""
        for jid, options in list(node.subscribers.items()):
            if options is True and not node["tempsub"]:
                continue
            there = None
            for subid, own in list(node.subscriptions(jid).items()):
                if node["tempsub"] or is_temporary(own):
                    there = bool(self.setup.shows(jid)) if there is None else there
                    if not there:
                        self._end_silently(node, jid, subid)
                    elif not is_temporary(own):
                        self.set_subscription_options(node.name, jid, own, subid)

    def _end_silently(self, node: Node, jid: str, subid: str) -> None:
        try:
            self.remove_subscription(node.name, True, jid, subid)
        except PubsubError as error:
            if error.name not in ("no-such-subscriber", "item-not-found", "invalid-subid"):
                raise
