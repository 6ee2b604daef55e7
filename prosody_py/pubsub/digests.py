"""Notifications that are gathered and sent together (pubsub#digest, XEP-0060 section 16.4.2).

Data and owner: a service has a Log for each node with a subscriber who has something to come. The
log has what has happened to the node, once for all of them, without the payloads that the node
keeps; a subscriber is a place in it. A log that is full is sent early, so its size is bounded.
When a subscriber's time has come (agenda), the last state of each item goes out: retracted ids in
one message, items in another or in as many as are not too large.

In memory only: `flush` sends everything when a service ends. After a crash what was to come is in
the node, but nobody is told.
"""

from __future__ import annotations

import time
from typing import Any

from prosody_py.pubsub.items import Item
from prosody_py.pubsub.leases import DIGEST
from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import Notice
from prosody_py.pubsub.subscribe_options import A_DAY, BODY, FREQUENCY
from prosody_py.xmpp.writer import serialize

MOST, MOST_HELD = 256, 20  # events in a log: of a node that keeps its items, of one that does not
MAX_SIZE = 50_000  # characters of the items in one message


class Log:
    """What has happened to a node: (id, Item that the node does not keep, or None, retracted?)."""

    __slots__ = ("entries", "last", "since")

    def __init__(self) -> None:
        self.entries: list[tuple[str, Item | None, bool]] = []
        self.last: Notice | None = None
        self.since: dict[tuple[str, str], int] = {}  # by (JID, SubID) the place it begins at


class Digests:
    """Mixed into Service."""

    setup: Any
    nodes: dict[str, Node]
    _logs: dict[str, Log] | None = None  # by the name of the node

    @property
    def can_digest(self) -> bool:
        """Whether the service can do something later."""
        return self.setup.add_timer is not None

    def note_digest(self, notice: Notice, jid: str, subid: str, options: dict[str, Any]) -> None:
        """Let a subscriber hear of something with the next digest."""
        node, new = notice.node, len(notice.items) + len(notice.ids)
        if self._logs is None:
            self._logs = {}
        log = self._logs.get(node.name)
        if log is None or log.last is not notice:
            kept = node["persist_items"]
            if log is not None and len(log.entries) + new > (MOST if kept else MOST_HELD):
                self.flush_node(node)
                log = None
            if log is None:
                log = self._logs[node.name] = Log()
            log.last = notice
            log.entries += [(item.id, None if kept else item, False) for item in notice.items]
            log.entries += [(id, None, True) for id in notice.ids]
        if (jid, subid) not in log.since:
            log.since[jid, subid] = len(log.entries) - new
            wait = options.get(FREQUENCY) or A_DAY
            self.agenda.put((DIGEST, node.name, jid, subid), time.time() + int(wait) / 1000)

    def forget_digest(self, node: Node, jid: str, subid: str) -> None:
        """Forget what was to come for a subscription that has ended."""
        log = self._logs.get(node.name) if self._logs else None
        if log is not None and log.since.pop((jid, subid), None) is not None:
            self.agenda.drop((DIGEST, node.name, jid, subid))
            if not log.since:
                del self._logs[node.name]

    def forget_digests(self, node: Node) -> None:
        """Forget what was to come of a node whose items are gone."""
        log = self._logs.pop(node.name, None) if self._logs else None
        for own in log.since if log is not None else ():
            self.agenda.drop((DIGEST, node.name, *own))

    def flush_node(self, node: Node) -> None:
        """Send all digests of a node now."""
        log = self._logs.get(node.name) if self._logs else None
        if log is not None:
            keys = [(DIGEST, node.name, *own) for own in log.since]
            for key in keys:
                self.agenda.drop(key)
            self.send_digests(keys)

    def flush(self) -> None:
        """Send all digests now, because the service ends."""
        for name in list(self._logs or ()):
            if name in self.nodes:
                self.flush_node(self.nodes[name])

    def send_digests(self, keys: list[tuple[str, ...]]) -> None:
        """Send the digests of these keys of the agenda."""
        made: dict[tuple[str, int], list[Notice]] = {}
        due, logs = [], self._logs or {}
        for _word, name, jid, subid in keys:
            log = logs.get(name)
            begins = log.since.pop((jid, subid), None) if log is not None else None
            if begins is not None:
                due.append((name, jid, subid, begins, log.entries[begins:]))
                if not log.since:
                    del logs[name]
        for name, jid, subid, begins, entries in due:
            node = self.nodes.get(name)
            if node is None:
                continue
            if (name, begins) not in made:
                made[name, begins] = self._notices(node, entries)
            self._send(node, jid, subid, made[name, begins])

    def _notices(self, node: Node, entries: list[tuple[str, Item | None, bool]]) -> list[Notice]:
        state: dict[str, tuple[Item | None, bool]] = {}
        for id, item, retracted in entries:
            state.pop(id, None)
            state[id] = item, retracted
        gone = [id for id, (_item, retracted) in state.items() if retracted]
        found = []
        for id, (item, retracted) in state.items():
            if not retracted and item is None and node["persist_items"]:
                item = self.items(node).get(id)
            if not retracted and item is not None:
                found.append(item)
        notices = [Notice("retract", node, ids=gone)] if gone else []
        publisher = self.shown_publisher(node)
        return notices + [Notice("items", node, items=part, publisher=publisher, late=True)
                          for part in _parts(found)]

    def _send(self, node: Node, jid: str, subid: str, notices: list[Notice]) -> None:
        have = node.subscriptions(jid)
        options = have.get(subid)
        if not isinstance(options, dict) or self._why_not_have(node, jid) is not None \
                or not self.is_reachable(node, jid, options):
            return
        subids = [subid] if len(have) > 1 else []
        for notice in notices:
            body = notice.text(self.setup.summary) if options.get(BODY) else None
            self.setup.tell(jid, notice.message(self.setup.jid, body, subids))


def _parts(items: list[Item]) -> list[list[Item]]:
    """Divide items among messages of a bounded size."""
    parts: list[list[Item]] = []
    room = 0
    for item in items:
        size = 100 + (0 if item.payload is None else len(serialize(item.payload)))
        if room < size or not parts:
            parts.append([])
            room = MAX_SIZE
        parts[-1].append(item)
        room -= size
    return parts
