"""Requests: accounts (core.usermanager).

What cannot be done is `nil, text`, as authentication providers of Prosody answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.hosts import users
from prosody_py.hosts.users import AccountError


def _outcome(border, call: Callable[..., Any], *args: Any) -> Any:
    try:
        result = call(*args)
    except AccountError as error:
        return None, border.to_lua(str(error))
    return True if result is None else result


def _texts(border, *raw: Any) -> tuple[Any, ...]:
    return tuple(map(border.to_python, raw))


def user_exists(border, server, username: Any, host: Any) -> bool:
    return bool(users.user_exists(server, *_texts(border, username, host)))


def test_password(border, server, raw_username: Any, raw_host: Any, raw_password: Any) -> Any:
    username, host, password = _texts(border, raw_username, raw_host, raw_password)

    def test() -> Any:
        provider = users.provider(server, host)
        check = getattr(provider, "test_directly", None) or provider.test_password
        if check(username, password):
            return True
        raise AccountError("Wrong user name or password")

    return _outcome(border, test)


def create_user(border, server, username: Any, password: Any, host: Any) -> Any:
    return _outcome(border, users.create_user, server, *_texts(border, username, password, host))


def set_password(border, server, username: Any, password: Any, host: Any,
                 resource: Any = None) -> Any:
    return _outcome(border, users.set_password, server,
                    *_texts(border, username, password, host, resource))


def delete_user(border, server, username: Any, host: Any) -> Any:
    return _outcome(border, users.delete_user, server, *_texts(border, username, host))


def get_password(border, server, raw_username: Any, raw_host: Any) -> Any:
    username, host = _texts(border, raw_username, raw_host)

    def get() -> Any:
        known = getattr(users.provider(server, host), "get_password", None)
        if known is None:
            raise AccountError("The accounts of this host keep no passwords")
        return border.to_lua(known(username))

    return _outcome(border, get)


def all_users(border, server, host: Any) -> Any:
    """Return the list of all accounts of a host."""
    def listed() -> Any:
        return border.copy_to_lua(list(users.provider(server, border.to_python(host)).users()))

    return _outcome(border, listed)


def user_is_enabled(border, server, raw_username: Any, raw_host: Any) -> Any:
    username, host = _texts(border, raw_username, raw_host)
    return _outcome(border, lambda: bool(users.provider(server, host).is_enabled(username)))


def set_enabled(border, server, raw_username: Any, raw_host: Any, enabled: bool,
                meta: Any = None) -> Any:
    """Allow or forbid logging in, and say so: `user-enabled` or `user-disabled`."""
    username, host = _texts(border, raw_username, raw_host)

    def change() -> None:
        users.set_enabled(server, username, host, bool(enabled), border.to_python(meta))

    return _outcome(border, change)


def scram_hashes(border, server, raw_host: Any) -> Any:
    """Return the list of hashes, such as "SHA-1", that a host's accounts have keys for."""
    provider = users.provider(server, border.to_python(raw_host))
    return border.copy_to_lua(list(provider.scram_hashes()))


def scram_keys(border, server, raw_username: Any, raw_host: Any, raw_hash: Any) -> Any:
    """Return stored key, server key, iterations, salt and whether the account is enabled."""
    username, host, hash = _texts(border, raw_username, raw_host, raw_hash)
    provider = users.provider(server, host)
    keys = provider.scram_keys(username, hash)
    if keys is None:
        return None
    return (keys.stored_key, keys.server_key, keys.iterations, keys.salt,
            bool(provider.is_enabled(username)))


def provider_name(border, server, raw_host: Any) -> Any:
    """Return the name of a host's authentication provider, None when it has none."""
    host = server.hosts.get(border.to_python(raw_host))
    return None if host is None or host.users is None else border.to_lua(host.users.name)


PLAIN: dict[str, Callable[..., Any]] = {
    "provider_name": provider_name,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "user_exists": user_exists, "test_password": test_password, "create_user": create_user,
    "get_password": get_password,
    "set_password": set_password, "delete_user": delete_user, "all_users": all_users,
    "user_is_enabled": user_is_enabled, "set_enabled": set_enabled,
    "scram_hashes": scram_hashes, "scram_keys": scram_keys,
}
