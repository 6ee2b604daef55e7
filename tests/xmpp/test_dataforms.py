"""Data forms: written, filled in, read."""

import pytest

from prosody_py.xmpp.dataforms import Form, FormError, form_type, submitted
from prosody_py.xmpp.parser import parse_fragment

FORM = Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": "urn:x"},
    {"type": "fixed", "value": "Read this"},
    {"name": "title", "required": True, "label": "Title"},
    {"name": "text", "type": "text-multi"},
    {"name": "open", "type": "boolean"},
    {"name": "owner", "type": "jid-single"},
    {"name": "members", "type": "jid-multi"},
    {"name": "who", "var": "urn:x#who", "type": "list-single",
     "options": ["all", {"value": "some", "label": "A few", "default": True}]},
    {"name": "tags", "type": "list-multi"},
    {"name": "limit", "datatype": "xs:integer", "range_min": 1, "range_max": 10},
    {"name": "most", "datatype": "pubsub:integer-or-max"},
    {"name": "since", "datatype": "xs:dateTime"},
], title="A form", instructions="Fill it in")
VALUES = {"FORM_TYPE": "urn:x", "title": "T & U", "text": "one\ntwo", "open": True,
          "owner": "a@b.example", "members": ["c@d.example", "e.example"], "who": "all",
          "tags": ["x", "y"], "limit": 3, "most": "max", "since": "2002-09-10T23:08:25Z"}


def filled_in(**fields):
    texts = "".join(
        f"<field var='{var.replace('__', '#')}'>"
        + "".join(f"<value>{one}</value>" for one in ([value] if isinstance(value, str) else value))
        + "</field>" for var, value in {"title": "t", **fields}.items())
    return parse_fragment(f"<x xmlns='jabber:x:data' type='submit'>{texts}</x>")


def test_what_is_sent_is_read_again():
    read = FORM.read(FORM.element(VALUES, "submit"))
    assert read == {**VALUES, "since": 1031699305}


def test_form_to_fill_in():
    x = FORM.element({"limit": 5})
    assert (x.attr["type"], form_type(x)) == ("form", "urn:x")
    assert (x.get_child_text("title"), x.get_child_text("instructions")) == ("A form", "Fill it in")
    fields = {field.attr.get("var"): field for field in x.childtags("field")}
    assert fields["title"].get_child("required") and not fields["text"].get_child("required")
    who = fields["urn:x#who"]
    assert [(one.attr.get("label"), one.get_child_text("value"))
            for one in who.childtags("option")] == [("all", "all"), ("A few", "some")]
    assert who.get_child_text("value") == "some"
    validate = fields["limit"].get_child("validate", "http://jabber.org/protocol/xdata-validate")
    assert validate.get_child("range").attr == {"min": "1", "max": "10"}
    assert fields["limit"].get_child_text("value") == "5"
    assert fields[None].get_child_text("value") == "Read this"


def test_result_has_values_and_no_questions():
    x = FORM.element(VALUES, "result")
    assert not any(field.get_child("option") or field.get_child("required")
                   or field.get_child("validate") for field in x.childtags("field"))
    assert str(FORM.element(VALUES, "cancel")) == "<x xmlns='jabber:x:data' type='cancel'/>"


@pytest.mark.parametrize("fields, wrong", [
    ({"title": ""}, {"title"}), ({"title": []}, {"title"}), ({"open": "maybe"}, {"open"}),
    ({"owner": "@"}, {"owner"}), ({"members": ["a@b", "@"]}, {"members"}),
    ({"limit": "0"}, {"limit"}), ({"limit": "11"}, {"limit"}), ({"limit": "x"}, {"limit"}),
    ({"since": "yesterday"}, {"since"}), ({"most": "min"}, {"most"}),
    ({"limit": "x", "open": "x"}, {"limit", "open"}),
])
def test_wrong_values_are_named(fields, wrong):
    with pytest.raises(FormError) as caught:
        FORM.read(filled_in(**fields))
    assert set(caught.value.errors) == wrong
    assert caught.value.condition == "not-acceptable"


def test_what_is_missing_keeps_what_it_has():
    assert FORM.read(filled_in(), {"limit": 5, "title": "old"}) == {"title": "t", "limit": 5}
    assert FORM.read(filled_in(limit=""), {"limit": 5}) == {"title": "t"}


def test_only_a_submitted_form_counts():
    for kind, counts in (("submit", True), ("cancel", False), ("form", False)):
        found = parse_fragment(f"<q><x xmlns='jabber:x:data' type='{kind}'/></q>")
        assert (submitted(found) is not None) is counts


@pytest.mark.parametrize("kind", ["text-single", "jid-single", "boolean", "list-single"])
def test_a_field_that_is_required_has_a_first_value(kind):
    form = Form([{"name": "wanted", "type": kind, "required": True}])
    x = parse_fragment("<x xmlns='jabber:x:data' type='submit'><field var='wanted'><value/>"
                       "<value>1</value></field></x>")
    with pytest.raises(FormError):
        form.read(x)
