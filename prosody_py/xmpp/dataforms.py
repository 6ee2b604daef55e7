"""Data forms (XEP-0004, field standardisation XEP-0068, validation XEP-0122).

    FORM = Form([
        {"name": "FORM_TYPE", "type": "hidden", "value": "urn:x"},
        {"name": "limit", "type": "text-single", "datatype": "xs:integer", "range_min": 1,
         "label": "How many"},
    ], title="Settings")
    FORM.element({"limit": 5})       # the <x/> to send
    FORM.read(x)                     # {"limit": 7}, or FormError

A layout is a list of dicts with the keys of Prosody's util.dataforms, so that modules of both
languages can add fields to it: `name` (of the value), `var` (on the wire, `name` by default),
`type` ("text-single" by default), `label`, `desc`, `value` (the default), `required`, `options`
(texts, or dicts of `value`, `label`, `default`), `datatype` ("xs:integer", "xs:dateTime",
"pubsub:integer-or-max"), `range_min`, `range_max`. A field without a name is for the reader's eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableSequence
from typing import Any

from prosody_py.xmpp.datetime import parse_datetime
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.jid import prep
from prosody_py.xmpp.stanza import Stanza

XMLNS = "jabber:x:data"
VALIDATE = "http://jabber.org/protocol/xdata-validate"
Field = Mapping[str, Any]
_MISSING = "a value is needed"
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_LISTS = ("list-single", "list-multi")


class FormError(StanzaError):
    """A form was filled in wrongly: a "not-acceptable"; `errors` says what by field name."""

    def __init__(self, errors: Mapping[str, str]):
        super().__init__("not-acceptable",
                         "; ".join(f"{name}: {text}" for name, text in errors.items()))
        self.errors = dict(errors)


def form_type(x: Stanza) -> str | None:
    """Return the FORM_TYPE of an <x/>, None when it has none."""
    field = x.get_child_with_attr("field", None, "var", "FORM_TYPE")
    return None if field is None else field.get_child_text("value")


def submitted(element: Stanza) -> Stanza | None:
    """Return the <x/> inside of `element` if it is a filled in form, not a cancelled one."""
    x = element.get_child("x", XMLNS)
    return x if x is not None and x.attr.get("type") == "submit" else None


class Form:
    """A form: its fields (see above), a title and instructions."""

    def __init__(self, fields: MutableSequence[Field], title: str | None = None,
                 instructions: str | None = None):
        self.fields = fields
        self.title = title
        self.instructions = instructions

    def element(self, values: Mapping[str, Any] | None = None, type: str = "form") -> Stanza:
        """Return the <x/>: type "form" (to fill in), "submit", "result" or "cancel".

        `values` are by field name; what is missing there has the field's own value.
        """
        x = Stanza("x", {"xmlns": XMLNS, "type": type})
        if type == "cancel":
            return x
        if type != "submit":
            for name in ("title", "instructions"):
                if text := getattr(self, name):
                    x.text_tag(name, text)
        for field in self.fields:
            value = (values or {}).get(field.get("name"))
            value = field.get("value") if value is None else value
            if type != "submit" or (value is not None and field.get("name")):
                x.children.append(_field_element(field, value, type))
        return x

    def read(self, x: Stanza, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the values of a filled in form by field name; raises FormError.

        A field that the form does not have keeps what it has in `current`, else it is missing.
        """
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        elements = {child.attr.get("var"): child for child in x.childtags("field")}
        for field in self.fields:
            name = field.get("name")
            if not name:
                continue
            element = elements.get(field.get("var") or name)
            try:
                if element is not None:
                    value = _read(field, element)
                elif current is not None and current.get(name) is not None:
                    value = current[name]
                elif field.get("required"):
                    raise ValueError(_MISSING)
                else:
                    continue
                if value is not None:
                    values[name] = value
            except ValueError as error:
                errors[name] = str(error)
        if errors:
            raise FormError(errors)
        return values


# -- writing ---------------------------------------------------------------------------------


