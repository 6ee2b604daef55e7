"""Data by description: util.jsonschema, util.datamapper, util.xtemplate."""

import json

import pytest

VALIDATE = """
    local json = require "util.json";
    local schema, data = json.decode((...)), json.decode((select(2, ...)));
    return require "util.jsonschema".validate(schema, data)
"""


@pytest.mark.parametrize(("schema", "good", "bad"), [
    ({"type": "string"}, ["", "x"], [1, None, True, ["x"], {"x": 1}]),
    ({"type": ["integer", "null"]}, [1, 1.0, None, -5], [1.5, "1", False]),
    ({"type": "array"}, [[], [1]], ["x", {"a": 1}]),
    ({"type": "object"}, [{"a": 1}, {}], [[1], "x", None]),
    ({"enum": ["a", 5, [1, {"b": 2}]]}, ["a", 5, [1, {"b": 2}]], ["b", [1, {"b": 3}], [1]]),
    ({"const": {"a": [1]}}, [{"a": [1]}], [{"a": [2]}, {"a": [1], "b": 1}]),
    ({"minLength": 2, "maxLength": 3}, ["äö", "abc", 7], ["ä", "abcd"]),
    ({"minimum": 1, "exclusiveMaximum": 5}, [1, 4.9, "x"], [0, 5]),
    ({"maximum": 1, "exclusiveMinimum": -1}, [1, 0], [2, -1]),
    ({"multipleOf": 3}, [9, 0, -3], [4, 1.5]),
    ({"minItems": 1, "maxItems": 2, "uniqueItems": True}, [[1], [1, 2]], [[], [1, 2, 3], [1, 1]]),
    ({"uniqueItems": True}, [[{"a": 1}, {"a": 2}]], [[{"a": 1}, {"a": 1}]]),
    ({"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, [[1, "a"], [1]],
     [["a"], [1, 2]]),
    ({"items": False}, [[]], [[1]]),
    ({"contains": {"const": 1}, "maxContains": 2}, [[1], [1, 0, 1]], [[0], [1, 1, 1]]),
    ({"required": ["a"]}, [{"a": None}, {"a": 1}, "x"], [{"b": 1}, {}]),
    ({"properties": {"a": {"type": "string"}, "b": False}}, [{"a": "x"}, {"c": 1}],
     [{"a": 1}, {"b": 1}]),
    ({"properties": {"a": True}, "additionalProperties": False}, [{"a": 1}, {}], [{"b": 1}]),
    ({"luaPatternProperties": {"^x%-": {"type": "string"}}, "additionalProperties": False},
     [{"x-a": "b"}], [{"x-a": 1}, {"y": "b"}]),
    ({"minProperties": 1, "maxProperties": 2}, [{"a": 1}], [{"a": 1, "b": 2, "c": 3}]),
    ({"propertyNames": {"maxLength": 2}}, [{"ab": 1}], [{"abc": 1}]),
    ({"dependentRequired": {"a": ["b"]}}, [{"b": 1}, {"a": 1, "b": 2}], [{"a": 1}]),
    ({"dependentSchemas": {"a": {"required": ["b"]}}}, [{"c": 1}, {"a": 1, "b": 2}], [{"a": 1}]),
    ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [2], [0, 4]),
    ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ["a", 3], [1]),
    ({"oneOf": [{"minimum": 1}, {"maximum": 3}]}, [0, 5], [2]),
    ({"not": {"type": "string"}}, [1], ["x"]),
    ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}}, ["ab", 2],
     ["a", 1]),
    ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer"}}}, [1], ["x"]),
    ({"$ref": "#/nowhere"}, [], [1]), (True, [1, None], []), (False, [], [1]),
    ({"luaPattern": "^https://"}, ["https://a", 5], ["http://a"]),
])
def test_data_is_checked_as_the_schema_says(lua, schema, good, bad):
    for data, expected in [(item, True) for item in good] + [(item, False) for item in bad]:
        result = lua.run(VALIDATE, json.dumps(schema).encode(), json.dumps(data).encode())
        valid = result[0] if type(result) is tuple else result
        assert valid is expected, (schema, data)


