"""LDAP directories of Lua modules, on the optional package ldap3 (`pip install prosody-py[ldap]`).

ldap3 blocks, so its calls run in threads of a pool of their own: a directory that does not answer
holds up nobody else's threads. Referrals are never followed, for that would hand a password to
whatever server the answer names.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import re
import ssl
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gevent.lock import RLock
from gevent.threadpool import ThreadPool

CONNECT_TIMEOUT = 10.0  # seconds
ANSWER_TIMEOUT = 30  # whole seconds, for one operation
LONGEST_TIMEOUT = 86400
THREADS = 8
SCOPES = {"base": "BASE", "onelevel": "LEVEL", "subtree": "SUBTREE"}
CHANGES = {"+": "MODIFY_ADD", "-": "MODIFY_DELETE", "=": "MODIFY_REPLACE"}
_SUCCESS, _COMPARE_FALSE, _COMPARE_TRUE = 0, 5, 6
_UNREACHABLE = "Can't contact LDAP server"
# Where the usual text is not the name of the result code (RFC 4511, appendix A) in words.
_TEXTS = {"entryAlreadyExists": "Already exists", "invalidDNSyntax": "Invalid DN syntax",
          "unwillingToPerform": "Server is unwilling to perform",
          "insufficientAccessRights": "Insufficient access", "busy": "Server is busy"}
_pool: ThreadPool | None = None


class LdapError(Exception):
    """Why something could not be done, in the words that LDAP libraries use."""


@dataclass(frozen=True)
class Entry:
    """One entry that was found: its name and the values of its attributes."""

    dn: str
    attributes: dict[str, list[bytes]]


def available() -> bool:
    """Whether ldap3 is installed."""
    return importlib.util.find_spec("ldap3") is not None


def in_thread(work: Callable[..., Any], *args: Any) -> Any:
    """Run something that blocks; other greenlets go on meanwhile."""
    global _pool
    if _pool is None:
        _pool = ThreadPool(THREADS)
    return _pool.apply(work, args)


def addresses(text: str, tls: bool = False) -> list[tuple[str, int | None, bool]]:
    """Return (host, port, TLS from the start) of each server in a list of names or URIs.

    text: separated by spaces, each "host", "host:port", or an ldap:, ldaps: or ldapi: URI.
    Raises LdapError.
    """
    found = []
    for word in text.split():
        if word.startswith("ldapi://"):
            found.append((word, None, False))
            continue
        try:
            parts = urlsplit(word if "://" in word else "ldap://" + word)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, None
        if not host or parts.scheme not in ("ldap", "ldaps"):
            raise LdapError("Bad parameter to an ldap routine")
        secure = parts.scheme == "ldaps"
        found.append((host, port or (636 if secure else 389), secure and not tls))
    if not found:
        raise LdapError("Bad parameter to an ldap routine")
    return found


def tidy_filter(text: str) -> str:
    """Return a filter as RFC 4515 writes it: brackets around it, nothing but ASCII in it.

    `(&)` and `(|)`, true and false of RFC 4526, are said in words that every parser knows.
    """
    text = text.strip() or "(objectClass=*)"
    if not text.startswith("("):
        text = f"({text})"
    text = text.replace("(&)", "(objectClass=*)").replace("(|)", "(!(objectClass=*))")
    return "".join(chr(byte) if 0 < byte < 128 else f"\\{byte:02x}"
                   for byte in text.encode("utf-8", "surrogateescape"))


def text_of(result: dict[str, Any]) -> str:
    """Return what a result code means, with what the server adds in brackets."""
    name = result.get("description") or "other"
    text = _TEXTS.get(name) or re.sub(r"(?<=[a-z])([A-Z])", lambda found: " " + found[1].lower(),
                                      name).capitalize()
    return f"{text} ({result['message']})" if result.get("message") else text


def _close(connection: Any) -> None:
    sock = connection.socket
    if sock is not None:
        sock.close()


class Directory:
    """A connection to a directory; it is opened when it is first needed, and calls may wait.

    Args:
        where: servers to try in turn, see `addresses`.
        start_tls: encrypt before anything else is sent. The certificate has to be valid for the
            server's name; LDAPTLS_CACERT names a file of authorities besides the system's.
        timeout: seconds for each operation.

    Raises: LdapError, for an address that is none.
    """

    def __init__(self, where: str, start_tls: bool = False, timeout: float | None = None):
        self._servers = addresses(where, start_tls)
        self._start_tls = start_tls
        self._timeout = max(1, math.ceil(min(timeout or ANSWER_TIMEOUT, LONGEST_TIMEOUT)))
        self._lock = RLock()
        self._at_work = threading.Lock()  # held by the thread that works
        self._closed = False
        self._connection: Any = None

    @property
    def is_open(self) -> bool:
        """Whether `close` has not been called."""
        return not self._closed

    def bind(self, who: str, password: bytes) -> None:
        """Authenticate; without a name, become anonymous. Raises LdapError.

        A name with an empty password would be let in by some servers without being anybody
        (RFC 4513 section 5.1.2); it is refused here.
        """
        if who and not password:
            raise LdapError("Server is unwilling to perform (no password was given)")

        def work(ldap3: Any, connection: Any) -> None:
            connection.user, connection.password = who or None, password or None
            connection.authentication = ldap3.SIMPLE if who else ldap3.ANONYMOUS
            try:
                if not connection.bind():
                    raise LdapError(text_of(connection.result))
            finally:
                connection.password = None

        self._run(work)

    def search(self, base: str, scope: str, query: str, attributes: list[str],
               names_only: bool = False, most: int = 0, seconds: int = 0) -> list[Entry]:
        """Return what is found; raises LdapError. Partial results count as results."""
        def work(ldap3: Any, connection: Any) -> list[Entry]:
            connection.search(base, tidy_filter(query), getattr(ldap3, SCOPES[scope]),
                              attributes=attributes or [ldap3.ALL_ATTRIBUTES],
                              types_only=names_only, size_limit=most, time_limit=seconds)
            return [Entry(entry["dn"], dict(entry["raw_attributes"]))
                    for entry in connection.response or () if entry["type"] == "searchResEntry"]

        return self._run(work)

    def add(self, dn: str, attributes: dict[str, list[bytes]]) -> None:
        """Make an entry; raises LdapError."""
        self._change(lambda ldap3, connection: connection.add(dn, attributes=attributes))

    def modify(self, dn: str, changes: list[tuple[str, str, list[bytes]]]) -> None:
        """Change an entry: (one of "+", "-" and "=", attribute, values). Raises LdapError."""
        def work(ldap3: Any, connection: Any) -> None:
            by_name: dict[str, list[tuple[str, list[bytes]]]] = {}
            for change, name, values in changes:
                by_name.setdefault(name, []).append((getattr(ldap3, CHANGES[change]), values))
            connection.modify(dn, by_name)

        self._change(work)

    def delete(self, dn: str) -> None:
        """Remove an entry; raises LdapError."""
        self._change(lambda ldap3, connection: connection.delete(dn))

    def rename(self, dn: str, name: str, parent: str | None, delete_old: bool) -> None:
        """Give an entry another name, or another place as well; raises LdapError."""
        self._change(lambda ldap3, connection: connection.modify_dn(
            dn, name, delete_old_dn=delete_old, new_superior=parent))

    def compare(self, dn: str, attribute: str, value: bytes) -> bool:
        """Return whether an entry has this value; raises LdapError."""
        def work(ldap3: Any, connection: Any) -> bool:
            connection.compare(dn, attribute, value)
            if connection.result["result"] not in (_COMPARE_TRUE, _COMPARE_FALSE):
                raise LdapError(text_of(connection.result))
            return connection.result["result"] == _COMPARE_TRUE

        return self._run(work)

    def close(self) -> None:
        """End it; may be called again."""
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
            if connection is not None:
                in_thread(self._guarded, lambda: _close(connection))

    def _change(self, work: Callable[[Any, Any], Any]) -> None:
        def checked(ldap3: Any, connection: Any) -> None:
            work(ldap3, connection)
            if connection.result["result"] != _SUCCESS:
                raise LdapError(text_of(connection.result))

        self._run(checked)

    def _run(self, work: Callable[[Any, Any], Any]) -> Any:
        with self._lock:
            if self._closed:
                raise LdapError("LDAP connection is closed")
            return in_thread(self._guarded, self._attempt, work)

    def _guarded(self, work: Callable[..., Any], *args: Any) -> Any:
        with self._at_work:
            return work(*args)

    # -- in the thread ---------------------------------------------------------------------

    def _attempt(self, work: Callable[[Any, Any], Any]) -> Any:
        ldap3 = importlib.import_module("ldap3")
        wrong = importlib.import_module("ldap3.core.exceptions")
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._open(ldap3, wrong)
            return work(ldap3, self._connection)
        except wrong.LDAPInvalidFilterError:
            raise LdapError("Bad search filter") from None
        except (wrong.LDAPCommunicationError, wrong.LDAPResponseTimeoutError, OSError):
            self._drop()
            raise LdapError(_UNREACHABLE) from None
        except (wrong.LDAPExceptionError, ValueError, TypeError) as error:
            # The text may quote what was sent, so only the kind is told.
            raise LdapError(f"Bad parameter to an ldap routine ({type(error).__name__})") from None

    def _open(self, ldap3: Any, wrong: Any) -> Any:
        for number, (host, port, secure) in enumerate(self._servers, 1):
            tls = ldap3.Tls(validate=ssl.CERT_REQUIRED,
                            ca_certs_file=os.environ.get("LDAPTLS_CACERT"))
            server = ldap3.Server(host, port=port, use_ssl=secure, tls=tls, get_info=ldap3.NONE,
                                  connect_timeout=CONNECT_TIMEOUT)
            connection = ldap3.Connection(
                server, client_strategy=ldap3.SYNC, auto_referrals=False, check_names=False,
                auto_encode=False, receive_timeout=self._timeout, return_empty_attributes=False)
            try:
                connection.open(read_server_info=False)
                if self._start_tls and not connection.start_tls(read_server_info=False):
                    raise LdapError(text_of(connection.result))
            except wrong.LDAPStartTLSError:
                _close(connection)
                raise LdapError("Connect error (no trustworthy TLS)") from None
            except (wrong.LDAPCommunicationError, OSError):
                _close(connection)
                if number == len(self._servers):
                    raise LdapError(_UNREACHABLE) from None
            else:
                weakref.finalize(self, _close, connection).atexit = False
                return connection
        raise LdapError(_UNREACHABLE)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)
