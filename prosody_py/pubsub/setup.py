"""What a service is told by who makes it: its address, its stores, its limits, its neighbours."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from prosody_py.pubsub.node import Node
from prosody_py.pubsub.notices import Notice, Wish


class NodeStore(Protocol):
    """The nodes of one service, by name in the form of Node.to_stored."""

    def all(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stored data) of all nodes."""

    def set(self, name: str, stored: Mapping[str, Any] | None) -> None:
        """Replace one node; None deletes it."""

    def moved_to(self, name: str) -> str | None:
        """Return the URI where a deleted node has moved to, None for all others."""

    def set_moved(self, name: str, uri: str | None, most: int = 0) -> None:
        """Remember where a node has moved to; None forgets it. Of more than `most` some go."""


def changes_of_moved(known: Mapping[str, Any], name: str, uri: str | None, most: int,
                     removed: Any) -> dict[str, Any]:
    """Return what to change of where nodes have moved to, for `NodeStore.set_moved`."""
    if uri is None:
        return {name: removed}
    others = [other for other in known if other != name]
    return {**dict.fromkeys(others[:max(0, len(others) + 1 - most)], removed), name: uri}


log = logging.getLogger("pubsub")


def _log_failure(error: Exception) -> None:
    log.error("The store of a service has failed: %s", error)


def _nobody(_jid: str, _node: str | None, _action: str) -> str | None:
    return None


def _no_access(_model: str, _jid: str, _node: Node) -> bool:
    return False


def _anybody(_actor: str, _jid: str, _node: Node) -> bool:
    return True


def _always() -> bool:
    return True


def _none(_node: Node) -> Iterable[str]:
    return ()


def _nothing(*_args: Any) -> None:
    return None


@dataclass
class Setup:
    """The surroundings of a service.

    `get_affiliation(bare JID, node's name or None, action)` is what the service itself says of
    somebody; `has_access(model, bare JID, node)` decides for the models "presence" and "roster"
    and may wait. `may_add(actor, JID, node)` is whether who owns a node may subscribe somebody
    else, `has_room()` whether there is room for another subscription. `deliver(notice, {JID:
    wish})` tells the subscribers, and whoever else there is to be told. `tell(JID, message)` sends
    a message to one. `open_items(node's name)` opens an archive. `config_for(node's name)` is what
    a node that is made by publishing to it has beside the defaults. `published(node, item)` and
    `retracted(node, id)` hear of what has happened; the id is None when all items are gone.
    `audience(node)` are the addresses that are told although they are not subscribed.

    What may be missing, and then is not offered: `summary(payload)` gives a text for a payload;
    `add_timer(seconds, function, *args)` calls `function(now, *args)` and returns something that
    can `stop()`; `shows(JID)` is in which states (subscribe_options.STATES) an address is online.
    """

    jid: str
    node_store: NodeStore
    open_items: Callable[[str], Any]
    user: str | None = None
    node_defaults: Mapping[str, Any] = field(default_factory=dict)
    max_items: int = 256
    max_nodes: int = 1000
    max_subscriptions: int = 1000
    max_subscribers: int = 10_000
    max_subids: int = 10                # subscriptions of one address to one node
    max_lease: float = 0                # seconds that a lease may last; 0: as long as is wanted
    max_payload_size: int = 0           # bytes; 0: as large as a stanza may be
    expose_publisher: bool = False
    collections: bool = False           # whether nodes may be in others (XEP-0248)
    autocreate_on_publish: bool = False
    autocreate_on_subscribe: bool = False
    get_affiliation: Callable[[str, str | None, str], str | None] = _nobody
    has_access: Callable[[str, str, Node], bool] = _no_access
    may_add: Callable[[str, str, Node], bool] = _anybody
    deliver: Callable[[Notice, Mapping[str, Wish]], None] = _nothing
    tell: Callable[[str, Any], None] = _nothing
    config_for: Callable[[str], Mapping[str, Any] | None] = _nothing
    published: Callable[[Node, Any], None] = _nothing
    retracted: Callable[[Node, str | None], None] = _nothing
    audience: Callable[[Node], Iterable[str]] = _none
    has_room: Callable[[], bool] = _always
    log_failure: Callable[[Exception], None] = _log_failure
    summary: Callable[[Any], str | None] | None = None
    add_timer: Callable[..., Any] | None = None
    shows: Callable[[str], Collection[str]] | None = None

    def __post_init__(self) -> None:
        if "itemreply" not in self.node_defaults:
            reply = "publisher" if self.expose_publisher else "none"
            self.node_defaults = {**self.node_defaults, "itemreply": reply}
