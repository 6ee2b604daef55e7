"""Authentication providers that are written in Lua: tables of plain functions, as Prosody's.

How their accounts log in is said by the profile of the SASL handler that they make: `plain_test`,
`plain` (the password itself), `external`, `scram_sha_1` and `scram_sha_256` (keys). Mechanisms that
are not ours, such as OAUTHBEARER, the handler speaks itself. See lib/util/sasl.lua.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any
from uuid import uuid4

import gevent
from gevent.lock import RLock

from prosody_py.hosts.users import AccountError, AuthProvider
from prosody_py.lua.references import LuaData
from prosody_py.lua.stores import Ready
from prosody_py.lua.values import encode
from prosody_py.xmpp.prep import PrepError
from prosody_py.xmpp.sasl import ScramKeys
from prosody_py.xmpp.sasl.keys import DEFAULT_ITERATIONS, derive, fake_keys

_OF_PASSWORDS = ("SHA-1", "SHA-256")  # what a password itself is good for, as in Prosody
_OURS = ("PLAIN", "ANONYMOUS", "EXTERNAL")  # mechanisms that are spoken without the handler
_SCRAM = {"SHA-1": "scram_sha_1", "SHA-256": "scram_sha_256", "SHA-512": "scram_sha_512"}


def _first(result: Any) -> Any:
    return result[0] if type(result) is tuple else result


class LuaAuthProvider(AuthProvider):
    """The provider that a Lua module offers as an "auth-provider" item."""

    def __init__(self, item: LuaData, module_name: str, host: str):
        self.item, self.host, self.session = item, host, None
        self.name = item.get("name") or module_name.removeprefix("auth_")
        self._talk = RLock()

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

    def for_session(self, session: Any) -> LuaAuthProvider:
        """Return the same accounts as handlers see them that are made for a session."""
        bound = copy(self)
        bound.session = session
        return bound

    def _handler(self) -> Any:
        make = self.item.get("get_sasl_handler")
        return None if make is None else _first(make(self.session))

    def _ask(self, handler: Any, name: str, *args: Any) -> Any:
        """Call a function of the profile."""
        return handler.profile.get(name)(handler, *args, handler.realm or self.host)

    def _has(self, name: str) -> bool:
        handler = self._handler()
        profile = None if handler is None else handler.profile
        return profile is not None and profile.get(name) is not None

    def has_passwords(self) -> bool:
        if self._has("plain_test") or self._has("plain"):
            return True
        handler = self._handler()
        return self._conducts(handler) and bool(handler.mechanisms(handler).get("PLAIN"))

    @staticmethod
    def _conducts(handler: Any) -> bool:
        """Whether a handler is not util.sasl's and talks to somebody who knows the accounts."""
        return handler is not None and handler.profile is None and handler.process is not None

    def _try_plain(self, handler: Any, username: str, password: str) -> bool:
        """Let such a handler check a password; the account has to be the one that was meant.

        One at a time: handlers share a connection on which they await the next line as theirs.
        """
        with self._talk:
            if not _first(handler.select(handler, "PLAIN")):
                return False
            status = _first(handler.process(handler, f"\0{username}\0{password}"))
        return status == "success" and handler.username in (None, username)

    def test_directly(self, username: str, password: str) -> bool:
        """Check a password for a module: the handler's profile may be who asks."""
        if self.item.get("test_password") is None or self._conducts(self._handler()):
            return self.test_password(username, password)
        return self._try("test_password", username, password)

    def test_password(self, username: str, password: str) -> bool:
        handler = self._handler()
        if self._conducts(handler):
            return self._try_plain(handler, username, password)
        if handler is not None and handler.profile.get("plain_test") is not None:
            return bool(_first(self._ask(handler, "plain_test", username, password)))
        if handler is not None and handler.profile.get("plain") is not None:
            known, *state = self._pad(self._ask(handler, "plain", username))
            good = hmac.compare_digest(encode(known or ""), encode(password))
            return bool(good and known and state and state[0])
        return self._try("test_password", username, password)

    def scram_hashes(self) -> tuple[str, ...]:
        of_passwords = _OF_PASSWORDS if self._has("plain") else ()
        return tuple(name for name, function in _SCRAM.items()
                     if name in of_passwords or self._has(function))

    def _keys_of_password(self, handler: Any, username: str, hash: str) -> ScramKeys | None:
        known, *state = self._pad(self._ask(handler, "plain", username))
        if not known or not state or not state[0]:
            return None
        server = self.item.border.server
        iterations = server.config.get(self.host, "default_iteration_count") or DEFAULT_ITERATIONS
        # The salt is the one that is invented for nobody: it must not tell who has an account.
        salt = fake_keys(username, hash, iterations, server.secret(f"sasl {self.host}")).salt
        try:
            return gevent.get_hub().threadpool.apply(derive, (known, hash, iterations, salt))
        except PrepError:
            return None

    def scram_keys(self, username: str, hash: str) -> ScramKeys | None:
        handler = self._handler()
        if handler.profile.get(_SCRAM[hash]) is None:
            return self._keys_of_password(handler, username, hash)
        answer = self._pad(self._ask(handler, _SCRAM[hash], username))
        if len(answer) < 4 or not all(answer[:4]):
            return None
        stored_key, server_key, iterations, salt = answer[:4]
        return ScramKeys(hash, encode(salt), int(iterations), encode(stored_key),
                         encode(server_key))

    def allows_external(self) -> bool:
        return self._has("external")

    def external_usernames(self, session: Any, authzid: str) -> list[str]:
        """Return the account that the profile sees in the certificate; it knows the session."""
        function = self._handler().profile.get("external")
        username = None if function is None else _first(function(authzid))
        return [username] if isinstance(username, str) and username else []

    def other_mechanisms(self) -> tuple[str, ...]:
        handler = self._handler()
        names = handler.mechanisms(handler) if handler is not None else None
        return tuple(sorted(name for name in names or () if names[name]
                            and name not in _OURS and not name.startswith("SCRAM-")))

    def converse(self, mechanism: str) -> Callable[[bytes], tuple]:
        handler = self._handler()
        if not _first(handler.select(handler, mechanism)):
            raise AccountError(f"The accounts of {self.name!r} have no {mechanism}")

        def process(message: bytes) -> tuple:
            with self._talk:
                status, data, text = (*self._pad(handler.process(
                    handler, message.decode("utf-8", "surrogateescape"))), None, None)[:3]
            data = encode(data) if status != "failure" and isinstance(data, str) else data
            role = handler.role
            return status, data, text, handler.username, (
                role if role is None or isinstance(role, str) else role.name)
        return process

    def allows_anonymous(self) -> bool:
        return self._has("anonymous")

    def anonymous_username(self) -> str:
        handler, name = self._handler(), str(uuid4())
        answer = _first(self._ask(handler, "anonymous", name))
        if not answer:
            raise AccountError("Nobody can log in anonymously on this host")
        return answer if isinstance(answer, str) else name
