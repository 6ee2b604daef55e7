"""Storage in one SQLite file, `prosody.sqlite` in the data folder. The default driver."""

from __future__ import annotations

import os

from prosody_py.api import Options, boolean, hook, string
from prosody_py.storage.sqlite import SQLiteStorage

GLOBAL = True


class Config(Options):
    """Where the file is."""

    sqlite_file = string("prosody.sqlite", where="global",
                         doc="The database file; relative to the data folder.")
    sqlite_durable = boolean(True, where="global", doc="Wait for the disk before a write counts "
                             "as done. Without it a power cut may lose the last second.")


def load(module):
    """Open the file, or take it over from the instance before this one."""
    shared = module.shared("storage")
    if shared.get("storage") is None:
        path = os.path.join(module.server.paths["data"], module.options.sqlite_file)
        shared["storage"] = SQLiteStorage(path, durable=module.options.sqlite_durable)
    module.storage = shared["storage"]
    module.storage.name = "sqlite"


def add_host(module):
    """Offer the driver to a host."""
    module.add_item("storage-provider", module.parent.storage)


def unload(module):
    """Close the file once the last store is let go of, unless another instance takes over."""
    if not module.reloading:
        module.storage.retire()


@hook("server-cleanup", priority=-1000)
def close(module, event):
    """Write what waits and close the file."""
    module.storage.close()
