"""Requests: LDAP directories (lualdap)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua import ldap
from prosody_py.lua.ldap import Directory, LdapError
from prosody_py.lua.values import encode


def _answering(request: Callable[..., Any]) -> Callable[..., Any]:
    """Make a request answer nil and why not, where it raises LdapError."""

    def answer(border, _server, *raw: Any) -> Any:
        try:
            return request(border, *raw)
        except LdapError as error:
            return None, border.to_lua(str(error))

    return answer


def _values(values: Any) -> list[bytes]:
    """Return the values of an attribute; Lua's strings are bytes, an empty table is no list."""
    return [encode(value) for value in values] if isinstance(values, list) else []


def ldap_open(border, where: bytes, tls: Any = False, timeout: Any = None) -> Any:
    """Return a directory that is not connected yet."""
    return border.to_lua(Directory(border.to_python(where), bool(tls), timeout))


def ldap_bind(border, raw: Any, who: bytes, password: bytes) -> bool:
    """Authenticate."""
    border.to_python(raw).bind(border.to_python(who), password)
    return True


def ldap_search(border, raw: Any, base: bytes, scope: bytes, query: bytes, attributes: Any,
                names_only: Any, most: int, seconds: int) -> Any:
    """Return a list: the name of an entry, its attributes as a table, and so on."""
    names = border.copy_to_python(attributes)
    found = border.to_python(raw).search(
        border.to_python(base), border.to_python(scope), border.to_python(query),
        names if isinstance(names, list) else [], bool(names_only), int(most), int(seconds))
    flat: list[Any] = []
    for entry in found:
        flat += (encode(entry.dn), border.copy_to_lua({
            name: True if names_only else values[0] if len(values) == 1 else values
            for name, values in entry.attributes.items()}))
    return len(found), border.long_list(flat) if flat else None


def ldap_add(border, raw: Any, dn: bytes, attributes: Any) -> bool:
    """Make an entry; `attributes` has a list of values for each name."""
    named = border.copy_to_python(attributes)
    border.to_python(raw).add(border.to_python(dn), {
        str(name): _values(values) for name, values in named.items()}
        if isinstance(named, dict) else {})
    return True


def ldap_modify(border, raw: Any, dn: bytes, changes: Any) -> bool:
    """Change an entry; `changes` is a list of { change, attribute, values }."""
    listed = border.copy_to_python(changes)
    border.to_python(raw).modify(border.to_python(dn), [
        (change, name, _values(values)) for change, name, values in listed]
        if isinstance(listed, list) else [])
    return True


def ldap_delete(border, raw: Any, dn: bytes) -> bool:
    """Remove an entry."""
    border.to_python(raw).delete(border.to_python(dn))
    return True


def ldap_rename(border, raw: Any, dn: bytes, name: bytes, parent: Any, delete_old: Any) -> bool:
    """Give an entry another name."""
    border.to_python(raw).rename(border.to_python(dn), border.to_python(name),
                                 border.to_python(parent), bool(delete_old))
    return True


def ldap_compare(border, raw: Any, dn: bytes, attribute: bytes, value: bytes) -> bool:
    """Return whether an entry has this value."""
    return border.to_python(raw).compare(border.to_python(dn), border.to_python(attribute), value)


def ldap_close(border, raw: Any) -> bool:
    """End a connection."""
    border.to_python(raw).close()
    return True


PLAIN: dict[str, Callable[..., Any]] = {
    "ldap_available": lambda _border, _server: ldap.available(),
    "ldap_is_open": lambda border, _server, raw: border.to_python(raw).is_open,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    function.__name__: _answering(function)
    for function in (ldap_open, ldap_bind, ldap_search, ldap_add, ldap_modify, ldap_delete,
                     ldap_rename, ldap_compare, ldap_close)
}
