"""What a module has registered, so that it can be taken back, and switched on all at once.

Data and owner: each loaded module instance owns one `Registrations`, a list of entries that can
be attached (take effect) and detached. While a module loads, entries are only noted. When loading
has succeeded they are attached in order; when it fails they are thrown away and nobody has seen
them. A reload detaches the old instance's entries and attaches the new one's without letting any
other code run in between.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

from prosody_py.events.bus import Event, Events

log = logging.getLogger("modules")


class Entry(Protocol):
    """One thing that a module has registered."""

    def attach(self) -> None: ...
    def detach(self) -> None: ...


class Registrations:
    """The entries of one module instance, in the order in which they were made."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.attached = False
        self.closed = False

    def add(self, entry: Entry) -> Entry:
        """Note `entry`, and let it take effect if the module is in service.

        What code of an instance that is gone asks for is not even noted; an `Undo` is undone.
        """
        if self.closed:
            if isinstance(entry, Undo):
                entry.detach()
            return entry
        self.entries.append(entry)
        if self.attached:
            entry.attach()
        return entry

    def remove(self, entry: Entry) -> None:
        """Take `entry` back."""
        if entry in self.entries:
            self.entries.remove(entry)
            if self.attached:
                entry.detach()

    def forget(self, entry: Entry) -> None:
        """Drop `entry`, which has ended by itself."""
        if entry in self.entries:
            self.entries.remove(entry)

    def attach(self) -> None:
        """Put everything in service."""
        self.attached = True
        for entry in list(self.entries):
            entry.attach()

    def detach(self) -> None:
        """Take everything out of service, the last first; entries are kept for `attach`."""
        self.attached = False
        for entry in reversed(self.entries):
            try:
                entry.detach()
            except Exception:
                log.exception("Could not take back %r", entry)

    def close(self) -> None:
        """Forget everything: the instance is gone for good."""
        self.closed = True
        self.entries.clear()


class HandlerEntry:
    """A handler of an event."""

    def __init__(self, events: Events, name: str, handler, priority: float, function):
        self.events, self.name, self.priority = events, name, priority
        self.handler = handler
        self.function = function  # what the module gave, before it was bound to the module

    def attach(self) -> None:
        self.events.add_handler(self.name, self.handler, self.priority)

    def detach(self) -> None:
        self.events.remove_handler(self.name, self.handler)


class WrapperEntry:
    """A wrapper around an event, or around all of an events object."""

    def __init__(self, events: Events, name: str | None, wrapper):
        self.events, self.name, self.wrapper = events, name, wrapper

    def attach(self) -> None:
        self.events.add_wrapper(self.name, self.wrapper)

    def detach(self) -> None:
        self.events.remove_wrapper(self.name, self.wrapper)


class ItemEntry:
    """An item that a module offers to others, announced on the host where it was offered."""

    def __init__(self, module, events: Events, key: str, value: Any):
        self.module, self.events, self.key, self.value = module, events, key, value

    def attach(self) -> None:
        self.module.items.setdefault(self.key, []).append(self.value)
        self.events.fire_event("item-added/" + self.key,
                               Event(source=self.module, item=self.value))

    def detach(self) -> None:
        items = self.module.items.get(self.key, [])
        for index, value in enumerate(items):
            if value is self.value:
                del items[index]
                break
        if not items:
            self.module.items.pop(self.key, None)
        self.events.fire_event("item-removed/" + self.key,
                               Event(source=self.module, item=self.value))


class ItemsConsumer:
    """A module's interest in the items of a key, present ones and those to come."""

    def __init__(self, module, key: str, added, removed):
        self.module, self.added = module, added
        self.seen: list[Any] = []
        self.added_handler = HandlerEntry(module.events, "item-added/" + key, added, 0, added)
        self.removed_handler = HandlerEntry(module.events, "item-removed/" + key, removed, 0,
                                            removed)
        self.key = key

    def replay(self) -> None:
        """Give the consumer every item it has not seen."""
        for source, item in self.module.host_items(self.key):
            if not any(item is known for known in self.seen):
                self.seen.append(item)
                self.added(Event(source=source, item=item))

    def attach(self) -> None:
        self.replay()
        self.seen.clear()
        self.added_handler.attach()
        self.removed_handler.attach()

    def detach(self) -> None:
        self.added_handler.detach()
        self.removed_handler.detach()


class Undo:
    """A step that is done while the module is in service and undone afterwards."""

    def __init__(self, do, undo):
        self.attach, self.detach = do, undo
