"""The part of the module API with which modules use each other, the stores and the files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO


class Sharing:
    """`module.depends`, `shared`, `context`, `open_store`, `load_resource`; mixed into Module."""

    def depends(self, name: str, soft: bool = False) -> Any:
        """Load module `name` on this host unless it is; return what it exports.

        This module is reloaded after `name` is, and unloaded with it. Raises LoadError when it
        cannot be loaded; with `soft`, returns None when it is disabled.
        """
        return self.server.modules.depends(self, name, soft)

    def shared(self, path: str) -> dict:
        """Return the table at `path`, the same for all who ask; it survives reloads.

        "x" is this module's own, "mod/x" another module's of this host, "/host/mod/x" or
        "/*/mod/x" absolute. Of a table whose name ends with "-cache" an entry is gone once nobody
        else holds its value.
        """
        if not path.startswith("/"):
            parts = path.split("/")
            path = "/".join(["", self.host, *((self.name,) if len(parts) == 1 else ()), *parts])
        return self.server.modules.shared_table(self.owner, path)

    def context(self, host: str) -> Any:
        """Return this module as seen from another host ("*" for the server).

        A host that is not ours has the server's events and the global options.
        """
        return Context(self, host)

    def open_store(self, name: str | None = None, kind: str = "keyval") -> Any:
        """Return a store of this host: kind keyval, map, keyval+ or archive.

        See prosody_py.storage.interface for the operations. Calls wait for the disk, and other
        greenlets go on meanwhile. Raises StorageError.
        """
        return self.server.storage.open(self.host, name or self.name, kind or "keyval")

    def open_counted_store(self, name: str | None = None, kind: str = "keyval",
                           counter: str = "account",
                           limit: Callable[[], int | None] | None = None,
                           made_up: bool = False) -> Any:
        """Return a store whose bytes are counted for each user, for what users may store at will.

        All stores of a `counter` are counted together, and `store.counted(user)` is the sum. A
        write that would make more than `limit()` of it raises CountedTooMuch, which answers a
        request with `resource-constraint`. For the counter "account" that is the option
        `storage_account_limit`. A name that users have `made_up` leaves nothing when the store is
        empty. Drivers in Lua count nothing.
        """
        return self.server.storage.open_counted(self.host, name or self.name, kind or "keyval",
                                                counter, limit, made_up)

    def load_resource(self, path: str, mode: str = "r") -> TextIO | BinaryIO:
        """Open a file that came with the module; raises OSError."""
        return open(os.path.join(self.get_directory(), path), mode,
                    **({} if "b" in mode else {"encoding": "utf-8"}))

    def get_directory(self) -> str:
        """Return the folder that the module's file is in."""
        return os.path.dirname(self.path)


class Context:
    """A module seen from another host: its own registrations, that host's events and options."""

    def __init__(self, module, host: str):
        object.__setattr__(self, "_module", module)
        object.__setattr__(self, "host", host)
        object.__setattr__(self, "host_object", module.server.hosts.get(host))

    @property
    def owner(self) -> Any:
        """The module whose items and registrations these are."""
        return self._module.owner

    @property
    def events(self) -> Any:
        """The events of the host in view."""
        return self.host_object.events if self.host_object else self._module.server.events

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(type(self._module), name, None)
        if callable(attribute) and not isinstance(attribute, property):
            return attribute.__get__(self)
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)
