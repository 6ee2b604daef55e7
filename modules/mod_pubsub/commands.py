"""Commands of administrators for nodes (prosody_py.api.commands): `pubsub ...`."""

from __future__ import annotations

from typing import Any

from prosody_py.api import CommandError, Table, command, datetime, offer_commands
from prosody_py.api.commands.forms import value_of
from prosody_py.pubsub import commands as plain
from prosody_py.pubsub import node_config

MAX_ITEMS = 1000  # of a node that are listed


@command("pubsub", "list-nodes", "host:host", help="Nodes of publish-subscribe services")
def list_nodes(module, call, host):
    """List the nodes of a service."""
    rows = [(node["node"], node["title"], node["access_model"], node["subscribers"])
            for node in plain.list_nodes(module.service)]
    return Table(("node", "title", "access", "subscribers"), rows)


@command("pubsub", "node", "host:host", "node:string")
def show_node(module, call, host, node):
    """Show everything about a node, but for its items."""
    known = plain.read_node(module.service, node, 1)
    rows: list[tuple[str, Any]] = [("node", node)]
    rows += [(name, shown(value)) for name, value in sorted(known["config"].items())]
    rows += [("affiliation", f"{who}: {what}")
             for who, what in sorted(known["affiliations"].items())]
    rows += [("subscriber", who) for who in known["subscribers"]]
    rows += [("waits for approval", who) for who in known["pending"]]
    return Table(("what", "value"), rows)


def shown(value: Any) -> Any:
    """Return the value of an option for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


@command("pubsub", "items", "host:host", "node:string", "number:integer?")
def list_items(module, call, host, node, number):
    """List the newest items of a node, twenty or so many."""
    most = min(max(1, number or 20), MAX_ITEMS)
    rows = [(item["id"], datetime.format_datetime(item["when"]), item["publisher"],
             item["payload"]) for item in plain.read_node(module.service, node, most)["items"]]
    return Table(("item", "published", "by", "payload"), rows)


@command("pubsub", "create", "host:host", "node:string", "owner:bare_jid?")
def create(module, call, host, node, owner):
    """Make a node, which an account may get."""
    plain.create_node(module.service, node, owner)
    return f"The node {node} was made"


@command("pubsub", "delete", "host:host", "node:string")
def delete(module, call, host, node):
    """Delete a node with its items; its subscribers are told."""
    plain.delete_node(module.service, node)
    return f"The node {node} was deleted"


@command("pubsub", "configure", "host:host", "node:string", "option:string", "value:text?")
def configure(module, call, host, node, option, value):
    """Change one option of a node; without a value it is the default again."""
    form = node_config.form(module.options.pubsub_max_items)
    field = next((one for one in form.fields if one["name"] == option and option != "FORM_TYPE"),
                 None)
    if field is None:
        raise CommandError(f"Nodes have no option {option}", "item-not-found")
    plain.configure_node(module.service, node,
                         {option: None if value is None else value_of(field, value)})
    return f"{option} of {node} was changed"


def load(module: Any) -> None:
    """Offer the commands."""
    offer_commands(module, list_nodes, show_node, list_items, create, delete, configure)
