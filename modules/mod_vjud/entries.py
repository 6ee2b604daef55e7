"""The directory: who wants to be found, and what is in their vCards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from gevent.lock import RLock

from prosody_py.xmpp.preserialize import deserialize

FIELDS = ("first", "last", "nick", "email")
VCARD = "vcard-temp"
MAX_TEXT = 200  # characters of a field


def fields_of(vcard: Any) -> dict[str, str]:
    """Return what can be searched for in a vCard."""
    if vcard is None:
        return {}

    def text(*path: str) -> str | None:
        element = vcard
        for name in path:
            element = element.get_child(name)
            if element is None:
                return None
        return element.get_text()

    found = {"first": text("N", "GIVEN"), "last": text("N", "FAMILY"), "nick": text("NICKNAME"),
             "email": text("EMAIL", "USERID") or text("EMAIL")}
    return {name: value.strip()[:MAX_TEXT] for name, value in found.items()
            if value and value.strip()}


class Directory:
    """The people of one host who can be found.

    The store "vjud" has {"searchable": true} for who wants to be. Entries are read at the first
    search, at most `vjud_max_entries`, and follow the vCards from then on.
    """

    def __init__(self, server, domain: str, options: Any):
        self._open = partial(server.storage.open, domain)
        self._everybody = options.vjud_mode == "all"
        self._most = options.vjud_max_entries
        self._entries: dict[str, dict[str, str]] | None = None
        self._lock = RLock()  # held while the directory is read

    # Opened when they are needed: the host may come into service after a component of it.

    @property
    def _wanted(self) -> Any:
        return self._open("vjud", "keyval")

    @property
    def _vcards(self) -> Any:
        return self._open("vcard", "keyval")

    def wants(self, username: str) -> bool:
        """Whether somebody wants to be found."""
        return self._everybody or bool((self._wanted.get(username) or {}).get("searchable"))

    def set_wanted(self, username: str, wanted: bool) -> bool:
        """Note whether somebody wants to be found; false when the directory is full."""
        if not wanted:
            self._wanted.set(username, None)
            if self._entries is not None:
                self._entries.pop(username, None)
            return True
        if len(self._all()) >= self._most and username not in self._all():
            return False
        self._wanted.set(username, {"searchable": True})
        self.read_again(username)
        return True

    def read_again(self, username: str) -> None:
        """Take over what somebody's vCard says now."""
        if self._entries is None or not self.wants(username):
            return
        found = fields_of(deserialize(self._vcards.get(username)))
        if found and (username in self._entries or len(self._entries) < self._most):
            self._entries[username] = found
        elif not found:
            self._entries.pop(username, None)

    def forget(self, username: str) -> None:
        """Remove who has no account any more."""
        self._wanted.set(username, None)
        if self._entries is not None:
            self._entries.pop(username, None)

    def _all(self) -> dict[str, dict[str, str]]:
        if self._entries is None:
            with self._lock:
                if self._entries is None:
                    self._entries = self._read()
        return self._entries

    def _read(self) -> dict[str, dict[str, str]]:
        entries: dict[str, dict[str, str]] = {}
        for username in list((self._vcards if self._everybody else self._wanted).users()):
            if len(entries) >= self._most:
                break
            found = fields_of(deserialize(self._vcards.get(username))) if (
                self.wants(username)) else {}
            if found:
                entries[username] = found
        return entries

    def find(self, wanted: Mapping[str, str], most: int) -> list[tuple[str, dict[str, str]]]:
        """Return (username, fields) of those in whom every wanted text occurs, by user name."""
        texts = {name: text.casefold() for name, text in wanted.items()}
        found = [username for username, entry in self._all().items()
                 if all(text in entry.get(name, "").casefold() for name, text in texts.items())]
        return [(username, self._all()[username]) for username in sorted(found)[:most]]
