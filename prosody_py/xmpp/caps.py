"""Hashes of service discovery information (XEP-0115 section 5.1, XEP-0390 section 4.1).

Two entities with the same hash can do the same things, so who has asked one need not ask the
other. It is made of the sorted identities, features and forms of a disco#info <query/>.
"""

from __future__ import annotations

import base64
import hashlib

from prosody_py.xmpp.stanza import Stanza

XMLNS = "http://jabber.org/protocol/caps"
HASH = "sha-1"  # the one that everybody has to know; section 5.2
SECOND = "urn:xmpp:caps"  # XEP-0390, whose hashes cannot be made to mean two things
HASHES = "urn:xmpp:hashes:2"
_DISCO = "http://jabber.org/protocol/disco#info"
_FORM = "jabber:x:data"
_ALGORITHMS = {"sha-256": "sha256", "sha-512": "sha512", "sha3-256": "sha3_256",
               "sha3-512": "sha3_512"}


def verification_string(query: Stanza) -> str:
    """Return the base64 of the SHA-1 that stands for a disco#info <query/>."""
    parts = [*_identities(query), *_features(query)]
    for form in sorted(_forms(query)):
        parts.extend(form)
    text = b"".join(part + b"<" for part in parts)
    return base64.b64encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode()


# Sorting is that of octets, so everything is encoded first.


def _encoded(text: str | None) -> bytes:
    return (text or "").encode("utf-8", "surrogateescape")


def _identities(query: Stanza) -> list[bytes]:
    names = ("category", "type", "xml:lang", "name")
    found = sorted([_encoded(child.attr.get(name)) for name in names]
                   for child in query.tags if child.name == "identity")
    return [b"/".join(identity) for identity in found]


def _features(query: Stanza) -> list[bytes]:
    return sorted(_encoded(child.attr.get("var")) for child in query.tags
                  if child.name == "feature")


def _forms(query: Stanza) -> list[list[bytes]]:
    """Return what is hashed of each form; those without FORM_TYPE do not count."""
    found = []
    for form in query.childtags("x", _FORM):
        kind, fields = None, []
        for field in form.tags:
            if field.name != "field":
                continue
            values = sorted(_encoded(value.get_text()) for value in field.tags
                            if value.name == "value")
            if field.attr.get("var") == "FORM_TYPE":
                kind = values[0] if values else b""
            else:
                fields.append([_encoded(field.attr.get("var")), *values])
        if kind is not None:
            found.append([kind, *[part for field in sorted(fields) for part in field]])
    return found


# -- XEP-0390 --------------------------------------------------------------------------------


def announced(presence: Stanza) -> str | None:
    """Return the node that stands for the capabilities in a presence, None for none.

    That of XEP-0390 goes before that of XEP-0115 (XEP-0390 section 7.2).
    """
    second = presence.get_child("c", SECOND)
    for hash in second.childtags("hash", HASHES) if second is not None else ():
        if hash.attr.get("algo") in _ALGORITHMS and (text := hash.get_text().strip()):
            return second_node(text, hash.attr["algo"])
    first = presence.get_child("c", XMLNS)
    if first is None or first.attr.get("hash") != HASH:
        return None
    node, ver = first.attr.get("node"), first.attr.get("ver")
    return f"{node}#{ver}" if node and ver else None


def second_hash(query: Stanza, algorithm: str = "sha-256") -> str | None:
    """Return the hash of a disco#info <query/>, None for one that has none."""
    text = hash_input(query)
    if text is None:
        return None
    return base64.b64encode(hashlib.new(_ALGORITHMS[algorithm], text).digest()).decode()


def second_node(hash: str, algorithm: str = "sha-256") -> str:
    """Return the node at which the <query/> with a hash is asked for (section 4.3)."""
    return f"{SECOND}#{algorithm}.{hash}"


def second_set(hash: str, algorithm: str = "sha-256") -> Stanza:
    """Return the <c/> that announces a hash (section 4.2)."""
    element = Stanza("c", {"xmlns": SECOND})
    return element.text_tag("hash", hash, {"xmlns": HASHES, "algo": algorithm})


def is_true(node: str, query: Stanza) -> bool:
    """Whether a disco#info <query/> is what the node of `announced` stands for."""
    name, _, hash = node.rpartition("#")
    if name != SECOND:
        return verification_string(query) == hash
    algorithm, _, hash = hash.rpartition(".")
    return algorithm in _ALGORITHMS and second_hash(query, algorithm) == hash


def hash_input(query: Stanza) -> bytes | None:
    """Return what is hashed of a disco#info <query/>, None for one that has no hash."""
    features, identities, forms = [], [], []
    for child in query.tags:
        xmlns = child.attr.get("xmlns", _DISCO)
        if xmlns == _FORM and child.name == "x":
            form = _form_input(child)
            if form is None:
                return None
            forms.append(form)
        elif xmlns == _DISCO and child.name == "feature":
            features.append(_encoded(child.attr.get("var")) + b"\x1f")
        elif xmlns == _DISCO and child.name == "identity":
            identities.append(b"".join(
                [_encoded(child.attr.get(name)) + b"\x1f"
                 for name in ("category", "type", "xml:lang", "name")]) + b"\x1e")
        else:
            return None
    return b"".join([b"".join(sorted(part)) + b"\x1c" for part in (features, identities, forms)])


def _form_input(form: Stanza) -> bytes | None:
    """Return what is hashed of a form, None for one that is not of XEP-0068."""
    fields = []
    if form.get_child_with_attr("field", None, "var", "FORM_TYPE") is None:
        return None
    for field in form.tags:
        if field.name != "field":
            return None
        values = sorted([_encoded(value.get_text()) + b"\x1f"
                         for value in field.childtags("value")])
        fields.append(_encoded(field.attr.get("var")) + b"\x1f" + b"".join(values) + b"\x1e")
    return b"".join(sorted(fields)) + b"\x1d"
