"""Accounts: what an authentication provider is, and the host's choice of one.

A provider is a module `auth_<name>` that offers itself with `module.provides("auth", provider)`;
the host's option `authentication` names it. Functions here are those of Prosody's usermanager.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import gevent

from prosody_py.api import roles
from prosody_py.api.commands import CommandError
from prosody_py.events.bus import Event
from prosody_py.hosts.roster import forget_roster
from prosody_py.xmpp.sasl import ScramKeys

DEFAULT_PROVIDER = "internal_hashed"
PATIENCE = 5  # seconds that what the clients of a removed account have begun may take
REMOVALS = "account_removals"  # of the host itself: accounts whose removal has begun


class AuthProvider:
    """An authentication provider; a subclass overrides what it can do.

    User names are prepared local parts. Calls may wait for a store or another server.
    """

    name: str | None = None

    def user_exists(self, username: str) -> bool:
        """Whether there is such an account."""
        return False

    def users(self) -> Iterable[str]:
        """Return the names of all accounts."""
        return ()

    def create_user(self, username: str, password: str | None) -> None:
        """Make an account; raises AccountError when there is one or none can be made."""
        raise AccountError("Accounts cannot be made on this host")

    def delete_user(self, username: str) -> None:
        """Remove an account; raises AccountError."""
        raise AccountError("Accounts cannot be removed on this host")

    def set_password(self, username: str, password: str) -> None:
        """Change a password; raises AccountError."""
        raise AccountError("Passwords cannot be changed on this host")

    def test_password(self, username: str, password: str) -> bool:
        """Check a password in a time that does not depend on the account."""
        return False

    def has_passwords(self) -> bool:
        """Whether `test_password` works, so that PLAIN can be offered."""
        return False

    def scram_hashes(self) -> tuple[str, ...]:
        """Return the hashes that `scram_keys` may have keys for."""
        return ()

    def scram_keys(self, username: str, hash: str) -> ScramKeys | None:
        """Return an account's SCRAM keys for one hash."""
        return None

    def hashes_of(self, username: str) -> tuple[str, ...] | None:
        """Return the hashes for which an account has SCRAM keys; None when that is not known."""
        return None

    def add_scram_keys(self, username: str, keys: ScramKeys, beside: ScramKeys) -> None:
        """Keep keys of one more hash, made of the password that `beside` is of.

        Raises AccountError, also when `beside` is not the account's any more.
        """
        raise AccountError("Keys cannot be added on this host")

    def is_enabled(self, username: str) -> bool:
        """Whether the account may log in."""
        return True

    def set_enabled(self, username: str, enabled: bool) -> None:
        """Allow or forbid an account to log in; raises AccountError."""
        raise AccountError("Accounts cannot be disabled on this host")

    def allows_external(self) -> bool:
        """Whether certificates may be used to log in (SASL EXTERNAL)."""
        return False

    def external_usernames(self, session, authzid: str) -> list[str]:
        """Return the accounts that a client's certificate is good for (XEP-0178).

        `authzid` is the address that the client asks for, empty if none.
        """
        return session.server.tls.client_usernames(session.conn, session.host)

    def other_mechanisms(self) -> tuple[str, ...]:
        """Return the SASL mechanisms that the provider speaks itself (`converse`)."""
        return ()

    def converse(self, mechanism: str) -> Callable[[bytes], tuple]:
        """Begin an exchange of an `other_mechanisms`; return what takes a client's messages.

        That returns ("challenge", data), ("success", data, None, username, role), where data and
        role may be None, or ("failure", condition, text). A role is what the session may act as.
        """
        raise AccountError(f"There is no {mechanism} on this host")

    def for_session(self, session) -> AuthProvider:
        """Return the provider as it is for one session that wants to log in."""
        return self

    def allows_anonymous(self) -> bool:
        """Whether anybody may log in (SASL ANONYMOUS)."""
        return False

    def anonymous_username(self) -> str:
        """Return a fresh name for an anonymous client."""
        raise AccountError("Nobody can log in anonymously on this host")


class AccountError(CommandError):
    """An account could not be made, changed or removed; the text says why, for people."""


def watch(server, host) -> None:
    """Make the provider that the host's configuration names its `users`, whenever it is there."""
    wanted = server.config.get(host.host, "authentication") or DEFAULT_PROVIDER

    def added(event) -> None:
        if event.item.name == wanted:
            host.users = event.item

    def removed(event) -> None:
        if host.users is event.item:
            host.users = None

    host.events.add_handler("item-added/auth-provider", added)
    host.events.add_handler("item-removed/auth-provider", removed)