def test_the_places_of_mistakes_are_told(lua):
    schema = {"properties": {"list": {"items": {"type": "string"}}}, "required": ["name"]}
    found = lua.run(VALIDATE.replace("return", "local ok, errors =") + """
        table.sort(errors, function (a, b) return a.instanceLocation < b.instanceLocation; end);
        return #errors, errors[1].schemaLocation, errors[2].instanceLocation,
            errors[2].schemaLocation,
            type(errors[1].error);
    """, json.dumps(schema).encode(), json.dumps({"list": ["a", 5]}).encode())
    assert found == (2, b"#/required", b"#/list/1", b"#/properties/items/type", b"string")


def test_a_schema_that_leads_to_itself_ends(lua):
    for schema in ({"$ref": "#"}, {"allOf": [{"$ref": "#"}]}):
        assert lua.run(VALIDATE, json.dumps(schema).encode(), b"1")[0] is False
    deep = json.dumps({"items": {"$ref": "#"}}).encode()
    assert lua.run(VALIDATE, deep, b"[" * 150 + b"]" * 150)[0] is False
    assert lua.run(VALIDATE, deep, b"[" * 50 + b"]" * 50) is True


# util.datamapper --------------------------------------------------------------------------------

SCHEMA = """
    local function attribute(name) return { type = "string", xml = { attribute = true,
        name = name } }; end
    local schema = { type = "object", xml = { name = "message", namespace = "jabber:client" },
        properties = {
            to = attribute(), lang = { type = "string", xml = { attribute = true,
                prefix = "xml" } },
            qualified = { type = "string", xml = { attribute = true, namespace = "urn:q",
                name = "k" } },
            body = "string", count = "integer", share = "number", flag = "boolean",
            delay = { type = "object", xml = { namespace = "urn:d" }, properties = {
                stamp = attribute(), reason = { type = "string", xml = { text = true } } } },
            state = { type = "string", enum = { "active", "paused" },
                xml = { x_name_is_value = true, namespace = "urn:s" } },
            fallback = { type = "boolean", xml = { x_name_is_value = true, namespace = "urn:f" } },
            origin = { type = "string", xml = { name = "origin-id", namespace = "urn:o",
                x_single_attribute = "id" } },
            nicks = { type = "array", items = { type = "string", xml = { name = "nick" } } },
            groups = { type = "array", xml = { wrapped = true },
                items = { ["$ref"] = "#/defs/group" } },
        },
        defs = { group = { type = "object", xml = { name = "group" },
            properties = { n = attribute() } } } };
    local map, xml = require "util.datamapper", require "util.xml";
"""
MESSAGE = ("<message xmlns='jabber:client' xmlns:q='urn:q' to='a' xml:lang='de' q:k='Q'>"
           "<body>Hi</body>"
           "<count>7</count><share>1.5</share><flag>true</flag>"
           "<delay xmlns='urn:d' stamp='T'>late</delay>"
           "<paused xmlns='urn:s'/><fallback xmlns='urn:f'/><origin-id xmlns='urn:o' id='z'/>"
           "<nick>x</nick><nick>y</nick><groups><group n='1'/><group n='2'/></groups></message>")


def test_a_stanza_becomes_data_and_a_stanza_again(lua):
    found = lua.run(SCHEMA + """
        local function flat(d)
            return d.to, d.lang, d.qualified, d.body, d.count, d.share, d.flag, d.delay.stamp,
                d.delay.reason, d.state, d.fallback, d.origin, d.nicks[2], d.groups[2].n;
        end
        local data = map.parse(schema, xml.parse((...)));
        local again = map.parse(schema, xml.parse(tostring(map.unparse(schema, data))));
        local first, second = { flat(data) }, { flat(again) };
        for i, value in ipairs(first) do assert(second[i] == value, i); end
        return (unpack or table.unpack)(first);
    """, MESSAGE.encode())
    assert found == (b"a", b"de", b"Q", b"Hi", 7, 1.5, True, b"T", b"late", b"paused", True, b"z",
                     b"y", b"2")


