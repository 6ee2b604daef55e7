"""The stanza: an XML element as name, attributes and children.

`attr` is a plain dict. A namespaced attribute has the key "namespace\\x01name" (`xml:` ones keep
their prefix), and `attr["xmlns"]` is set only where the namespace is not the one of the stream
or where an element above set it. Both conventions are those of Prosody, so that a stanza means
the same on both sides of the Lua border.

Building works with a cursor as in Prosody: `tag` adds a child and goes into it, `up` goes back,
`reset` to the top. Reading never moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prosody_py.xmpp.ns import STANZA_ERRORS
from prosody_py.xmpp.writer import serialize, start_tag


class Stanza:
    """An XML element; see the module's text for the meaning of `attr` and `children`."""

    __slots__ = ("name", "attr", "children", "lua", "_cursor", "__weakref__")

    def __init__(self, name: str, attr: dict[str, str] | None = None):
        self.name = name
        self.attr = {} if attr is None else attr
        self.children: list[Stanza | str] = []
        self.lua = None  # the Lua table, once Lua has looked at this stanza (lua/border)
        self._cursor: list[Stanza] | None = None

    # -- reading ---------------------------------------------------------------------------

    @property
    def tags(self) -> list[Stanza]:
        """The child elements, without the text between them, as a new list."""
        return [child for child in self.children if type(child) is not str]

    @property
    def xmlns(self) -> str | None:
        """The element's own namespace; None means that of the stream."""
        return self.attr.get("xmlns")

    def get_child(self, name: str | None = None, xmlns: str | None = None) -> Stanza | None:
        """Return the first child element of this name and namespace.

        A missing `name` matches any; a missing `xmlns` matches the namespace of this element.
        """
        for child in self.children:
            if type(child) is str or (name is not None and child.name != name):
                continue
            child_ns = child.attr.get("xmlns")
            if (child_ns == xmlns if xmlns is not None
                    else child_ns is None or child_ns == self.attr.get("xmlns")):
                return child
        return None

    def get_text(self) -> str:
        """Return the text directly inside this element."""
        return "".join([child for child in self.children if type(child) is str])

    def get_child_text(self, name: str, xmlns: str | None = None) -> str | None:
        """Return the text of a child, None when there is no such child."""
        child = self.get_child(name, xmlns)
        return None if child is None else child.get_text()

    def get_child_attr(self, name: str, xmlns: str | None, attr: str) -> str | None:
        """Return one attribute of a child, None when either is missing."""
        child = self.get_child(name, xmlns)
        return None if child is None else child.attr.get(attr)

    def get_child_with_attr(self, name: str, xmlns: str | None, attr: str, value: str,
                            normalize: Callable[[str | None], str | None] | None = None,
                            ) -> Stanza | None:
        """Return the first such child whose attribute has this (normalised) value."""
        for child in self.childtags(name, xmlns):
            found = child.attr.get(attr)
            if (normalize(found) if normalize else found) == value:
                return child
        return None

    def childtags(self, name: str | None = None, xmlns: str | None = None) -> Iterator[Stanza]:
        """Iterate over the child elements of this name and namespace (see `get_child`)."""
        own = self.attr.get("xmlns")
        for child in self.tags:
            if name is not None and child.name != name:
                continue
            child_ns = child.attr.get("xmlns")
            if child_ns == xmlns if xmlns is not None else child_ns is None or child_ns == own:
                yield child

    def maptags(self, function: Callable[[Stanza], Stanza | None]) -> Stanza:
        """Replace each child element by what `function` returns; None removes it."""
        kept: list[Stanza | str] = []
        for child in self.children:
            result = child if type(child) is str else function(child)
            if result is not None:
                kept.append(result)
        self.children[:] = kept
        return self

    def remove_children(self, name: str | None = None, xmlns: str | None = None) -> Stanza:
        """Remove all child elements of this name and namespace (see `get_child`)."""
        own = self.attr.get("xmlns")
        xmlns = own if xmlns is None else xmlns
        return self.maptags(lambda child: None if (
            (name is None or child.name == name)
            and child.attr.get("xmlns", own) == xmlns) else child)

    def get_error(self) -> tuple[str | None, str, str | None, Stanza | None]:
        """Return (type, condition, text, extra element) of an error stanza."""
        from_error = self.get_child("error")
        if from_error is None:
            return None, "undefined-condition", None, None
        condition, text, extra = "undefined-condition", None, None
        for child in from_error.tags:
            if child.attr.get("xmlns") != STANZA_ERRORS:
                extra = child
            elif child.name == "text":
                text = child.get_text()
            else:
                condition = child.name
        return from_error.attr.get("type"), condition, text, extra

    # -- building --------------------------------------------------------------------------

    def _top(self) -> Stanza:
        return self._cursor[-1] if self._cursor else self

    def tag(self, name: str, attr: dict[str, str] | None = None, /, **more: str) -> Stanza:
        """Add a child element and go into it; a `None` attribute is left out."""
        child = Stanza(name, {k: v for k, v in {**(attr or {}), **more}.items() if v is not None})
        self._top().children.append(child)
        if self._cursor is None:
            self._cursor = []
        self._cursor.append(child)
        return self

    def text(self, text: str | None) -> Stanza:
        """Add text inside the element that building is in; None and "" add nothing."""
        if text:
            self._top().children.append(text)
        return self

    def text_tag(self, name: str, text: str | None, attr: dict[str, str] | None = None,
                 /, **more: str) -> Stanza:
        """Add a child element with a text, without going into it."""
        return self.tag(name, attr, **more).text(text).up()

    def body(self, text: str, attr: dict[str, str] | None = None) -> Stanza:
        """Add a message body."""
        return self.text_tag("body", text, attr)

    def up(self) -> Stanza:
        """Go out of the element that building is in."""
        if self._cursor:
            self._cursor.pop()
        return self

    def reset(self) -> Stanza:
        """Go back to the top element."""
        self._cursor = None
        return self

    def add_child(self, child: Stanza | str) -> Stanza:
        """Add an element or a text inside the element that building is in."""
        self._top().children.append(child)
        return self

    def add_direct_child(self, child: Stanza | str) -> Stanza:
        """Add an element or a text to this element, wherever building is."""
        self.children.append(child)
        return self

    def clone(self, tags_only: bool = False) -> Stanza:
        """Return a deep copy; with `tags_only` without any text."""
        copy = Stanza(self.name, dict(self.attr))
        copy.children = [
            child if type(child) is str else child.clone(tags_only)
            for child in self.children
            if not (tags_only and type(child) is str)
        ]
        return copy

    def shallow(self) -> Stanza:
        """Return a copy with attributes of its own and the same children.

        For one stanza that goes to many: only the addresses differ.
        """
        copy = Stanza(self.name, dict(self.attr))
        copy.children = self.children
        return copy

    def top_tag(self) -> str:
        """Return the start tag alone, as it is used for stream headers and in logs."""
        return start_tag(self) + ">"

    def __str__(self) -> str:
        return serialize(self)

    def __repr__(self) -> str:
        return f"<Stanza {self.top_tag()} {len(self.children)} children>"


def has_more_than(most: int, stanza: Stanza) -> bool:
    """Whether there are more than `most` elements in a stanza; counts no further than that."""
    left, waiting = most, [stanza]
    while waiting and left >= 0:
        children = [child for child in waiting.pop().children if type(child) is not str]
        left -= len(children)
        waiting += children
    return left < 0
