"""Accounts in Lua: who is connected, and the functions of providers.

The functions answer `nil, text` for what fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.hosts.host import UserSessions
from prosody_py.hosts.users import AccountError, AuthProvider
from prosody_py.lua.proxies import Face
from prosody_py.sessions.lifecycle import top_resources


def _plain(name: str) -> Callable[..., Any]:
    """Return a function of a provider as `hosts[host].users` has it."""
    def call(border, provider: AuthProvider, *raw: Any) -> Any:
        try:
            result = getattr(provider, name)(*map(border.to_python, raw))
        except AccountError as error:
            return None, str(error)
        return True if result is None else result
    return call


def _set_enabled(enabled: bool) -> Callable[..., Any]:
    def call(border, provider: AuthProvider, raw_username: Any) -> Any:
        try:
            provider.set_enabled(border.to_python(raw_username), enabled)
        except AccountError as error:
            return None, str(error)
        return True
    return call


class AuthProviderFace(Face):
    """What has the accounts of a host."""

    names = ("name",)
    functions = {
        **{name: _plain(name) for name in (
            "user_exists", "test_password", "create_user", "set_password", "delete_user",
            "is_enabled")},
        "enable": _set_enabled(True), "disable": _set_enabled(False),
    }


class UserSessionsFace(Face):
    """An account that is connected: `top_resources` are the sessions that get its messages."""

    fields = {"top_resources": lambda border, user: border.copy_to_lua(top_resources(user) or None)}


FACES: dict[type, Face] = {AuthProvider: AuthProviderFace(), UserSessions: UserSessionsFace()}
