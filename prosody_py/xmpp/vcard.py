"""vCards as XMPP has them: vcard-temp (XEP-0054) and vCard4 in XML (XEP-0292, RFC 6351).

Pure data: each function takes and gives elements. What the other form has no place for is left
out (XEP-0292 section 8). A photo that is in a vcard-temp itself is left to avatars (XEP-0398).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prosody_py.xmpp.stanza import Stanza

TEMP = "vcard-temp"
VCARD4 = "urn:ietf:params:xml:ns:vcard-4.0"

# (vcard-temp, vCard4, element of the value); several properties may have the same name.
_SIMPLE = (
    ("FN", "fn", "text"), ("NICKNAME", "nickname", "text"), ("URL", "url", "uri"),
    ("BDAY", "bday", "date"), ("TZ", "tz", "text"), ("TITLE", "title", "text"),
    ("ROLE", "role", "text"), ("NOTE", "note", "text"), ("DESC", "note", "text"),
    ("PRODID", "prodid", "text"), ("REV", "rev", "timestamp"), ("UID", "uid", "uri"),
)
_NAME = (("FAMILY", "surname"), ("GIVEN", "given"), ("MIDDLE", "additional"),
         ("PREFIX", "prefix"), ("SUFFIX", "suffix"))
_ADDRESS = (("POBOX", "pobox"), ("EXTADD", "ext"), ("STREET", "street"),
            ("LOCALITY", "locality"), ("REGION", "region"), ("PCODE", "code"),
            ("CTRY", "country"))
_TYPES = {"adr": ("HOME", "WORK"), "email": ("HOME", "WORK"),
          "tel": ("HOME", "WORK", "VOICE", "FAX", "PAGER", "CELL", "VIDEO", "TEXT")}


# -- reading -------------------------------------------------------------------------------


def _value(element: Stanza) -> str:
    """Return the value of a vCard4 property, whatever its type."""
    for child in element.tags:
        if child.name != "parameters":
            return child.get_text()
    return element.get_text()


def _values(element: Stanza) -> list[str]:
    return [child.get_text() for child in element.tags if child.name != "parameters"]


# -- from vcard-temp to vCard4 ----------------------------------------------------------------


def to_vcard4(temp: Stanza) -> Stanza:
    """Return the vCard4 that says the same as a vcard-temp."""
    card = Stanza("vcard", {"xmlns": VCARD4})
    for child in temp.tags:
        convert = _TO_VCARD4.get(child.name)
        if convert is not None:
            convert(card, child)
    return card


def _simple_to_vcard4(name: str, kind: str) -> Callable[[Stanza, Stanza], None]:
    def convert(card: Stanza, child: Stanza) -> None:
        card.tag(name).text_tag(kind, child.get_text().strip()).up()
    return convert


def _parts_to_vcard4(card: Stanza, child: Stanza, name: str, parts, types=()) -> None:
    card.tag(name)
    _parameters(card, child, types)
    for temp, new in parts:
        text = child.get_child_text(temp)
        if text is not None:
            card.text_tag(new, text)
    card.up()


def _parameters(card: Stanza, child: Stanza, types) -> None:
    """Add the <parameters/> that say of which type a property is, inside of it."""
    found = [type for type in types if child.get_child(type) is not None]
    preferred = bool(types) and child.get_child("PREF") is not None
    if not found and not preferred:
        return
    card.tag("parameters")
    if found:
        card.tag("type")
        for type in found:
            card.text_tag("text", type.lower())
        card.up()
    if preferred:
        card.tag("pref").text_tag("integer", "1").up()
    card.up()


def _org_to_vcard4(card: Stanza, child: Stanza) -> None:
    card.tag("org")
    for part in child.tags:
        if part.name in ("ORGNAME", "ORGUNIT") and (part.name == "ORGNAME" or part.get_text()):
            card.text_tag("text", part.get_text())
    card.up()


def _tel_to_vcard4(card: Stanza, child: Stanza) -> None:
    card.tag("tel")
    _parameters(card, child, _TYPES["tel"])
    card.text_tag("uri", "tel:" + (child.get_child_text("NUMBER") or "").strip()).up()


def _email_to_vcard4(card: Stanza, child: Stanza) -> None:
    card.tag("email")
    _parameters(card, child, _TYPES["email"])
    card.text_tag("text", (child.get_child_text("USERID") or child.get_text()).strip()).up()


def _geo_to_vcard4(card: Stanza, child: Stanza) -> None:
    place = ",".join((child.get_child_text(name) or "").strip() for name in ("LAT", "LON"))
    card.tag("geo").text_tag("uri", "geo:" + place).up()


def _keywords_to_vcard4(card: Stanza, child: Stanza) -> None:
    card.tag("categories")
    for keyword in child.childtags("KEYWORD"):
        card.text_tag("text", keyword.get_text())
    card.up()


def _media_to_vcard4(name: str) -> Callable[[Stanza, Stanza], None]:
    def convert(card: Stanza, child: Stanza) -> None:
        data, url = child.get_child_text("BINVAL"), child.get_child_text("EXTVAL")
        if data:
            type = (child.get_child_text("TYPE") or "").strip()
            card.tag(name).text_tag("uri", f"data:{type};base64,{''.join(data.split())}").up()
        elif url:
            card.tag(name).text_tag("uri", url.strip()).up()
    return convert


def _photo_to_vcard4(card: Stanza, child: Stanza) -> None:
    if not child.get_child_text("BINVAL"):  # which is an avatar
        _media_to_vcard4("photo")(card, child)


_TO_VCARD4: dict[str, Callable[[Stanza, Stanza], None]] = {
    **{temp: _simple_to_vcard4(new, kind) for temp, new, kind in _SIMPLE},
    "N": lambda card, child: _parts_to_vcard4(card, child, "n", _NAME),
    "ADR": lambda card, child: _parts_to_vcard4(card, child, "adr", _ADDRESS, _TYPES["adr"]),
    "ORG": _org_to_vcard4, "TEL": _tel_to_vcard4, "EMAIL": _email_to_vcard4,
    "JABBERID": lambda card, child: card.tag("impp").text_tag(
        "uri", "xmpp:" + child.get_text().strip()).up(),
    "GEO": _geo_to_vcard4, "CATEGORIES": _keywords_to_vcard4,
    "KEY": lambda card, child: card.tag("key").text_tag(
        "text", child.get_child_text("CRED") or "").up(),
    "LOGO": _media_to_vcard4("logo"), "SOUND": _media_to_vcard4("sound"),
    "PHOTO": _photo_to_vcard4,
}


# -- from vCard4 to vcard-temp ----------------------------------------------------------------


def to_temp(card: Stanza) -> Stanza:
    """Return the vcard-temp that says the same as a vCard4."""
    temp = Stanza("vCard", {"xmlns": TEMP})
    for child in _properties(card):
        convert = _TO_TEMP.get(child.name)
        if convert is not None:
            convert(temp, child)
    return temp


def _properties(card: Stanza) -> Iterator[Stanza]:
    """Iterate over properties, those in groups too (RFC 6351 section 5)."""
    for child in card.tags:
        if child.name == "group":
            yield from child.tags
        else:
            yield child


def _simple_to_temp(name: str) -> Callable[[Stanza, Stanza], None]:
    def convert(temp: Stanza, child: Stanza) -> None:
        temp.text_tag(name, _value(child))
    return convert


def _parts_to_temp(temp: Stanza, child: Stanza, name: str, parts, types=()) -> None:
    temp.tag(name)
    _flags(temp, child, types)
    for old, new in parts:
        text = child.get_child_text(new)
        if text is not None:
            temp.text_tag(old, text)
    temp.up()


def _flags(temp: Stanza, child: Stanza, types) -> None:
    """Add the empty elements that say of which type a property is, inside of it."""
    parameters = child.get_child("parameters")
    if parameters is None:
        return
    type = parameters.get_child("type")
    found = {text.strip().upper() for text in _values(type)} if type is not None else set()
    for flag in types:
        if flag in found:
            temp.tag(flag).up()
    if parameters.get_child("pref") is not None:
        temp.tag("PREF").up()


def _tel_to_temp(temp: Stanza, child: Stanza) -> None:
    temp.tag("TEL")
    _flags(temp, child, _TYPES["tel"])
    temp.text_tag("NUMBER", _value(child).removeprefix("tel:")).up()


def _email_to_temp(temp: Stanza, child: Stanza) -> None:
    temp.tag("EMAIL").tag("INTERNET").up()
    _flags(temp, child, _TYPES["email"])
    temp.text_tag("USERID", _value(child)).up()


def _impp_to_temp(temp: Stanza, child: Stanza) -> None:
    address = _value(child)
    if address.startswith("xmpp:"):
        temp.text_tag("JABBERID", address[5:])


def _org_to_temp(temp: Stanza, child: Stanza) -> None:
    name, *units = _values(child) or [""]
    temp.tag("ORG").text_tag("ORGNAME", name)
    for unit in units:
        temp.text_tag("ORGUNIT", unit)
    temp.up()


def _geo_to_temp(temp: Stanza, child: Stanza) -> None:
    lat, _, lon = _value(child).removeprefix("geo:").partition(";")[0].partition(",")
    temp.tag("GEO").text_tag("LAT", lat).text_tag("LON", lon).up()


def _keywords_to_temp(temp: Stanza, child: Stanza) -> None:
    temp.tag("CATEGORIES")
    for keyword in _values(child):
        temp.text_tag("KEYWORD", keyword)
    temp.up()


def _media_to_temp(name: str) -> Callable[[Stanza, Stanza], None]:
    def convert(temp: Stanza, child: Stanza) -> None:
        uri = _value(child).strip()
        head, comma, data = uri.partition(",")
        if comma and head.startswith("data:") and head.endswith(";base64"):
            temp.tag(name).text_tag("TYPE", head[5:-7]).text_tag("BINVAL", data).up()
        elif uri:
            temp.tag(name).text_tag("EXTVAL", uri).up()
    return convert


_TO_TEMP: dict[str, Callable[[Stanza, Stanza], None]] = {
    **{new: _simple_to_temp(temp) for temp, new, _kind in reversed(_SIMPLE)},
    "note": _simple_to_temp("NOTE"),
    "n": lambda temp, child: _parts_to_temp(temp, child, "N", _NAME),
    "adr": lambda temp, child: _parts_to_temp(temp, child, "ADR", _ADDRESS, _TYPES["adr"]),
    "tel": _tel_to_temp, "email": _email_to_temp, "impp": _impp_to_temp, "org": _org_to_temp,
    "geo": _geo_to_temp, "categories": _keywords_to_temp,
    "key": lambda temp, child: temp.tag("KEY").text_tag("CRED", _value(child)).up(),
    "logo": _media_to_temp("LOGO"), "sound": _media_to_temp("SOUND"),
    "photo": _media_to_temp("PHOTO"),
}
