"""XEP-0049: Private XML Storage. What an account keeps there is for its own sessions only.

Store "private", as Prosody's: "<name>:<namespace>" of an element -> the element as plain data.
"""

from __future__ import annotations

from prosody_py.api import PASS, StanzaError, hook, iq, stanza
from prosody_py.storage.interface import REMOVE
from prosody_py.xmpp.preserialize import deserialize, preserialize

XMLNS = "jabber:iq:private"
FEATURES = (XMLNS,)


def load(module):
    """Open the store."""
    module.store = module.open_counted_store("private", "map")


def key_of(element) -> str:
    """Return where an element is kept; raises StanzaError for one without its own namespace."""
    xmlns = element.attr.get("xmlns")
    if not xmlns or xmlns == XMLNS:
        raise StanzaError("not-acceptable", "The element needs a namespace of its own")
    return f"{element.name}:{xmlns}"


@iq("get", XMLNS, "query", to="self")
def get(module, event):
    """Return the element that is kept, or the empty one of the request."""
    wanted = event.stanza.tags[0].tags
    if len(wanted) != 1:
        raise StanzaError("bad-request", "A request is for one element")
    found = deserialize(module.store.get(event.origin.username, key_of(wanted[0])))
    return stanza.stanza("query", xmlns=XMLNS).add_child(found or wanted[0])


@iq("set", XMLNS, "query", to="self")
def set(module, event):
    """Keep elements, each in the place of that of the same name; an empty one removes it."""
    elements = event.stanza.tags[0].tags
    if not elements:
        raise StanzaError("not-acceptable", "There is no element to keep")
    module.store.set_keys(event.origin.username, {
        key_of(element): REMOVE if is_empty(element) else preserialize(element)
        for element in elements})


def is_empty(element) -> bool:
    """Whether an element says nothing but its name."""
    return not element.children and not element.attr.keys() - {"xmlns"}


@iq("get", XMLNS, "query", to="bare", priority=-1)
@iq("set", XMLNS, "query", to="bare", priority=-1)
def refuse(module, event):
    """Keep others out."""
    if event.to_self:
        return PASS
    raise StanzaError("forbidden")


@hook("user-deleted")
def forget(module, event):
    """Remove what an account has kept."""
    module.open_store("private").set(event.username, None)
