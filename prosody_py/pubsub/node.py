"""A node: its own data, as it is in memory and in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.pubsub.node_config import DEFAULTS

AFFILIATIONS = ("owner", "publisher", "publish-only", "member", "none", "outcast")
FIRST = "1"
"""The identifier (SubID) of an address's only subscription, unless it was one of several."""
UNKNOWN: Any = object()
"""In the place of a node's last item: it has to be read."""


class Node:
    """One node of a service.

    `config` has what differs from the service's defaults; `node["access_model"]` is the value
    that counts. `affiliations` and `subscribers` are by JID; a subscription is True or a dict of
    options. `pending` are subscriptions that wait for an owner. Of an address with several
    subscriptions, or with one that has an identifier of its own, `several` has {SubID: options},
    and `subscribers` what they come to together.
    """

    __slots__ = ("name", "config", "defaults", "affiliations", "subscribers", "pending", "several",
                 "created", "creator", "capabilities", "last", "last_id", "notice", "at_most",
                 "changes", "deleted")

    def __init__(self, name: str, defaults: Mapping[str, Any],
                 config: dict[str, Any] | None = None):
        self.name = name
        self.defaults = defaults
        self.config: dict[str, Any] = config or {}
        self.affiliations: dict[str, str] = {}
        self.subscribers: dict[str, Any] = {}
        self.pending: dict[str, Any] = {}
        self.several: dict[str, dict[str, Any]] = {}
        self.created: float | None = None
        self.creator: str | None = None
        self.capabilities: Any = None        # a Lua module's own rules, see set_node_capabilities
        self.last: Any = UNKNOWN             # the item published last; None: there is none
        self.last_id: str | None = None      # its id, also when it is too large to be kept
        self.notice: Any = None              # the notification of `last`, made once
        self.at_most: int | None = None      # there are not more items than this
        self.changes = 0                     # counts changes of the items
        self.deleted = False

    def __getitem__(self, option: str) -> Any:
        value = self.config.get(option)
        if value is None:
            value = self.defaults.get(option)
            if value is None:
                value = DEFAULTS.get(option)
        return value

    @property
    def is_collection(self) -> bool:
        """Whether the node has nodes in it, and no items (XEP-0248)."""
        return self.config.get("node_type") == "collection"

    def settings(self) -> dict[str, Any]:
        """Return the whole configuration, complete with the defaults."""
        return {**DEFAULTS, **self.defaults, **self.config}

    def owners(self) -> list[str]:
        """Return the JIDs whose affiliation is "owner"."""
        return [jid for jid, affiliation in self.affiliations.items() if affiliation == "owner"]

    def subscriptions(self, jid: str) -> dict[str, Any]:
        """Return the subscriptions of an address: {SubID: options}."""
        found = self.several.get(jid)
        if found is not None:
            return found
        options = self.subscribers.get(jid)
        return {} if options is None else {FIRST: options}

    def with_subscriptions(self, jid: str, wanted: dict[str, Any],
                           pending: Any = None) -> dict[str, dict[str, Any]]:
        """Return `subscribers`, `several` and `pending` as they are when an address has these."""
        subscribers, several, waiting = (dict(self.subscribers), dict(self.several),
                                         dict(self.pending))
        for entries in (subscribers, several, waiting):
            entries.pop(jid, None)
        if list(wanted) == [FIRST]:
            subscribers[jid] = wanted[FIRST]
        elif wanted:
            several[jid], subscribers[jid] = wanted, _together(list(wanted.values()))
        if pending is not None:
            waiting[jid] = pending
        return {"subscribers": subscribers, "several": several, "pending": waiting}

    @property
    def subscription_count(self) -> int:
        """How many subscriptions there are, and requests for one."""
        return (len(self.subscribers) + len(self.pending)
                + sum(len(own) - 1 for own in self.several.values()))

    def to_stored(self, **changes: Any) -> dict[str, Any]:
        """Return the node as it is stored (Prosody's form), with `changes` to it."""
        stored = {"name": self.name, "config": self.config, "affiliations": self.affiliations,
                  "subscribers": self.subscribers, "pending": self.pending,
                  "several": self.several, "created": self.created, "creator": self.creator,
                  **changes}
        for optional in ("pending", "several", "created", "creator"):
            if not stored[optional]:
                del stored[optional]
        return stored

    @classmethod
    def from_stored(cls, name: str, stored: Any, defaults: Mapping[str, Any]) -> Node:
        """Return the node that stored data means; what makes no sense is left out."""
        node = cls(name, defaults)
        if not isinstance(stored, Mapping):  # older versions only say that there is a node
            return node
        for field in ("config", "affiliations", "subscribers", "pending", "several"):
            value = stored.get(field)
            if isinstance(value, Mapping):
                getattr(node, field).update(
                    {key: entry for key, entry in value.items() if isinstance(key, str)})
        node.affiliations = {jid: affiliation for jid, affiliation in node.affiliations.items()
                             if affiliation in AFFILIATIONS and affiliation != "none"}
        node.several = {jid: dict(own) for jid, own in node.several.items()
                        if isinstance(own, Mapping) and own and jid in node.subscribers}
        if isinstance(stored.get("created"), int | float):
            node.created = stored["created"]
        if isinstance(stored.get("creator"), str):
            node.creator = stored["creator"]
        return node

    def __repr__(self) -> str:
        return f"<Node {self.name!r}>"


def _together(all_options: list[Any]) -> dict[str, Any]:
    """Return the options of several subscriptions for who knows of one only (as Prosody does)."""
    options = [each if isinstance(each, dict) else {} for each in all_options]
    together = {"pubsub#deliver": any(each.get("pubsub#deliver") is not False
                                      for each in options)}
    if any(each.get("pubsub#include_body") for each in options):
        together["pubsub#include_body"] = True
    return together
