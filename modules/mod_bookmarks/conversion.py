"""Bookmarks of rooms in both forms: one element with all (XEP-0048), one item each (XEP-0402).

What a client has put into <extensions/> (such as XEP-0469, pinning) is kept on the way from one
form to the other and back: also when an old client sends a list in which it is missing.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import Stanza, jid

BOOKMARKS, STORAGE = "urn:xmpp:bookmarks:1", "storage:bookmarks"
_OWN = ("nick", "password", "extensions")
_TRUE = ("1", "true")


def cast(element: Stanza, xmlns: str, into: str) -> Stanza:
    """Return a copy in which elements of one namespace are in another one."""
    copy = Stanza(element.name, dict(element.attr))
    if copy.attr.get("xmlns") == xmlns:
        copy.attr["xmlns"] = into
    copy.children = [child if type(child) is str else cast(child, xmlns, into)
                     for child in element.children]
    return copy


def to_old(room: str, conference: Stanza) -> Stanza:
    """Return the <conference/> of XEP-0048 for an item of XEP-0402."""
    old = cast(conference, BOOKMARKS, STORAGE)
    old.attr["jid"] = room
    return old


def from_old(old: Stanza, before: Stanza | None = None) -> tuple[str, Stanza] | None:
    """Return (room, item's <conference/>) of a bookmark of XEP-0048; None without an address.

    `before` is what there is for this room already; what an old client cannot know stays.
    """
    room = jid.prep(old.attr.get("jid") or "")
    if room is None:
        return None
    attr = {name: old.attr[name] for name in ("name", "autojoin") if name in old.attr}
    new = Stanza("conference", {"xmlns": BOOKMARKS, **attr})
    extensions, others = None, []
    for child in old.tags:
        if child.attr.get("xmlns") not in (STORAGE, None):
            others.append(child)  # what has no place of its own in XEP-0402
        elif child.name in _OWN:
            found = cast(child, STORAGE, BOOKMARKS)
            found.attr["xmlns"] = BOOKMARKS
            if child.name == "extensions":
                extensions = found
            else:
                new.children.append(found)
    if extensions is None:
        extensions = Stanza("extensions", {"xmlns": BOOKMARKS})
        known = before.get_child("extensions", BOOKMARKS) if before is not None else None
        sent = {(child.name, child.attr.get("xmlns")) for child in others}
        for child in known.tags if known is not None else ():
            if (child.name, child.attr.get("xmlns")) not in sent:
                extensions.children.append(child)
    extensions.children += others
    if extensions.children:
        new.children.append(extensions)
    return room, new


def meaning(conference: Stanza) -> tuple[Any, ...]:
    """Return what is the same for bookmarks that say the same."""
    extensions = conference.get_child("extensions", BOOKMARKS)
    return (conference.attr.get("name") or "", conference.attr.get("autojoin") in _TRUE,
            *[conference.get_child_text(name, BOOKMARKS) for name in ("nick", "password")],
            None if extensions is None else [str(child) for child in extensions.tags])
