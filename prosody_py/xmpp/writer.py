"""Stanza to text. The only place where XML is escaped.

Characters that XML 1.0 does not allow (section 2.2) never reach the wire: they become U+FFFD.
A stream must not break because a module put a control character into a text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prosody_py.xmpp.ns import XML

if TYPE_CHECKING:
    from prosody_py.xmpp.stanza import Stanza

_ILLEGAL = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_special_in_text = re.compile(f"[&<>\r{_ILLEGAL}]").search
_special_in_attr = re.compile(f"[&<>'\"\r\n\t{_ILLEGAL}]").search
_illegal = re.compile(f"[{_ILLEGAL}]").sub
# Whitespace other than the blank is normalised away in attributes unless it is a reference.
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTR = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;",
                       "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def escape_text(text: str) -> str:
    """Return `text` as it stands between tags."""
    return _illegal("\ufffd", text).translate(_TEXT) if _special_in_text(text) else text


def escape_attr(text: str) -> str:
    """Return `text` as it stands between single quotes."""
    return _illegal("\ufffd", text).translate(_ATTR) if _special_in_attr(text) else text


def replace_illegal(text: str) -> str:
    """Return finished XML text without characters that XML does not allow."""
    return _illegal("\ufffd", text)


def start_tag(stanza: Stanza, parent_ns: str | None = None) -> str:
    """Return the start tag of `stanza` without its closing ">"."""
    out = ["<", stanza.name]
    attributes(stanza.attr, parent_ns, out.append)
    return "".join(out)


def attributes(attr: dict[str, str], parent_ns: str | None, add) -> None:
    """Add the attributes, each with a blank before; the parent's xmlns is not repeated."""
    prefixes = 0
    for key, value in attr.items():
        if _special_in_attr(value):
            value = escape_attr(value)
        if "\x01" in key:
            namespace, _, key = key.partition("\x01")
            if namespace == XML:
                add(f" xml:{key}='{value}'")
            else:
                prefixes += 1
                add(f" xmlns:ns{prefixes}='{escape_attr(namespace)}' ns{prefixes}:{key}='{value}'")
        elif key != "xmlns" or value != parent_ns:
            add(f" {key}='{value}'")


def serialize(stanza: Stanza, parent_ns: str | None = None) -> str:
    """Return `stanza` as XML text; `parent_ns` is the default namespace where it will stand."""
    out: list[str] = []
    _serialize(stanza, parent_ns, out.append)
    return "".join(out)


def _serialize(stanza: Stanza, parent_ns: str | None, add) -> None:
    if stanza.lua is not None:  # its content is a Lua table: it knows best how to write itself
        stanza.write(parent_ns, add)
    else:
        write_parts(stanza.name, stanza.attr, stanza.children, parent_ns, add)


def write_parts(name: str, attr: dict[str, str], children: list, parent_ns: str | None,
                add) -> None:
    """Give the text of an element to `add`, piece by piece; see `serialize`."""
    add("<" + name)
    if attr:
        attributes(attr, parent_ns, add)
    if not children:
        add("/>")
        return
    add(">")
    own_ns = attr.get("xmlns", parent_ns)
    for child in children:
        if type(child) is str:
            add(escape_text(child) if _special_in_text(child) else child)
        else:
            _serialize(child, own_ns, add)
    add(f"</{name}>")


def serialize_children(stanza: Stanza, parent_ns: str | None = None) -> str:
    """Return what stands between the tags of `stanza`."""
    out: list[str] = []
    own_ns = stanza.attr.get("xmlns", parent_ns)
    for child in stanza.children:
        if type(child) is str:
            out.append(escape_text(child))
        else:
            _serialize(child, own_ns, out.append)
    return "".join(out)
