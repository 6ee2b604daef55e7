"""The part of the module API with which modules offer things to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.api.registrations import ItemEntry, ItemsConsumer


class Items:
    """`module.add_item`, `handle_items`, `provides` and their kin; mixed into Module."""

    def add_item(self, key: str, value: Any) -> None:
        """Offer `value` under `key` to the modules of this host (event `item-added/<key>`)."""
        self.registrations.add(ItemEntry(self.owner, self.events, key, value))

    def remove_item(self, key: str, value: Any) -> Any:
        """Take an item back (event `item-removed/<key>`); return it, None if it was not there."""
        for entry in self.registrations.entries:
            if isinstance(entry, ItemEntry) and entry.key == key and entry.value is value:
                self.registrations.remove(entry)
                return value
        return None

    def handle_items(self, key: str, added: Callable, removed: Callable,
                     existing: bool = True) -> None:
        """Call `added(event)` and `removed(event)` for items of `key`; event has source, item.

        With `existing` also for the items that the host's modules offer already.
        """
        consumer = ItemsConsumer(self, key, added, removed)
        if existing is not False:
            consumer.replay()
        else:
            consumer.seen = [item for _source, item in self.host_items(key)]
        self.registrations.add(consumer)

    def host_items(self, key: str) -> list[tuple[Any, Any]]:
        """Return (module, item) for the items of `key` on this host."""
        return [(module, item) for module in list(self.host_modules().values())
                for item in module.items.get(key, ())]

    def get_host_items(self, key: str) -> list[Any]:
        """Return the items of `key` that the modules of this host offer."""
        return [item for _module, item in self.host_items(key)]

    def provides(self, kind: str, item: Any = None) -> Any:
        """Offer `item` as a provider: a "net", "http", "auth", "storage" ... provider.

        `item` is an object or dict; its name defaults to the module's name without a leading
        "<kind>_". Without an item the module itself (all its top-level names) is offered.
        """
        if item is None:
            item = self.exports
        name = self.name.removeprefix(kind + "_")
        if isinstance(item, dict):
            item.setdefault("name", name)
            item["_provided_by"] = self.name
        else:
            if getattr(item, "name", None) is None:
                item.name = name
            item._provided_by = self.name
        self.add_item(kind + "-provider", item)
        return item

    def add_feature(self, feature: str) -> None:
        """Announce a feature of the host in service discovery (XEP-0030)."""
        self.add_item("feature", feature)

    def add_identity(self, category: str, type: str, name: str | None = None) -> None:
        """Announce an identity of the host in service discovery (XEP-0030)."""
        self.add_item("identity", {"category": category, "type": type, "name": name})

    def add_extension(self, form: Any) -> None:
        """Announce a data form of the host in service discovery (XEP-0128)."""
        self.add_item("extension", form)
