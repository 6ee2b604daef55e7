"""Take XMPP addresses apart, put them together, and bring them into canonical form.

An address is a plain ``str`` everywhere: ``[node@]host[/resource]`` (RFC 6122). ``split`` and
friends only cut; ``prep`` and ``prepped_split`` also apply the stringprep profiles, and what they
give is safe to compare and to use as a key.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from prosody_py.xmpp.prep import MAX_BYTES, PrepError, nameprep, nodeprep, resourceprep

__all__ = [
    "bare",
    "compare",
    "escape",
    "host",
    "join",
    "node",
    "prep",
    "prepped_split",
    "resource",
    "split",
    "unescape",
]

Parts = tuple[str | None, str | None, str | None]

MAX_LENGTH = 3 * MAX_BYTES + 2
"""No valid address has more characters."""

# At most 4096 entries of at most 256 characters, that is 10 MiB when a peer sends the worst ones.
# Longer addresses are prepared each time; invalid ones raise, and what raises is not kept.
_CACHE_ENTRIES = 4096
_CACHED_LENGTH = 256

_NOTHING: Parts = (None, None, None)

# Lower-case ASCII that every profile gives back unchanged; anything else takes the long way.
_canonical = re.compile(
    rf"(?:([!#-%(-.0-9;=?\[-~]{{1,{MAX_BYTES}}})@)?"
    r"([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){0,15})"
    rf"(?:/([ -~]{{1,{MAX_BYTES}}}))?\Z"
).match

_forbidden_in_host = re.compile(r"[\x00-\x20\"#%&'/:<>?@\[\\\]\x7f]").search


def split(jid: str | None) -> Parts:
    """Cut an address into (node, host, resource) without preparing it.

    A part that is absent is None. Three Nones mean that ``jid`` is None or not an address: an empty
    part, or a second ``@`` before the resource.
    """
    if not jid:
        return _NOTHING
    address, slash, resource_part = jid.partition("/")
    node_part, at, host_part = address.partition("@")
    if not at:
        node_part, host_part = None, address
    elif not node_part or "@" in host_part:
        return _NOTHING
    if not host_part or (slash and not resource_part):
        return _NOTHING
    return node_part, host_part, resource_part or None


def bare(jid: str | None) -> str | None:
    """Return the address without its resource, or None if it is not an address."""
    node_part, host_part, _ = split(jid)
    return host_part if node_part is None else f"{node_part}@{host_part}"


def node(jid: str | None) -> str | None:
    """Return the local part, or None if there is none."""
    return split(jid)[0]


def host(jid: str | None) -> str | None:
    """Return the domain part, or None if ``jid`` is not an address."""
    return split(jid)[1]


def resource(jid: str | None) -> str | None:
    """Return the resource, or None if there is none."""
    return split(jid)[2]


def join(node: str | None, host: str | None, resource: str | None = None) -> str | None:
    """Put an address together; the parts are taken as they are. None without a host."""
    if host is None:
        return None
    address = host if node is None else f"{node}@{host}"
    return address if resource is None else f"{address}/{resource}"


def prepped_split(jid: str | None, strict: bool = False) -> Parts:
    """Cut an address and prepare each part (RFC 6122 section 2).

    Every part has 1 to 1023 bytes of UTF-8. A trailing dot of the host is dropped; an IPv6 host
    stands in brackets and comes back in its short form. ``strict`` refuses code points that Unicode
    3.2 does not know, as wanted for addresses about to be stored. Three Nones mean an invalid
    address; nothing is raised for any text.
    """
    try:
        if strict or not jid or len(jid) > _CACHED_LENGTH:
            return _prepare(jid, strict)
        return _cached(jid)[0]
    except PrepError:
        return _NOTHING


def prep(jid: str | None, strict: bool = False) -> str | None:
    """Return the canonical form of an address, or None if it is invalid; see prepped_split."""
    try:
        if strict or not jid or len(jid) > _CACHED_LENGTH:
            return join(*_prepare(jid, strict))
        return _cached(jid)[1]
    except PrepError:
        return None


@lru_cache(maxsize=_CACHE_ENTRIES)
def _cached(jid: str) -> tuple[Parts, str]:
    """Return the prepared parts and the canonical form."""
    parts = _prepare(jid, False)
    canonical = join(*parts)
    return parts, jid if canonical == jid else canonical


def _prepare(jid: str | None, strict: bool) -> Parts:
    """Do the work of prepped_split; raise PrepError for an invalid address."""
    if jid is None or len(jid) > MAX_LENGTH:
        raise PrepError("no address, or too long for one")
    if found := _canonical(jid):
        return found.groups()
    node_part, host_part, resource_part = split(jid)
    if host_part is None:
        raise PrepError("not an address")
    if node_part is not None:
        node_part = _not_empty(nodeprep(node_part, strict))
    if resource_part is not None:
        resource_part = _not_empty(resourceprep(resource_part, strict))
    return node_part, _prepare_host(host_part, strict), resource_part


def _prepare_host(text: str, strict: bool) -> str:
    if text.startswith("["):
        return _ipv6_literal(text)
    # Preparation can make a slash, an at sign or a dot out of a compatibility character, so the
    # checks come after it. The ideographic full stop is a label separator too (RFC 3490 3.1).
    prepared = nameprep(text, strict).replace("\u3002", ".").removesuffix(".")
    if _forbidden_in_host(prepared) or not all(prepared.split(".")):
        raise PrepError("not a host name")
    return prepared


def _ipv6_literal(text: str) -> str:
    try:
        if text[-1] != "]" or "%" in text:
            raise AddressValueError
        return f"[{IPv6Address(text[1:-1])}]"
    except AddressValueError:
        raise PrepError("not an IPv6 address in brackets") from None


def _not_empty(prepared: str) -> str:
    # A soft hyphen alone is a part before preparation and nothing after it.
    if not prepared:
        raise PrepError("part is empty after preparation")
    return prepared


def compare(acl_jid: str, jid: str) -> bool:
    """Say whether ``jid`` falls under the rule ``acl_jid``.

    A part that the rule lacks matches anything: ``example.org`` covers everybody there. Both are
    compared as they are, so prepare them first. An invalid rule or address never matches.
    """
    rule = split(acl_jid)
    parts = split(jid)
    if rule[1] is None or parts[1] is None:
        return False
    return all(want is None or want == part for want, part in zip(rule, parts, strict=True))


_ESCAPED = "20|22|26|27|2f|3a|3c|3e|40|5c"
_to_escape = re.compile(rf"[ \"&'/:<>@]|\\(?={_ESCAPED})")
_to_unescape = re.compile(rf"\\({_ESCAPED})")


def escape(text: str) -> str:
    """Make a local part out of text with characters that nodeprep forbids (XEP-0106).

    A backslash is escaped only where it would read as the beginning of an escape sequence. Strip
    outer spaces first: an escaped space must not be the first or last character.
    """
    return _to_escape.sub(lambda found: f"\\{ord(found[0]):02x}", text)


def unescape(text: str) -> str:
    """Undo ``escape``; sequences outside the table of XEP-0106 stay as they are."""
    return _to_unescape.sub(lambda found: chr(int(found[1], 16)), text)
