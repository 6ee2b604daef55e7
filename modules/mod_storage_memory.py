"""Storage in memory: everything is gone when the server stops."""

from __future__ import annotations

from prosody_py.storage.memory import MemoryStorage

GLOBAL = True


def load(module):
    """Make the store, or take over that of the instance before this one."""
    shared = module.shared("storage")
    module.storage = shared.setdefault("storage", None) or MemoryStorage()
    module.storage.name = "memory"
    shared["storage"] = module.storage


def add_host(module):
    """Offer the driver to a host."""
    module.add_item("storage-provider", module.parent.storage)