def _field_element(field: Field, value: Any, form: str) -> Stanza:
    kind = field.get("type") or "text-single"
    attr = {"type": None if form == "submit" else kind,
            "var": field.get("var") or field.get("name"),
            "label": None if form == "submit" else field.get("label")}
    element = Stanza("field", {name: text for name, text in attr.items() if text is not None})
    if field.get("desc") and form != "submit":
        element.text_tag("desc", field["desc"])
    if form == "form":
        if field.get("datatype"):
            element.children.append(_validate_element(field))
        if field.get("required"):
            element.tag("required").up()
        if kind in _LISTS:
            value = _add_options(element, field.get("options") or (), value)
    for text in _texts(kind, value):
        element.text_tag("value", text)
    return element.reset()


def _validate_element(field: Field) -> Stanza:
    validate = Stanza("validate", {"xmlns": VALIDATE, "datatype": field["datatype"]})
    bounds = {end: str(field[f"range_{end}"]) for end in ("min", "max")
              if field.get(f"range_{end}") is not None}
    if bounds:
        validate.tag("range", bounds).up()
    return validate


def _add_options(element: Stanza, options: Iterable[Any], value: Any) -> Any:
    """Add the options of a list; return `value`, or what is chosen by default."""
    chosen = []
    for option in options:
        known = option if isinstance(option, Mapping) else {"value": option, "label": str(option)}
        attr = {"label": known["label"]} if known.get("label") else {}
        element.tag("option", attr).text_tag("value", _text(known["value"])).up()
        if known.get("default"):
            chosen.append(known["value"])
    return chosen if value is None else value


def _texts(kind: str, value: Any) -> list[str]:
    if kind == "boolean":
        chosen = _BOOLEANS.get(value, False) if isinstance(value, str) else bool(value)
        return [] if value is None else ["1" if chosen else "0"]
    if value is None:
        return []
    values = [value] if isinstance(value, str | int | float) else list(value)
    if kind == "text-multi":
        return [line for part in values for line in _text(part).splitlines()]
    return [_text(one) for one in (values[:1] if kind == "list-single" else values)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


# -- reading ---------------------------------------------------------------------------------


def _read(field: Field, element: Stanza) -> Any:
    """Return the value of a <field/>, None for no value; raises ValueError."""
    kind = field.get("type") or "text-single"
    texts = [child.get_text() for child in element.childtags("value")]
    if field.get("required") and not any(texts):
        raise ValueError(_MISSING)
    if kind == "fixed" or not texts:
        return None
    value = _READERS.get(kind, _first)(texts)
    convert = _DATATYPES.get(field.get("datatype"))
    if convert is not None and value is not None:
        value = convert(value, field)
    if field.get("required") and value in (None, ""):  # the first of several was empty
        raise ValueError(_MISSING)
    return value


def _first(texts: list[str]) -> str:
    return texts[0]


def _boolean(texts: list[str]) -> bool | None:
    if texts[0] == "":
        return None
    if texts[0] not in _BOOLEANS:
        raise ValueError(f"{texts[0]!r} is neither true nor false")
    return _BOOLEANS[texts[0]]


def _address(text: str) -> str:
    address = prep(text)
    if address is None:
        raise ValueError(f"{text!r} is no address")
    return address


def _integer(text: Any, field: Field) -> int | None:
    if text == "":
        return None
    try:
        number = int(text)
    except (TypeError, ValueError):
        raise ValueError(f"{text!r} is no whole number") from None
    least, most = field.get("range_min"), field.get("range_max")
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"{number} is out of bounds")
    return number


def _moment(text: Any, _field: Field) -> float | None:
    if text == "":
        return None
    when = parse_datetime(text)
    if when is None:
        raise ValueError(f"{text!r} is no date with time")
    return when


_READERS: dict[str, Callable[[list[str]], Any]] = {
    "boolean": _boolean,
    "jid-single": lambda texts: _address(texts[0]) if texts[0] else None,
    "jid-multi": lambda texts: [_address(text) for text in texts if text],
    "list-multi": list,
    "text-multi": "\n".join,
}
_DATATYPES: dict[str | None, Callable[[Any, Field], Any]] = {
    "xs:integer": _integer,
    "xs:dateTime": _moment,
    "pubsub:integer-or-max": lambda text, field: text if text == "max" else _integer(text, field),
}
