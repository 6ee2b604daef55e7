"""The commands of Prosody's shell for publish-subscribe services, for the modules that have some.

    offer(module, lambda address: the Service at this address, or None)

They are items "shell-command" in the section "pubsub": the service's address comes first, that of
a component or of an account.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api.commands import CommandError, Table
from prosody_py.pubsub import commands, node_config
from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.service import Service
from prosody_py.xmpp.datetime import format_datetime
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.stanza import Stanza

_HELP = "Nodes of publish-subscribe services and of accounts"
MAX_LISTED = 1000


def create_node(service: Service, node: str) -> str:
    """Make a node."""
    commands.create_node(service, node)
    return f"The node {node} was made"


def delete_node(service: Service, node: str) -> str:
    """Delete a node and all its items."""
    commands.delete_node(service, node)
    return f"The node {node} was deleted"


def list_nodes(service: Service) -> Table:
    """List the nodes of a service."""
    return Table(("node", "title", "access", "subscribers"), [
        (found["node"], found["title"] or "", found["access_model"], found["subscribers"])
        for found in commands.list_nodes(service)])


def list_items(service: Service, node: str) -> Table:
    """List the items of a node, oldest first."""
    items = service.get_items(node, True, most=MAX_LISTED).items
    return Table(("id", "published", "publisher"), [
        (item.id, format_datetime(int(item.when)), item.publisher) for item in items])


def get_item(service: Service, node: str, item: str) -> str:
    """Show an item."""
    found = service.get_items(node, True, [item]).items
    if not found:
        raise PubsubError("item-not-found", "There is no such item")
    return str(found[0].payload or "")


def delete_item(service: Service, node: str, item: str) -> str:
    """Delete an item."""
    service.retract(node, True, item, True)
    return f"The item {item} was deleted"


def delete_all_items(service: Service, node: str) -> str:
    """Delete all items of a node."""
    service.purge(node, True, True)
    return f"The items of {node} were deleted"


def get_node_config(service: Service, node: str) -> Table:
    """Show the configuration of a node."""
    settings = service.get_node_config(node, True)
    return Table(("what", "value"), [
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in sorted(settings.items())])


def set_node_config_option(service: Service, node: str, option: str,
                           value: str | None = None) -> str:
    """Change an option of a node; without a value take it back to the default."""
    if option not in node_config.FIELDS:
        raise PubsubError("not-acceptable",
                          f"The options are {', '.join(sorted(node_config.FIELDS))}")
    x = Stanza("x", {"xmlns": "jabber:x:data", "type": "submit"})
    x.tag("field", var=node_config.FIELDS[option])
    if value:
        x.text_tag("value", value)
    service.set_node_config(node, True, node_config.read(service.setup, x.reset()))
    return f"The option {option} of {node} was changed"


_COMMANDS: dict[Callable[..., Any], tuple[str, ...]] = {
    create_node: ("node",), delete_node: ("node",), list_nodes: (), list_items: ("node",),
    get_item: ("node", "item"), delete_item: ("node", "item"), delete_all_items: ("node",),
    get_node_config: ("node",), set_node_config_option: ("node", "option", "value?"),
}


def offer(module, service_at: Callable[[str], Service | None]) -> None:
    """Let a module offer the commands for its services."""
    for function, names in _COMMANDS.items():
        args = [{"name": "service_jid", "type": "jid"}]
        args += [{"name": name.removesuffix("?"), "type": "string", "optional": name.endswith("?")}
                 for name in names]
        module.add_item("shell-command", {
            "section": "pubsub", "section_desc": _HELP, "name": function.__name__,
            "desc": function.__doc__, "args": args, "host_selector": "service_jid",
            "role": "prosody:admin", "handler": _handler(function, service_at)})


def _handler(function: Callable[..., Any], service_at: Callable[[str], Service | None]):
    def handle(_call: Any, address: str, *values: Any) -> Any:
        service = service_at(address)
        if service is None:
            raise CommandError(f"There is no service at {address}", "item-not-found")
        try:
            return function(service, *values)
        except StanzaError as error:
            raise CommandError(error.text or error.condition, error.condition) from None

    return handle
