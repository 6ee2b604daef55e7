"""util.dataforms: values of the layout in answers, empty texts, datatypes (XEP-0004, XEP-0122)."""

from __future__ import annotations

import pytest

READ = """
    local st, forms = require "util.stanza", require "util.dataforms";
    local field = {{ name = "a", {field} }};
    local form = st.stanza("x", {{ xmlns = "jabber:x:data", type = "submit" }}):tag("field", {{ var = "a" }});
    for _, value in ipairs {{ {values} }} do form:text_tag("value", value); end
    local data, errors = forms.new {{ field }}:data(form:up());
    local value = data.a;
    if type(value) == "table" then value = table.concat(value, ","); end
    return value, errors and errors.a;
"""  # noqa: E501


@pytest.mark.parametrize("form_type", ["form", "submit", "result"])
def test_the_value_of_the_layout_counts_where_none_is_given(place, form_type):
    assert place.run("""
        local form = require "util.dataforms".new {
            { name = "a", type = "boolean", value = false }, { name = "b", value = "layout" },
        };
        local written = form:form({ b = "given" }, ...);
        local values = {};
        for field in written:childtags("field") do
            values[#values + 1] = field.attr.var .. "=" .. field:get_child_text("value");
        end
        return table.concat(values, " ");
    """, form_type) == "a=0 b=given"


@pytest.mark.parametrize(("field", "values", "value", "error"), [
    ("", '""', "", None),
    ("required = true", '""', None, "Required value missing"),
    ('type = "list-multi"', "", None, None),
    ('type = "list-multi"', '"x", "y"', "x,y", None),
    ('datatype = "xs:dateTime"', '"2020-01-01T00:00:00Z"', 1577836800, None),
    ('datatype = "xs:dateTime"', '"yesterday"', None, "invalid timestamp"),
    ('datatype = "pubsub:integer-or-max"', '"max"', "max", None),
    ('datatype = "pubsub:integer-or-max"', '"12"', 12, None),
    ('datatype = "xs:integer", range_max = 4', '"5"', None, "out of bounds"),
])
def test_what_is_submitted_is_read_by_type_and_datatype(place, field, values, value, error):
    result = place.run(READ.format(field=field, values=values))
    got, told = result if type(result) is tuple else (result, None)
    assert got == value
    assert told is None if error is None else told.endswith(error)


def test_the_caps_hash_is_that_of_the_query_and_of_the_list_of_its_elements(place):
    assert place.run("""
        local st, hash = require "util.stanza", require "util.caps".calculate_hash;
        local query = st.stanza("query"):tag("identity", { category = "client", type = "pc" }):up()
            :tag("feature", { var = "urn:x" }):up();
        return hash(query) == hash(query.tags);
    """) is True


@pytest.mark.parametrize(("text", "lines"), [
    ("a\nb", "a|b"), ("\na\n\nb\n", "a|b"), ("a\r\nb", "a|b"), ("", "")])
def test_lines_of_a_text_are_values_and_empty_ones_are_left_out(place, text, lines):
    assert place.run("""
        local form = require "util.dataforms".new { { name = "a", type = "text-multi" } };
        local values = {};
        for value in form:form({ a = ... }, "result"):get_child("field"):childtags("value") do
            values[#values + 1] = value:get_text();
        end
        return table.concat(values, "|");
    """, text) == lines
