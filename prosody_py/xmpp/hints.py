"""Message processing hints (XEP-0334)."""

from __future__ import annotations

from prosody_py.xmpp.stanza import Stanza

XMLNS = "urn:xmpp:hints"


def hints(stanza: Stanza) -> set[str]:
    """Return the names of a message's hints; an error has none, whatever it contains."""
    if stanza.attr.get("type") == "error":
        return set()
    return {child.name for child in stanza.children
            if type(child) is not str and child.attr.get("xmlns") == XMLNS}
