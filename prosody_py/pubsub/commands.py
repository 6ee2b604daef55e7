"""What a registry of commands can offer for a service: functions that take and give plain data.

Each acts as the server itself and raises StanzaError (PubsubError) for what cannot be done.
"""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub.service import Service


def list_nodes(service: Service) -> list[dict[str, Any]]:
    """Return name, title, access model, subscribers and time of creation of all nodes."""
    return [{"node": node.name, "title": node["title"], "access_model": node["access_model"],
             "subscribers": len(node.subscribers), "created": node.created}
            for _name, node in sorted(service.nodes.items())]


def read_node(service: Service, name: str, limit: int = 20) -> dict[str, Any]:
    """Return configuration, affiliations, subscribers and the newest items of a node."""
    node = service.node(name)
    items = service.items(node).newest(limit) if node["persist_items"] else []
    return {"node": name, "config": node.settings(), "affiliations": dict(node.affiliations),
            "subscribers": sorted(node.subscribers), "pending": sorted(node.pending),
            "items": [{"id": item.id, "when": item.when, "publisher": item.publisher,
                       "payload": str(item.payload) if item.payload is not None else None}
                      for item in items]}


def create_node(service: Service, name: str, owner: str | None = None,
                config: dict[str, Any] | None = None) -> None:
    """Make a node; `owner` (a bare JID) gets it."""
    service.create(name, True, config)
    if owner is not None:
        service.set_affiliation(name, True, owner, "owner")


def delete_node(service: Service, name: str, redirect: str | None = None) -> None:
    """Delete a node."""
    service.delete(name, True, redirect)


def configure_node(service: Service, name: str, config: dict[str, Any]) -> None:
    """Change options of a node, under their names in the store; None is the default."""
    service.set_node_config(name, True, config)
