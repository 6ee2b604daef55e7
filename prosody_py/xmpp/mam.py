"""The wire form of archive queries (XEP-0313): what is asked, and what is answered.

Whose archive it is, who may read it and where it is kept is for those who use this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prosody_py.xmpp import dataforms, jid, rsm
from prosody_py.xmpp.datetime import delay, format_datetime, parse_datetime
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.stanza import Stanza

XMLNS = "urn:xmpp:mam:2"
EXTENDED = XMLNS + "#extended"
GROUPCHAT_FIELD = XMLNS + "#groupchat-field"
FORWARD = "urn:xmpp:forward:0"
FULLTEXT = "urn:xmpp:fulltext:0"
FULLTEXT_FIELD = f"{{{FULLTEXT}}}fulltext"
MAX_IDS = 1000
MAX_TEXT = 1000  # characters of an id, or of a text that is searched for
_FIELDS = ("with", "start", "end", "before-id", "after-id", "ids", "include-groupchat")


@dataclass(frozen=True, slots=True)
class ArchiveQuery:
    """What a client asks an archive for; times in seconds, addresses prepared.

    `start` to `ids`, and `fulltext`, are the filters of section 4.1; `page` is the <set/>, an
    empty one when there was none; `flip` sends the page newest first; `queryid` comes back with
    each result.
    """

    with_: str | None = None
    start: float | None = None
    end: float | None = None
    before_id: str | None = None
    after_id: str | None = None
    ids: tuple[str, ...] | None = None
    groupchat: bool | None = None
    fulltext: str | None = None
    page: rsm.PageRequest = rsm.PageRequest()
    flip: bool = False
    queryid: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it asks for all that was said, however many pages that takes."""
        return (self.with_ is self.end is self.before_id is self.ids is self.fulltext is None)


def parse_query(query: Stanza, fulltext: bool = False) -> ArchiveQuery:
    """Read a <query/> of an iq set.

    Raises StanzaError: "bad-request" for what is malformed, "feature-not-implemented" for a field
    that there is not (section 4.1.5).
    """
    if query.attr.get("node"):
        raise StanzaError("feature-not-implemented", "Nodes (XEP-0442) have no archives here")
    page = rsm.page_request(query) or rsm.PageRequest()
    if page.index is not None:
        raise StanzaError("feature-not-implemented", "Pages are not found by number here")
    fields = _fields(query)
    known = (*_FIELDS, FULLTEXT_FIELD) if fulltext else _FIELDS
    for name in fields:
        if name not in known:
            raise StanzaError("feature-not-implemented", f"There is no field '{name[:100]}'")
    single = {name: values[0] for name, values in fields.items() if values and values[0]}
    return ArchiveQuery(
        _address(single.get("with")), _moment("start", single), _moment("end", single),
        _text("before-id", single), _text("after-id", single), _ids(fields.get("ids")),
        _truth(single.get("include-groupchat")), _text(FULLTEXT_FIELD, single), page,
        query.get_child("flip-page") is not None, query.attr.get("queryid"))


def _fields(query: Stanza) -> dict[str, list[str]]:
    x = query.get_child("x", dataforms.XMLNS)
    if x is None:
        return {}
    fields = {field.attr.get("var") or "": [value.get_text() for value in field.childtags("value")]
              for field in x.childtags("field")}
    if x.attr.get("type") != "submit" or fields.pop("FORM_TYPE", None) != [XMLNS]:
        raise StanzaError("bad-request", f"The form must be a submitted one of type {XMLNS}")
    return fields


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    address = jid.prep(text)
    if address is None:
        raise StanzaError("bad-request", "'with' is no address")
    return address


def _moment(name: str, fields: dict[str, str]) -> float | None:
    text = fields.get(name)
    when = parse_datetime(text)
    if text is not None and when is None:
        raise StanzaError("bad-request", f"'{name}' is no date with time (XEP-0082)")
    return when


def _text(name: str, fields: dict[str, str]) -> str | None:
    text = fields.get(name)
    if text is not None and len(text) > MAX_TEXT:
        raise StanzaError("bad-request", f"'{name}' is too long")
    return text


def _ids(values: list[str] | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    if len(values) > MAX_IDS or any(len(value) > MAX_TEXT for value in values):
        raise StanzaError("bad-request", f"At most {MAX_IDS} ids can be asked for")
    return tuple(dict.fromkeys(values))


def _truth(text: str | None) -> bool | None:
    if text is not None and text not in ("0", "1", "true", "false"):
        raise StanzaError("bad-request", "'include-groupchat' is true or false")
    return None if text is None else text in ("1", "true")


# -- answers ---------------------------------------------------------------------------------


def query_form(fulltext: bool = False) -> Stanza:
    """Return the <query/> that tells the fields (section 4.1.5)."""
    x = Stanza("x", {"xmlns": dataforms.XMLNS, "type": "form"})
    x.tag("field", type="hidden", var="FORM_TYPE").text_tag("value", XMLNS).up()
    x.tag("field", type="jid-single", var="with").up()
    for name in ("start", "end", "before-id", "after-id"):
        x.tag("field", type="text-single", var=name).up()
    x.tag("field", type="list-multi", var="ids")
    x.tag("validate", xmlns=dataforms.VALIDATE, datatype="xs:string").tag("open").up().up().up()
    x.tag("field", type="boolean", var="include-groupchat").up()
    if fulltext:
        x.tag("field", type="text-single", var=FULLTEXT_FIELD).up()
    query = Stanza("query", {"xmlns": XMLNS})
    query.children.append(x.reset())
    return query


def result_message(stanza: Stanza, when: float, id: str, to: str, from_: str,
                   queryid: str | None = None) -> Stanza:
    """Return the message that carries an archived one (section 4.2).

    `stanza` becomes a part of it.
    """
    stanza.attr = {"xmlns": "jabber:client", **stanza.attr}
    forwarded = Stanza("forwarded", {"xmlns": FORWARD})
    forwarded.children += (delay(when), stanza)
    result = Stanza("result", {"xmlns": XMLNS, "id": id})
    if queryid is not None:
        result.attr["queryid"] = queryid
    result.children.append(forwarded)
    message = Stanza("message", {"to": to, "from": from_})
    message.children.append(result)
    return message


def fin(first: str | None, last: str | None, complete: bool, count: int | None = None,
        index: int | None = None) -> Stanza:
    """Return the <fin/> that ends a page (section 4.3), the first of which has this number."""
    element = Stanza("fin", {"xmlns": XMLNS})
    if complete:
        element.attr["complete"] = "true"
    element.children.append(rsm.page(first, last, count, index))
    return element


def metadata(ends: Iterable[tuple[str, float]]) -> Stanza:
    """Return the <metadata/> with (id, time) of the first and the last item, or of none."""
    element = Stanza("metadata", {"xmlns": XMLNS})
    for name, (id, when) in zip(("start", "end"), ends, strict=False):
        element.tag(name, id=id, timestamp=format_datetime(when)).up()
    return element
