"""Make the three stanzas, replies and errors (RFC 6120 sections 4.9 and 8, RFC 6121)."""

from __future__ import annotations

from prosody_py.xmpp.errors import STANZA_ERROR_TYPES, StanzaError, StreamError
from prosody_py.xmpp.ns import STANZA_ERRORS, STREAM_ERRORS
from prosody_py.xmpp.stanza import Stanza

_STANZA_ERROR_NS = {"xmlns": STANZA_ERRORS}


def stanza(name: str, attr: dict[str, str] | None = None, /, **more: str) -> Stanza:
    """Return an element; keyword arguments are attributes, `None` values are left out."""
    return Stanza(name, {k: v for k, v in {**(attr or {}), **more}.items() if v is not None})


def message(attr: dict[str, str] | None = None, body: str | None = None, /, **more) -> Stanza:
    """Return a message, with a body if one is given."""
    result = stanza("message", attr, **more)
    if body:
        result.text_tag("body", body)
    return result


def presence(attr: dict[str, str] | None = None, /, **more: str) -> Stanza:
    """Return a presence."""
    return stanza("presence", attr, **more)


def iq(attr: dict[str, str] | None = None, /, **more: str) -> Stanza:
    """Return an iq; raises ValueError without an id or a type (RFC 6120 section 8.2.3)."""
    result = stanza("iq", attr, **more)
    if not result.attr.get("id") or not result.attr.get("type"):
        raise ValueError("an iq needs an id and a type")
    return result


def reply(to: Stanza) -> Stanza:
    """Return an empty answer: addresses exchanged, same id, an iq becomes a result."""
    get = to.attr.get
    attr = {}
    if (value := get("from")) is not None:
        attr["to"] = value
    if (value := get("to")) is not None:
        attr["from"] = value
    if (value := get("id")) is not None:
        attr["id"] = value
    if to.name == "iq":
        attr["type"] = "result"
    elif (value := get("type")) is not None:
        attr["type"] = value
    return Stanza(to.name, attr)


def error_reply(to: Stanza, type: str | StanzaError | None = None, condition: str | None = None,
                text: str | None = None, by: str | None = None) -> Stanza:
    """Return an error answer, with building left inside the <error/> element.

    `type` may be a StanzaError that holds everything. Raises ValueError for an answer to an
    error, which RFC 6120 section 8.3.1 forbids.
    """
    if to.attr.get("type") == "error":
        raise ValueError("an error must not be answered with an error")
    extra = None
    if isinstance(type, StanzaError):
        type, condition, text, extra = type.type, type.condition, type.text, type.extra
    condition = condition or "undefined-condition"
    result = reply(to)
    result.attr["type"] = "error"
    attr = {"type": type or STANZA_ERROR_TYPES.get(condition, "cancel")}
    if by and by != result.attr.get("from"):
        attr["by"] = by
    result.tag("error", attr)
    result.tag(condition, dict(_STANZA_ERROR_NS)).up()
    if text:
        result.text_tag("text", text, dict(_STANZA_ERROR_NS))
    if extra is not None:
        result.add_child(extra)
    return result


def stream_error(error: StreamError) -> Stanza:
    """Return the <stream:error/> of an error (RFC 6120 section 4.9)."""
    element = Stanza("stream:error")
    element.tag(error.condition, xmlns=STREAM_ERRORS).up()
    if error.text:
        element.text_tag("text", error.text, {"xmlns": STREAM_ERRORS})
    return element
