"""Result set management (XEP-0059): pages of what is too long for one answer."""

from __future__ import annotations

from dataclasses import dataclass

from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.stanza import Stanza

XMLNS = "http://jabber.org/protocol/rsm"
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a <set/> of a request asks for.

    `max` is how many items at most (0: only the count), None when nothing is said. `after` and
    `before` are item ids; `before` is "" for the last page. `index` is the first item's number.
    """

    max: int | None = None
    after: str | None = None
    before: str | None = None
    index: int | None = None

    @property
    def backwards(self) -> bool:
        """Whether the page is counted from its end."""
        return self.before is not None


def page_request(element: Stanza) -> PageRequest | None:
    """Return what the <set/> child of `element` asks for, None when there is none.

    Raises StanzaError "bad-request" for numbers that are none.
    """
    found = element.get_child("set", XMLNS)
    if found is None:
        return None
    after = found.get_child_text("after")
    return PageRequest(_number(found, "max"), after or None, found.get_child_text("before"),
                       _number(found, "index"))


def _number(found: Stanza, name: str) -> int | None:
    text = found.get_child_text(name)
    if text is None:
        return None
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS:
        raise StanzaError("bad-request", f"'{name}' of a result set is a number from 0 up")
    return int(text)


def page(first: str | None = None, last: str | None = None, count: int | None = None,
         index: int | None = None) -> Stanza:
    """Return the <set/> of an answer: ids of the first and last item, number of all items."""
    element = Stanza("set", {"xmlns": XMLNS})
    if first is not None:
        element.text_tag("first", first, {} if index is None else {"index": str(index)})
    if last is not None:
        element.text_tag("last", last)
    if count is not None:
        element.text_tag("count", str(count))
    return element