def provider(server, host: str) -> AuthProvider:
    """Return the provider of a host; raises AccountError when it has none."""
    found = server.hosts.get(host)
    if found is None:
        raise AccountError(f"{host} is not a host of this server")
    if found.users is None:
        raise AccountError(f"{host} has no accounts: its authentication module is not loaded")
    return found.users


def user_exists(server, username: str, host: str) -> bool:
    """Whether there is such an account; false for hosts without accounts."""
    found = server.hosts.get(host)
    return bool(found is not None and found.users is not None
                and found.users.user_exists(username))


def create_user(server, username: str, password: str | None, host: str) -> None:
    """Make an account and say so (`user-created`); raises AccountError.

    What is left of one of the same name, whose removal was cut short, is deleted before.
    """
    accounts = provider(server, host)
    if username in server.hosts[host].removing:
        raise AccountError(f"The account {username} is being removed")
    removals = server.storage.open(host, REMOVALS, "map")
    if removals.get(None, username) is not None and not accounts.user_exists(username):
        server.storage.purge(host, username)
        removals.set(None, username, None)
    accounts.create_user(username, password)
    _tell(server, "user-created", Event(username=username, host=host))


def set_password(server, username: str, password: str, host: str, resource=None) -> None:
    """Change a password and say so (`user-password-changed`); raises AccountError."""
    provider(server, host).set_password(username, password)
    _tell(server, "user-password-changed", Event(username=username, host=host, resource=resource))


def set_enabled(server, username: str, host: str, enabled: bool, meta=None) -> None:
    """Allow or forbid an account to log in; forbidding ends its sessions.

    Fires `user-enabled` or `user-disabled`, that with `meta`: what there is to know about it, such
    as `reason` and `comment`. Raises AccountError.
    """
    provider(server, host).set_enabled(username, enabled)
    user = None if enabled else server.hosts[host].sessions.get(username)
    for session in list(user.sessions.values()) if user is not None else ():
        session.close("not-authorized", "The account is disabled")
    more = {} if enabled else {"meta": meta}
    _tell(server, "user-enabled" if enabled else "user-disabled",
          Event(username=username, host=host, **more))


def delete_user(server, username: str, host: str) -> None:
    """Remove an account, end its sessions, say so (`user-deleted`), and delete all its data.

    What handlers of the event still read is there; what is kept outside of the stores they remove
    themselves. Raises AccountError, or StorageError when the data cannot be deleted.
    """
    accounts, removing = provider(server, host), server.hosts[host].removing
    if username in removing:
        raise AccountError(f"The account {username} is being removed")
    removing.add(username)
    try:
        removals = server.storage.open(host, REMOVALS, "map")
        removals.set(None, username, int(time.time()))
        try:
            accounts.delete_user(username)
        except AccountError:
            removals.set(None, username, None)
            raise
        _forget(server, username, host)
        removals.set(None, username, None)
    finally:
        removing.discard(username)


def _forget(server, username: str, host: str) -> None:
    """Do what follows when there is no such account any more."""
    roles.forget_user(server, username, host)
    user = server.hosts[host].sessions.get(username)
    sessions = list(user.sessions.values()) if user is not None else []
    for session in sessions:
        session.close("not-authorized", "The account was removed")
    # What they have begun may still write something, which would be left over.
    with gevent.Timeout(PATIENCE, False):
        while any(getattr(session, "in_hand", None) not in (None, gevent.getcurrent())
                  for session in sessions):
            gevent.sleep(0.005)
    _tell(server, "user-deleted", Event(username=username, host=host))
    server.storage.purge(host, username)
    forget_roster(server, username, host)


def _tell(server, name: str, event: Event) -> None:
    """Fire an event about an account on the server, as Prosody does, and on the account's host."""
    server.events.fire_event(name, event)
    server.hosts[event.host].events.fire_event(name, event)


def is_admin(server, jid: str, host: str) -> bool:
    """Whether a bare JID has the role of an administrator: by the option `admins`, or given."""
    if jid in (server.config.get(host, "admins") or ()):
        return True
    username, _, domain = jid.rpartition("@")
    return bool(username) and domain == host and roles.user_role(server, username, host) in (
        "prosody:admin", "prosody:operator")
