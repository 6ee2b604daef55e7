"""Sets, lists, iterators, addresses, forms, files and the rest."""

import pytest


def test_prosody_names_give_the_same_table(lua):
    assert lua.run("return require'util.jid' == require'prosody.util.jid'") is True


@pytest.mark.parametrize("name", ["util.nope", "../../etc/passwd", "util..set", "/etc/passwd", ""])
def test_what_is_not_provided_is_an_ordinary_error(lua, name):
    ok, error = lua.run("return pcall(require, (...))", name.encode())
    assert not ok and b"module '" + name.encode() + b"' not found" in error


def test_every_library_loads_and_leaves_no_globals(fresh_lua):
    from pathlib import Path

    import prosody_py.lua.native as native
    root = Path(native.__file__).parent.parent / "lib"
    before = set(fresh_lua.runtime.globals().keys())
    for path in sorted(root.rglob("*.lua")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        if path.parent.name == "core":
            continue  # these need a server, as others do that they stand on: test_members
        loaded, error = fresh_lua.run(
            "local ok, err = pcall(require, (...)); return ok, ok or tostring(err)", name.encode())
        assert loaded or b"module 'native.server' not found" in error or b"loop or prev" in error
    assert set(fresh_lua.runtime.globals().keys()) - before == {b"import"}


@pytest.mark.parametrize(("jid", "parts", "prepped"), [
    ("a@b/c", (b"a", b"b", b"c"), b"a@b/c"), ("b", (None, b"b", None), b"b"),
    ("A@B/C", (b"A", b"B", b"C"), b"a@b/C"), ("a@b/c@d/e", (b"a", b"b", b"c@d/e"), b"a@b/c@d/e"),
    ("a@b@c", (None,) * 3, None), ("@b", (None,) * 3, None), ("a@b/", (None,) * 3, None),
    ("", (None,) * 3, None), ("a b@c", (b"a b", b"c", None), None),
    ("a@b.", (b"a", b"b.", None), b"a@b"), ("a@[::1]", (b"a", b"[::1]", None), b"a@[::1]"),
])
def test_jids_are_split_and_prepared(lua, jid, parts, prepped):
    code = "local jid = require 'util.jid'; return jid.prep(...), jid.split(...)"
    result = lua.run(code, jid.encode())
    assert (result[1:], result[0]) == (parts, prepped)


def test_jids_are_compared_part_by_part(lua):
    assert lua.run("""
        local c = require "util.jid".compare;
        return c("a@b/c", "b"), c("a@b/c", "a@b"), c("a@b", "a@b/c"), c("x@b", "a@b"),
            c("a@b/c", "b/c");
    """) == (True, True, False, False, True)


def test_jid_escapes_come_back(lua):
    text = b"a b\"&'/:<>@\\20\\x"
    assert lua.run("local j = require'util.jid'; return j.unescape(j.escape((...)))", text) == text


def test_stringprep_gives_nil_for_what_is_not_allowed(lua):
    assert lua.run("""
        local p = require "util.encodings".stringprep;
        return p.nodeprep("Foo"), p.nodeprep("a@b"), p.nodeprep("\\255"),
            p.nodeprep(("x"):rep(1024)), p.saslprep("a\\0b"), p.resourceprep("A b");
    """) == (b"foo", None, None, None, None, b"A b")


def test_sets_do_the_algebra(lua):
    assert lua.run("""
        local set = require "util.set";
        local a, b = set.new { 1, 2 }, set.new { 2, 3 };
        return a + b == set.new { 1, 2, 3 }, a - b == set.new { 1 },
            set.intersection(a, b) == set.new { 2 }, set.xor(a, b) == set.new { 1, 3 },
            a:contains(3), (a / function (x) return x * 2; end) == set.new { 2, 4 },
            set.new():empty(), a:contains_set(set.new { 1 });
    """) == (True, True, True, True, None, True, True, True)


def test_lists_change_in_place_and_their_functions_do_not(lua):
    assert lua.run("""
        local array, it = require "util.array", require "util.iterators";
        local a = array { 3, 1, 2, 3 };
        local doubled = array.map(a, function (x) return x * 2; end);
        local before = tostring(a);
        a:unique():sort():filter(function (x) return x > 1; end):push(9);
        return before, tostring(a), tostring(doubled), tostring(array.collect(it.values { 7 })),
            a:concat("-"), tostring(array.slice(array { 1, 2, 3 }, -2)), array {} == array {};
    """) == (b"{3, 1, 2, 3}", b"{2, 3, 9}", b"{6, 2, 4, 6}", b"{7}", b"2-3-9", b"{2, 3}", True)


def test_iterators_combine(lua):
    assert lua.run("""
        local it = require "util.iterators";
        local function list(...) return table.concat(it.to_array(...), ","); end
        local names = {};
        for key in it.sorted_pairs { b = 1, a = 2 } do names[#names + 1] = key; end
        local joined = {};
        for v in it.join(it.range(2)):append(it.range(5, 6)):prepend(it.range(0, 0)) do
            joined[#joined + 1] = v;
        end
        return list(it.head(2, it.range(5))), list(it.tail(2, it.range(5))),
            list(it.skip(3, it.range(5))),
            it.count(pairs { a = 1, b = 2 }), list(it.filter("b", it.values { "a", "b" })),
            table.concat(names), list(it.unique(it.values { 1, 1, 2 })), table.concat(joined, ",");
    """) == (b"1,2", b"4,5", b"4,5", 2, b"a", b"ab", b"1,2", b"0,1,2,5,6")


def test_forms_are_made_and_read(lua):
    assert lua.run("""
        local form = require "util.dataforms".new {
            title = "T";
            { name = "FORM_TYPE", type = "hidden", value = "urn:f" };
            { name = "nick", var = "urn:nick", required = true };
            { name = "on", type = "boolean" };
            { name = "lines", type = "text-multi" };
            { name = "who", type = "jid-multi" };
            { name = "count", datatype = "xs:integer" };
        };
        local sent = form:form({
            nick = "n", on = true, lines = "a\\nb", who = { "A@b", "@" }, count = 3,
        }, "submit");
        local data, errors, present = form:data(sent);
        local kept = form:data(require "util.stanza".stanza("x"), { nick = "old" });
        local _, missing = form:data(require "util.stanza".stanza("x"));
        return data.nick, data.on, data.lines, data.who[1], data.count, errors.who, present.nick,
            kept.nick, missing.nick, require "util.dataforms".get_type(sent);
    """) == (b"n", True, b"a\nb", b"a@b", 3, b"Invalid JID: @", True, b"old",
             b"Required value missing", b"urn:f")


def test_errors_come_from_registries_and_from_stanzas(lua):
    assert lua.run("""
        local errors, st = require "util.error", require "util.stanza";
        local known = errors.init("mod", "urn:x", {
            full = { "wait", "resource-constraint", "Full", "own" },
        });
        local e = known.new("full", { by = "room" });
        local back = errors.from_stanza(st.error_reply(st.iq { type = "get", id = "1" }, e));
        local _, coerced = errors.coerce(nil, "why");
        return tostring(e), e.extra.namespace, e.source, back.condition, back.extra.condition,
            back.context.by, coerced.text, errors.is_error(coerced), errors.is_error({});
    """) == (b"error<wait:resource-constraint:Full>", b"urn:x", b"mod", b"resource-constraint",
             b"own", b"room", b"why", True, False)


def test_addresses_are_matched_and_described(lua):
    assert lua.run("""
        local ip = require "util.ip";
        local net, length = ip.parse_cidr("10.0.0.0/8");
        return ip.match(ip.new_ip("10.1.2.3"), net, length),
            ip.match(ip.new_ip("11.1.1.1"), net, length),
            ip.match(ip.new_ip("::ffff:10.1.1.1"), net, length), ip.new_ip("192.168.1.1").private,
            ip.new_ip("8.8.8.8").private, tostring(ip.truncate(ip.new_ip("10.1.2.3"), 8)),
            ip.new_ip("2001:DB8::0:1").normal, (ip.new_ip("bogus")), ip.new_ip("fe80::1%eth0").zone,
            ip.match(ip.new_ip("::ffff:11.1.1.1"), net, length);
    """) == (True, False, True, True, False, b"10.0.0.0", b"2001:db8::1", None, b"eth0", False)


def test_files_are_seen_through_lfs(lua, tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    result = lua.run("""
        local lfs, root = require "lfs", ...;
        assert(lfs.mkdir(root .. "/d"));
        local names = {};
        for name in lfs.dir(root) do names[#names + 1] = name; end
        table.sort(names);
        local missing, err = lfs.attributes(root .. "/none");
        local again, why = lfs.mkdir(root .. "/d");
        return table.concat(names, " "), lfs.attributes(root .. "/a", "size"),
            lfs.attributes(root .. "/d").mode, missing, type(err), again, type(why),
            pcall(lfs.dir, root .. "/none"), lfs.rmdir(root .. "/d");
    """, str(tmp_path).encode())
    assert result[:8] == (b". .. a d", 5, b"directory", None, b"string", None, b"string", False)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(("base", "relative", "expected"), [
    ("http://a/b/c/d;p?q", "g", b"http://a/b/c/g"), ("http://a/b/c/d;p?q", "../g", b"http://a/b/g"),
    ("http://a/b/c/d;p?q", "/g", b"http://a/g"), ("http://a/b/c/d;p?q", "//g", b"http://g"),
    ("http://a/b/c/d;p?q", "../../../g", b"http://a/g"), ("http://a/b", "x:y", b"x:y"),
    ("http://a/b/c/d;p?q", "?y", b"http://a/b/c/d;p?y"),
])
def test_relative_urls_are_resolved(lua, base, relative, expected):
    code = "return require'socket.url'.absolute(...)"
    assert lua.run(code, base.encode(), relative.encode()) == expected


def test_urls_are_taken_apart_and_built(lua):
    assert lua.run("""
        local url = require "socket.url";
        local u = url.parse("https://me:pw@[::1]:5281/a%20b/c?x=1#top");
        return u.scheme, u.host, u.port, u.user, u.password, u.path, u.query, u.fragment,
            url.build(u),
            url.parse_path("/a%20b/c/")[1], url.build_path { is_absolute = 1, "a b", "c" };
    """) == (b"https", b"::1", b"5281", b"me", b"pw", b"/a%20b/c", b"x=1", b"top",
             b"https://me:pw@[::1]:5281/a%20b/c?x=1#top", b"a b", b"/a%20b/c")


def test_bits_are_those_of_luajit(lua):
    assert lua.run("""
        local bit = require "bit";
        return bit.band(0xFF0F, 0x0FF0), bit.bnot(0), bit.lshift(1, 31), bit.rshift(-1, 28),
            bit.arshift(-8, 1), bit.tohex(255, 4), bit.bxor(5, 1), bit.rol(0x80000000, 1),
            bit.bswap(0x01020304), require "util.bitcompat".lshift(1, 31);
    """) == (0x0F00, -1, -2147483648, 15, -4, b"00ff", 4, 1, 0x04030201, 2147483648)


def test_filters_run_by_priority_and_may_drop(lua):
    assert lua.run("""
        local filters, session = require "util.filters", {};
        local filter = filters.initialize(session);
        filters.add_filter(session, "stanzas/in", function (s) return s .. "1"; end);
        local function two(s) return s .. "2"; end
        filters.add_filter(session, "stanzas/in", two, 10);
        local first = filter("stanzas/in", "x");
        filters.remove_filter(session, "stanzas/in", two);
        filters.add_filter(session, "bytes/in", function () return nil; end);
        return first, filter("stanzas/in", "x"), filter("bytes/in", "x"), filter("other", "x");
    """) == (b"x21", b"x1", None, b"x")


def test_the_queue_of_stream_management_counts(lua):
    assert lua.run("""
        local q = require "util.smqueue".new(3);
        for i = 1, 4 do q:push("s" .. i); end
        local lost = q:resumable();
        local acked = q:ack(2);
        local _, err = q:ack(9);
        local left = {};
        for place, item in q:resume() do left[#left + 1] = place .. item; end
        return lost, #acked, err, q:count_unacked(), q:count_acked(),
            table.concat(left, " "), q:resumable();
    """) == (False, 1, b"head", 2, 2, b"1s3 2s4", True)


def test_entities_have_the_hash_of_the_specification(lua):
    """XEP-0115, section 5.2."""
    assert lua.run("""
        local st = require "util.stanza";
        local q = st.stanza("query"):text_tag("identity", nil, {
            category = "client", type = "pc", name = "Exodus 0.9.1",
        });
        for _, var in ipairs { "http://jabber.org/protocol/muc", "http://jabber.org/protocol/caps",
            "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items" } do
            q:tag("feature", { var = var }):up();
        end
        return (require "util.caps".calculate_hash(q));
    """) == b"QgayPKawpkPSDYmwT/WM94uAlu0="


@pytest.mark.parametrize("call", [
    "require'lfs'.mkdir()", "require'lfs'.attributes({})", "require'util.xml'.parse({})",
    "require'util.net'.pton()", "require'util.hashes'.hmac_sha1('k')",
    "require'util.random'.bytes()",
    "require'util.encodings'.base64.encode({})", "require'util.pposix'.getrlimit()",
    "require'lfs'.dir('/dev/null')", "require'util.random'.bytes(1e12)",
])
def test_a_wrong_argument_is_a_lua_error_with_a_text(lua, call):
    ok, kind = lua.run(f"""
        local ok, err = pcall(function () return {call}; end);
        return ok, type(err);
    """)
    assert (ok, kind) == (False, b"string")


def test_certificates_are_valid_for_the_names_they_carry(lua):
    assert lua.run("""
        local x509 = require "util.x509";
        local cert = {
            subject = function ()
                return { { oid = "2.5.4.3", name = "commonName", value = "cn.example" } };
            end;
            extensions = function () return { ["2.5.29.17"] = {
                dNSName = { "a.example", "*.wild.example" },
                ["1.3.6.1.5.5.7.8.7"] = { "_xmpp-server.srv.example" },
            } }; end;
        };
        local function valid(host) return x509.verify_identity(host, "_xmpp-server", cert); end
        return valid("a.example"), valid("x.wild.example"), valid("x.y.wild.example"),
            valid("wild.example"), valid("srv.example"), valid("cn.example"), valid("b.example"),
            x509.pem2der(x509.der2pem("some bytes"));
    """)[:8] == (True, True, False, False, True, False, False, b"some bytes")


def test_identifiers_have_their_form(lua):
    short, uuid, v7 = lua.run("""
        local uuid = require "util.uuid";
        return require "util.id".short(), uuid.generate(), uuid.v7();
    """)
    assert len(short) == 12
    assert len(uuid) == 36 and uuid[14:15] == b"4" and uuid[19:20] in b"89ab"
    assert len(v7) == 36 and v7[14:15] == b"7"


def test_command_results_carry_the_form(lua):
    assert lua.run("""
        local adhoc, dataforms = require "util.adhoc", require "util.dataforms";
        local form = dataforms.new { title = "T", { name = "a" } };
        local handler = adhoc.new_initial_data_form(form, function () return { a = "start" }; end,
            function (fields) return { status = "completed", info = fields.a }; end);
        local first, state = handler(nil, {}, nil);
        local last = handler(nil, { form = form:form({ a = "x" }, "submit") }, state);
        return first.status, first.form.values.a, state, last.info,
            handler(nil, { action = "cancel" }, state).status;
    """) == (b"executing", b"start", b"executing", b"x", b"canceled")


def test_set_is_an_iterator_over_its_items(lua):
    assert lua.run("""
        local items = require "util.set".new { "a", "b" };
        local list = require "util.array".collect(items);
        table.sort(list);
        return list[1], list[2], #list;
    """) == (b"a", b"b", 2)
