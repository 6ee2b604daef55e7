"""The tokens of a host's accounts, two slots for each client (XEP-0484 section 5.1).

Store "fast_tokens", for each account a dict: SHA-256 of the client's id, then "-new" (given out,
not used yet) or "-cur" -> {"mechanism", "seed", "issued_at", "expires_at", "count"}. A token is
made of its seed with a secret of the server that is not in the store: who reads the store alone
cannot log in. Prosody's mod_sasl2_fast keeps the token itself ("secret"); such ones hold until
they are exchanged. What an account has is read, changed and written by one at a time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any

from gevent.lock import RLock

from prosody_py.storage.interface import REMOVE
from prosody_py.xmpp.sasl import SaslError

NEW, CURRENT = "-new", "-cur"


def client_key(client_id: str) -> str:
    """Return what the keys of a client's slots begin with."""
    return hashlib.sha256(client_id.encode()).hexdigest()


class Tokens:
    """The tokens of one host; `ttl` is how many seconds one holds."""

    def __init__(self, store, secret: bytes, ttl: float, clients: int):
        self.store, self._secret = store, secret
        self.ttl, self.clients = ttl, clients
        self._changing = RLock()

    def _token(self, record: dict[str, Any], username: str, client: str) -> bytes:
        if record.get("secret"):
            return record["secret"].encode()
        whole = "\0".join((record.get("seed", ""), username, client)).encode()
        made = hmac.digest(self._secret, whole, "sha256")
        return b"secret-token:fast-" + base64.urlsafe_b64encode(made).rstrip(b"=")

    def issue(self, username: str, client_id: str, mechanism: str) -> tuple[str, float]:
        """Give a client a new token, in place of one it has not used; return it and its end."""
        client, now = client_key(client_id), int(time.time())
        record = {"mechanism": mechanism, "seed": secrets.token_hex(16), "issued_at": now,
                  "expires_at": now + int(self.ttl)}
        with self._changing:
            held = self.store.get(username) or {}
            changes = dict.fromkeys(self._superfluous(held, client, now), REMOVE)
            self.store.set_keys(username, {**changes, client + NEW: record})
        return self._token(record, username, client).decode(), record["expires_at"]

    def _superfluous(self, held: dict, client: str, now: float) -> list[str]:
        """Return what is expired, and the oldest clients beyond the number that is allowed."""
        gone = [key for key, record in held.items() if record["expires_at"] <= now]
        issued: dict[str, float] = {}
        for key, record in held.items():
            other = key[:-len(NEW)]
            if key not in gone and other != client:
                issued[other] = max(issued.get(other, 0), record["issued_at"])
        oldest = sorted(issued, key=issued.get)[:max(0, len(issued) + 1 - self.clients)]
        return gone + [key for key in held if key not in gone and key[:-len(NEW)] in oldest]

    def use(self, username: str, client_id: str, mechanism: str, count: int | None,
            proves: Callable[[bytes], bool], invalidate: bool = False,
            ) -> tuple[bytes, float] | None:
        """Use the token that `proves` accepts; return it and when it was issued, None if none.

        It becomes the client's current one and takes the place of those before it; with
        `invalidate` the client has none any more. A `count` must be greater than each before.
        Raises SaslError `credentials-expired`.
        """
        client = client_key(client_id)
        with self._changing:
            held = self.store.get(username) or {}
            found = None
            for slot in (NEW, CURRENT):
                record = held.get(client + slot)
                # A slot that is empty takes as long as one that is not.
                token = self._token(record or {}, username, client)
                if proves(token) and record and record["mechanism"] == mechanism and not found:
                    found = slot, record, token
            if found is None:
                return None
            slot, record, token = found
            if record["expires_at"] <= time.time():
                self.store.set_keys(username, {client + slot: REMOVE})
                raise SaslError("credentials-expired", "The token has expired.")
            if count is not None and count <= record.get("count", 0):
                return None
            self._note_use(username, client, slot, record, count, invalidate)
        return token, record["issued_at"]

    def _note_use(self, username, client, slot, record, count, invalidate) -> None:
        if count is not None:
            record["count"] = count
        if invalidate:
            self.store.set_keys(username, {client + NEW: REMOVE, client + CURRENT: REMOVE})
        elif slot == NEW:
            self.store.set_keys(username, {client + NEW: REMOVE, client + CURRENT: record})
        elif count is not None:
            self.store.set_keys(username, {client + CURRENT: record})

    def has(self, username: str, client_id: str, since: float | None = None) -> bool:
        """Whether a client has a token that holds, issued after `since` (seconds since 1970)."""
        client, now = client_key(client_id), time.time()
        for slot in (NEW, CURRENT):
            record = self.store.get_key(username, client + slot)
            if record and record["expires_at"] > now and (
                    since is None or record["issued_at"] > since):
                return True
        return False

    def revoke(self, username: str, client_id: str) -> None:
        """Take a client's tokens."""
        client = client_key(client_id)
        with self._changing:
            self.store.set_keys(username, {client + NEW: REMOVE, client + CURRENT: REMOVE})

    def revoke_all(self, username: str) -> None:
        """Take all tokens of an account."""
        with self._changing:
            self.store.set(username, None)