def test_what_does_not_fit_is_left_out(lua):
    assert lua.run(SCHEMA + """
        local data = map.parse(schema, xml.parse("<message xmlns='jabber:client'><count>1.5</count>"
            .. "<share>x</share><flag>0</flag></message>"));
        local out = map.unparse(schema, { count = "x", body = {}, nicks = "n", delay = 5,
            flag = false });
        return data.count, data.share, data.flag, data.body, data.nicks, #out.tags,
            out.tags[1].name,
            (pcall(map.unparse, schema, { state = "no name" })), (pcall(map.parse, "string", out)),
            (pcall(map.unparse, { type = "object" }, {}));
    """) == (None, None, False, None, None, 1, b"flag", False, False, False)


def test_deep_data_ends(lua):
    assert lua.run("""
        local map = require "util.datamapper";
        local schema = { type = "object", xml = { name = "a" },
            properties = { a = { ["$ref"] = "#" } } };
        local loop = {};
        loop.a = loop;
        return (pcall(map.unparse, schema, loop)),
            (pcall(map.parse, schema, require "util.xml".parse(("<a>"):rep(150)
                .. ("</a>"):rep(150))));
    """) == (False, False)


# util.xtemplate ---------------------------------------------------------------------------------

@pytest.mark.parametrize(("template", "expected"), [
    ("{g}", "Hel&lt;lo"), ("{g!}", ""), ("{missing}", ""), ("{@a}", "1"), ("{i@n}", "x"),
    ("{i|each{({#})}}", "(I1)(I2)"), ("{deep|each(b){{#}}}", "12"), ("{deep/b|each{{#}}}", "12"),
    ("{missing|each(b){x}}", ""), ("{g|and{yes}}", "yes"), ("{missing|and{yes}}", ""),
    ("{missing|or{no}}", "no"), ("{g|or{no}}", "Hel&lt;lo"), ("{missing|and{a}|or{b}}", "b"),
    ("{g|and{{@a}{missing|or{!}}}}", "1!"), ("{", "{"), ("{}", "{}"), ("{{urn:q}q/z}", "Z"),
    ("x {-@a-} y", "x1y"), ("x {-@a} y", "x1 y"), ("{@n:k}", "v"), ("{|each{x}}", "{|each{x}}")])
def test_text_is_made_from_a_stanza(lua, template, expected):
    text = lua.run("""
        local st = require "util.stanza";
        local root = st.stanza("root", { a = "1", ["urn:n\\1k"] = "v" }):text_tag("g", "Hel<lo")
            :tag("i", { n = "x" }):text("I1"):up():text_tag("i", "I2")
            :tag("deep"):text_tag("b", "1"):text_tag("b", "2"):up()
            :tag("q", { xmlns = "urn:q" }):text_tag("z", "Z"):reset();
        root.namespaces = { n = "urn:n" };
        return require "util.xtemplate".render((...), root);
    """, template.encode())
    assert text.decode() == expected


def test_filters_and_the_escape_are_the_callers(lua):
    assert lua.run("""
        local st, render = require "util.stanza", require "util.xtemplate".render;
        local root = st.stanza("r"):text_tag("g", "x");
        local filters = {
            up = function (value) return value:get_text():upper(); end;
            with = function (argument, value, template) return argument .. template, true; end;
        };
        local function bracket(text) return "<" .. text .. ">"; end
        return render("{g|up}", root, bracket, filters), render("{g|with(a){b}}", root, bracket,
            filters),
            (pcall(render, "{g|nope}", root)), (pcall(render, nil, root)),
            (pcall(render, ("{g|and{"):rep(60) .. ("}}"):rep(60), root));
    """) == (b"<X>", b"ab", False, False, False)
