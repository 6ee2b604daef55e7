"""Corners in which the libraries answer as Prosody's do."""

import pytest


@pytest.mark.parametrize(("code", "expected"), [
    # A reason passes `finally` unchanged.
    ("""local seen; local promise = require "util.promise";
        promise.reject("why"):finally(function () end):catch(function (r) seen = r; end);
        driver.run(0); return seen""", b"why"),
    # What a template has no value for is empty.
    ("""return tostring(require "util.template" "<a b='{x}'>{y}{z}</a>".apply { z = "Z" })""",
     b"<a b=''>Z</a>"),
    # A filter is not asked about nothing.
    ("""local render = require "util.interpolation".new("%b{}", tostring, { up = string.upper });
        return render("{z|up} {a|up} {z|up?none}", { a = "x" })""", b"{z|up} X none"),
    ("""local set = require "util.xml".parse("<set><first>a</first></set>");
        local first = require "util.rsm".parse(set).first; return first[1]
            .. tostring(first.index)""",
     b"anil"),
    ("return require 'util.paths'.resolve_relative_path('/a/', './b')", b"/a/b"),
    ("return require 'util.paths'.resolve_relative_path('/a', '/b')", b"/b"),
    ("return require 'util.paths'.resolve_relative_path(nil, 'b')", b"b"),
    ("return require 'util.human.units'.adjust(5)", 1),
    ("return require 'util.human.units'.format(1234567, 'B')", b"1.23 MB"),
    ("return require 'util.format'.format('%s', 'a', nil)", b"a [(nil)]"),
    ("return require 'util.format'.format('%x', -1)", b"[-1]"),
    ("return require 'util.format'.format('%d', -1)", b"-1"),
    ("return (pcall(require 'util.ringbuffer'.new, 0))", False),
    ("return require 'util.xml'.parse(nil)", (None, b"no element found (line 1, column 0)")),
    ("local h = require 'util.hashes'; return #h.blake2b512('x'), #h.hmac_sha3_256('k', 'x')",
     (64, 32)),
    ("return tostring(require 'util.set'.new { 'a' })", b"a"),
    ("return require 'util.set'.new { 1, 2 } == require 'util.set'.new { 2, 1 }", True),
    ("local a = require 'util.array'; return tostring(a { 'a', 1 }), a { 1 } == a { 1 }",
     (b"{a, 1}", True)),
])
def test_the_answer_is_prosodys(fresh_lua, code, expected):
    assert fresh_lua.run(code) == expected


@pytest.mark.parametrize(("text", "alike"), [
    ("ﬁ", "fi"), ("Ⅳ", "lV"), ("𝔘ser", "User"), ("ａdmin", "admin"), ("раypal", "paypal"),
    ("1", "l"), ("0", "O")])
def test_what_looks_alike_has_one_skeleton(lua, text, alike):
    code = "return require 'util.encodings'.confusable.skeleton((...))"
    assert lua.run(code, text.encode()) == lua.run(code, alike.encode())


def test_metrics_are_kept_by_family_and_labels(lua):
    assert lua.run("""
        local om = require "util.openmetrics";
        local registry = require "util.statistics".new().metric_registry;
        local gauge = registry:gauge("size", "bytes", "How large", { "host", "kind" });
        gauge:with_labels("a", "b"):set(5);
        gauge:with_partial_label("a"):with_labels("b"):add(2);
        local counter = registry:counter("done", "", "x"):with_labels();
        counter:inc(); counter:add(2);
        local histogram = registry:histogram("t", "seconds", "", nil, { buckets = { 1,
            2 } }):with_labels();
        histogram:sample(1.5); histogram:sample(5);
        local text = registry:render();
        om.timed(histogram)();
        local again = registry:gauge("size", "bytes") == gauge;
        gauge:clear();
        local left = 0;
        for _ in gauge:iter_metrics() do left = left + 1; end
        return text:find('size_bytes{host="a",kind="b"} 7', 1, true) ~= nil,
            text:find("done_total 3", 1, true) ~= nil, text:find('t_seconds_bucket{le="2"} 1', 1,
                true) ~= nil,
            text:find('t_seconds_bucket{le="+Inf"} 2', 1, true) ~= nil, again, left,
                histogram.count,
            (pcall(gauge.with_labels, gauge, "one")), om.render_histogram_le(0.005);
    """) == (True, True, True, True, True, 0, 3, False, b"0.005")


def test_a_backend_makes_the_metrics(lua):
    assert lua.run("""
        local made = {};
        local registry = require "util.openmetrics".new_metric_registry {
            gauge = function (name, labels) made[#made + 1] = name .. tostring(labels
                and labels[1]); return {}; end };
        local gauge = registry:gauge("g", "x", "", { "l" });
        local same = gauge:with_labels("1") == gauge:with_labels("1");
        gauge:with_labels("2");
        return table.concat(made, " "), same, rawequal(registry:get_metric_families().g_x, gauge);
    """) == (b"g_x1 g_x2", True, True)
