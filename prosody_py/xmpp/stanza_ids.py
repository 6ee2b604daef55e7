"""Unique and stable stanza ids (XEP-0359)."""

from __future__ import annotations

from prosody_py.xmpp.stanza import Stanza

XMLNS = "urn:xmpp:sid:0"


def stanza_id(id: str, by: str) -> Stanza:
    """Return the element that says under which id `by` knows a stanza."""
    return Stanza("stanza-id", {"xmlns": XMLNS, "id": id, "by": by})


def find_id(stanza: Stanza, by: str) -> str | None:
    """Return the id that `by` has given a stanza, None when it has none."""
    for child in stanza.children:
        if is_id(child, by):
            return child.attr.get("id")
    return None


def strip_ids(stanza: Stanza, by: str) -> None:
    """Take away what claims to be an id given by `by` (section 3, rule 2)."""
    for child in stanza.children:
        if is_id(child, by):
            stanza.children[:] = [one for one in stanza.children if not is_id(one, by)]
            return


def is_id(child: Stanza | str, by: str) -> bool:
    """Whether a child of a stanza says that it is an id given by `by`."""
    return (type(child) is not str and child.name == "stanza-id"
            and child.attr.get("xmlns") == XMLNS and child.attr.get("by") == by)
