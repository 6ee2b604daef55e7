"""The verification string of service discovery information (XEP-0115 section 5.1).

Two entities with the same string can do the same things, so who has asked one need not ask the
other. It is a hash over the sorted identities, features and forms of a disco#info <query/>.
"""

from __future__ import annotations

import base64
import hashlib

from prosody_py.xmpp.stanza import Stanza

XMLNS = "http://jabber.org/protocol/caps"
HASH = "sha-1"  # the one that everybody has to know; section 5.2
_FORM = "jabber:x:data"


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
