"""Authentication providers that are written in Lua: tables of plain functions, as Prosody's.

How their accounts log in is said by the profile of the SASL handler that they make: `plain_test`,
`plain` (the password itself), `scram_sha_1` and `scram_sha_256` (keys). See lib/util/sasl.lua.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Any

from prosody_py.hosts.users import AccountError, AuthProvider
from prosody_py.lua.references import LuaData
from prosody_py.lua.stores import Ready
from prosody_py.lua.values import encode
from prosody_py.xmpp.sasl import ScramKeys

_SCRAM = {"SHA-1": "scram_sha_1", "SHA-256": "scram_sha_256", "SHA-512": "scram_sha_512"}


def _first(result: Any) -> Any:
    return result[0] if type(result) is tuple else result


class LuaAuthProvider(AuthProvider):
    """The provider that a Lua module offers as an "auth-provider" item."""

    def __init__(self, item: LuaData, module_name: str, host: str):
        self.item, self.host = item, host
        self.name = item.get("name") or module_name.removeprefix("auth_")

    def lua_face(self, _border) -> Any:
        """Return the table that the module has made."""
        return self.item.raw

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "item":
            raise AttributeError(name)
        return self.item.get(name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LuaAuthProvider) and other.item is self.item

    __hash__ = object.__hash__

    def _call(self, name: str, *args: Any) -> Any:
        """Return what a function of the module answers; raises AccountError for nil and false."""
        function = self.item.get(name)
        if function is None:
            raise AccountError(f"The accounts of {self.name!r} have no {name}")
        result = function(*args)
        if not _first(result):
            reason = result[1] if type(result) is tuple and len(result) > 1 else None
            raise AccountError(str(reason or f"{name} was refused"))
        return result

    def _try(self, name: str, *args: Any) -> bool:
        try:
            return bool(_first(self._call(name, *args)))
        except AccountError:
            return False

    # -- accounts --------------------------------------------------------------------------

    def user_exists(self, username: str) -> bool:
        return self._try("user_exists", username)

    def users(self) -> Iterator[str]:
        step, state, last = (*self._pad(self._call("users")), None, None)[:3]
        while (last := _first(step(state, last))) is not None:
            yield self.item.border.to_python(last.raw) if isinstance(last, Ready) else last

    @staticmethod
    def _pad(result: Any) -> tuple[Any, ...]:
        return result if type(result) is tuple else (result,)

    def create_user(self, username: str, password: str | None) -> None:
        self._call("create_user", username, password)

    def delete_user(self, username: str) -> None:
        self._call("delete_user", username)

    def set_password(self, username: str, password: str) -> None:
        self._call("set_password", username, password)

    def get_password(self, username: str) -> str | None:
        """Return an account's password; raises AccountError where it is not kept."""
        return _first(self._call("get_password", username))

    def is_enabled(self, username: str) -> bool:
        return self.item.get("is_enabled") is None or self._try("is_enabled", username)

    def set_enabled(self, username: str, enabled: bool) -> None:
        self._call("enable" if enabled else "disable", username)

    # -- logging in ------------------------------------------------------------------------

    def _handler(self) -> Any:
        make = self.item.get("get_sasl_handler")
        return None if make is None else _first(make(None))

    def _ask(self, handler: Any, name: str, *args: Any) -> Any:
        """Call a function of the profile."""
        return handler.profile.get(name)(handler, *args, handler.realm or self.host)

    def _has(self, name: str) -> bool:
        handler = self._handler()
        profile = None if handler is None else handler.profile
        return profile is not None and profile.get(name) is not None

    def has_passwords(self) -> bool:
        return self._has("plain_test") or self._has("plain")

    def test_password(self, username: str, password: str) -> bool:
        handler = self._handler()
        if handler is not None and handler.profile.get("plain_test") is not None:
            return bool(_first(self._ask(handler, "plain_test", username, password)))
        if handler is not None and handler.profile.get("plain") is not None:
            known, *state = self._pad(self._ask(handler, "plain", username))
            good = hmac.compare_digest(encode(known or ""), encode(password))
            return bool(good and known and state and state[0])
        return self._try("test_password", username, password)

    def scram_hashes(self) -> tuple[str, ...]:
        return tuple(name for name, function in _SCRAM.items() if self._has(function))

    def scram_keys(self, username: str, hash: str) -> ScramKeys | None:
        answer = self._pad(self._ask(self._handler(), _SCRAM[hash], username))
        if len(answer) < 4 or not all(answer[:4]):
            return None
        stored_key, server_key, iterations, salt = answer[:4]
        return ScramKeys(hash, encode(salt), int(iterations), encode(stored_key),
                         encode(server_key))

    def allows_anonymous(self) -> bool:
        return self._has("anonymous")

    def anonymous_username(self) -> str:
        name = _first(self._ask(self._handler(), "anonymous", None))
        if not isinstance(name, str):
            raise AccountError("Nobody can log in anonymously on this host")
        return name
