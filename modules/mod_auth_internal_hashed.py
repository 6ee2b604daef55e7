"""Accounts in the server's own store, with SCRAM keys of several hashes and never a password.

Store "accounts", one entry per account: {"scram": {hash: {"salt", "iterations", "stored_key",
"server_key"}}, "created", "updated", "disabled"}; bytes are hexadecimal.
"""

from __future__ import annotations

import time

from gevent import get_hub
from gevent.lock import RLock

from prosody_py.api import Options, array, enum, integer
from prosody_py.hosts.users import AccountError, AuthProvider
from prosody_py.xmpp import prep, sasl


class Config(Options):
    """How the keys are made."""

    password_hashes = array(
        ("SHA-1", "SHA-256", "SHA-512"), of=enum("SHA-1", "SHA-256", "SHA-512"),
        doc="Hashes for which new accounts and changed passwords get SCRAM keys.")
    default_iteration_count = integer(
        10000, min=4096, doc="Iterations of SCRAM keys that are made from now on.")


class InternalHashed(AuthProvider):
    """The provider of one host."""

    name = "internal_hashed"

    def __init__(self, module):
        self.module = module
        self.options = module.options
        self.accounts = module.open_store("accounts")
        self.changing = RLock()  # an account is read, changed and written by one at a time

    def user_exists(self, username):
        return self.accounts.get(username) is not None

    def users(self):
        return self.accounts.users()

    def create_user(self, username, password):
        if self.user_exists(username):
            raise AccountError(f"The account {username}@{self.module.host} exists already")
        now = int(time.time())
        account = {"created": now, "updated": now}
        if password is None:
            account["disabled"] = True
        else:
            account["scram"] = self._derive(password)
        with self.changing:
            if self.user_exists(username):  # somebody was faster while the keys were made
                raise AccountError(f"The account {username}@{self.module.host} exists already")
            self.accounts.set(username, account)

    def delete_user(self, username):
        with self.changing:
            if not self.user_exists(username):
                raise AccountError(f"There is no account {username}@{self.module.host}")
            self.accounts.set(username, None)

    def set_password(self, username, password):
        keys = self._derive(password)
        with self.changing:
            account = self._account(username)
            account["scram"] = keys
            account["updated"] = int(time.time())
            self.accounts.set(username, account)

    def _account(self, username: str) -> dict:
        account = self.accounts.get(username)
        if account is None:
            raise AccountError(f"There is no account {username}@{self.module.host}")
        return account

    def _derive(self, password: str) -> dict:
        """Return the stored form of the keys of a password; raises AccountError."""
        try:
            password = prep.saslprep(password)
        except prep.PrepError as error:
            raise AccountError(f"This is not a valid password: {error}") from None
        if not password:
            raise AccountError("A password cannot be empty")
        count = self.options.default_iteration_count
        keys = [in_thread(sasl.derive, password, hash, count)
                for hash in self.options.password_hashes]
        return {key.hash: _stored(key) for key in keys}

    def has_passwords(self):
        return True

    def test_password(self, username, password):
        stored = (self.accounts.get(username) or {}).get("scram") or {}
        for hash in ("SHA-256", "SHA-512", "SHA-1"):
            if hash in stored:
                return in_thread(sasl.verify_password, _keys(hash, stored[hash]), password)
        secret = self.module.server.secret(f"sasl {self.module.host}")
        fake = sasl.fake_keys(username, "SHA-256", self.options.default_iteration_count, secret)
        in_thread(sasl.verify_password, fake, password)
        return False

    def scram_hashes(self):
        return tuple(self.options.password_hashes)

    def scram_keys(self, username, hash):
        stored = ((self.accounts.get(username) or {}).get("scram") or {}).get(hash)
        return _keys(hash, stored) if stored else None

    def hashes_of(self, username):
        stored = (self.accounts.get(username) or {}).get("scram")
        return tuple(stored) if stored else None

    def add_scram_keys(self, username, keys, beside):
        with self.changing:
            account = self._account(username)
            stored = account.get("scram") or {}
            if beside.hash not in stored or _keys(beside.hash, stored[beside.hash]) != beside:
                raise AccountError("The password was changed meanwhile")
            account["scram"] = {**stored, keys.hash: _stored(keys)}
            self.accounts.set(username, account)

    def is_enabled(self, username):
        return not (self.accounts.get(username) or {"disabled": True}).get("disabled")

    def set_enabled(self, username, enabled):
        with self.changing:
            account = self._account(username)
            account["disabled"] = not enabled
            self.accounts.set(username, account)

    def allows_external(self):
        return True


def _keys(hash: str, stored: dict) -> sasl.ScramKeys:
    return sasl.ScramKeys(hash, bytes.fromhex(stored["salt"]), stored["iterations"],
                          bytes.fromhex(stored["stored_key"]),
                          bytes.fromhex(stored["server_key"]))


def _stored(keys: sasl.ScramKeys) -> dict:
    return {"salt": keys.salt.hex(), "iterations": keys.iterations,
            "stored_key": keys.stored_key.hex(), "server_key": keys.server_key.hex()}


def in_thread(function, *args):
    """Run a computation that takes milliseconds without holding up the others."""
    return get_hub().threadpool.apply(function, args)


def load(module):
    """Offer the accounts."""
    module.provides("auth", InternalHashed(module))
