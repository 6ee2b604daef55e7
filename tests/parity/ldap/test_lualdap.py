"""lualdap: LuaLDAP's interface, against a real LDAP server.

What is expected here was seen with LuaLDAP 1.3.0 and the same server.
"""

from __future__ import annotations

import gc
import time

import gevent
import pytest

from prosody_py import lua
from prosody_py.lua.ldap import Directory, LdapError, addresses, tidy_filter
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.server import TestServer

JULIET = "uid=juliet,ou=people,dc=localhost"
PRELUDE = """
    local lualdap = require "lualdap";
    local where, admin = ...;
    local c = assert(lualdap.open_simple(where, admin, "secret"));
    local function show(value)
        if type(value) ~= "table" then return tostring(value); end
        local parts = {};
        for name, one in pairs(value) do
            if type(one) == "table" then
                table.sort(one);
                one = "{" .. table.concat(one, "|") .. "}";
            end
            parts[#parts + 1] = name .. "=" .. tostring(one);
        end
        table.sort(parts);
        return table.concat(parts, ",");
    end
    local function found(query)
        query.base, query.scope = query.base or "dc=localhost", query.scope or "subtree";
        local all = {};
        for dn, attributes in c:search(query) do
            all[#all + 1] = dn .. ":" .. show(attributes);
        end
        table.sort(all);
        return table.concat(all, "\\n");
    end
"""


@pytest.fixture(scope="module", params=KINDS)
def run(request, ldap_server, tmp_path_factory):
    """Return a function that runs Lua code with a connection `c`; gives what it returns."""
    running = TestServer(tmp_path_factory.mktemp("server"), lua_runtime=request.param)
    border = lua.runtime_of(running.server)

    def run_code(code, *args):
        chunk = border.compile((PRELUDE + code).encode(), "test.lua", border.lua.globals())
        result = border.driver.call(chunk, ldap_server.address.encode(),
                                    ldap_server.admin.encode(), *args)
        return tuple(map(border.to_python, result)) if type(result) is tuple else (
            border.to_python(result))

    yield run_code
    running.stop()


def test_who_opens_a_connection_is_told_why_not(run, ldap_server):
    code = "return lualdap.open_simple((select(%d, ...)), admin, %s);"
    assert run(code % (1, "'wrong'")) == (None, "Invalid credentials")
    assert run(code % (3, "'secret'"), b"127.0.0.1:1") == (None, "Can't contact LDAP server")
    assert run(code % (3, "'secret'"), b"http://x") == (None, "Bad parameter to an ldap routine")
    refused = run(code % (1, "''"))
    assert refused[0] is None and refused[1].startswith("Server is unwilling to perform")


@pytest.mark.parametrize(("arguments", "reason"), [
    ("", "#1 to 'lualdap.open_simple' (string expected, got no value)"),
    (", {}", "#1 to 'lualdap.open_simple' (string expected, got table)"),
    (", 'x', {}", "#2 to 'lualdap.open_simple' (string expected, got table)")])
def test_wrong_arguments_raise(run, arguments, reason):
    assert reason in run(f"return select(2, pcall(lualdap.open_simple{arguments}));")


def test_a_list_of_servers_is_tried_in_turn(run):
    assert run("""
        return tostring(lualdap.open_simple("ldap://127.0.0.1:1 ldap://" .. where, admin, "secret"))
            :match("^LuaLDAP connection %(");
    """) == "LuaLDAP connection ("


def test_values_come_as_strings_and_lists(run):
    assert run("return found { filter = '(uid=juliet)' };") == (
        f"{JULIET}:cn={{Juliet|Juliet Capulet}},displayName=Juliet,objectClass=inetOrgPerson,"
        "sn=Capulet,uid=juliet,userPassword=secret")
    assert run("return found { filter = 'uid=juliet', attrs = 'sn' };") == f"{JULIET}:sn=Capulet"
    assert run("return found { filter = 'uid=juliet', attrs = { 'sn', 'UID' } };") in (
        f"{JULIET}:UID=juliet,sn=Capulet", f"{JULIET}:sn=Capulet,uid=juliet")
    assert run("return found { filter = 'uid=juliet', attrsonly = true, attrs = 'cn' };") == (
        f"{JULIET}:cn=true")


@pytest.mark.parametrize(("filter", "count"), [
    ("(uid=*)", 2), ("uid=nobody", 0), ("(uid=jul\\\\69et)", 1), ("(&(uid=*)(sn=Capulet))", 1),
    ("(&)", 6), ("(|)", 0), ("", 6), ("(uid=ä)", 0), ("(cn=*Cap*)", 1), ("(!(uid=*))", 4)])
def test_filters_are_understood(run, filter, count):
    assert run(f"""
        local n = 0;
        for _ in c:search {{ base = "dc=localhost", scope = "subtree", filter = "{filter}" }} do
            n = n + 1;
        end
        return n;
    """) == count


def test_scopes_and_limits(run):
    assert run("return found { scope = 'base', attrs = 'o' };") == "dc=localhost:o=The house"
    assert len(run("return found { scope = 'onelevel', attrs = 'ou' };").splitlines()) == 2
    assert len(run("return found { sizelimit = 1 };").split("dc=localhost:")) == 2
    assert run("return found { base = 'dc=nowhere' };") == ""


@pytest.mark.parametrize(("call", "reason"), [
    ("c:search({ filter = '((((' })", "LuaLDAP: Bad search filter"),
    ("c:search({ scope = 'tree' })", "LuaLDAP: invalid search scope `tree'"),
    ("c:search()", "LuaLDAP: no search specification"),
    ("c:search({ sizelimit = 'x' })",
     "LuaLDAP: invalid value on option `sizelimit': number expected, got string"),
    ("c.search({}, {})", "(LuaLDAP connection expected, got table)"),
    ("c:modify('x', { mail = 'q' })", "LuaLDAP: forgotten operation on argument #3"),
    ("c:delete()", "(string expected, got no value)")])
def test_misuse_raises(run, call, reason):
    assert reason in run(f"return select(2, pcall(function () return {call}; end));")


def test_a_search_that_is_over_is_not_read_further(run):
    assert run("""
        local nextone = c:search { base = "dc=localhost", scope = "base" };
        local first, after = nextone(), nextone();
        local ok, err = pcall(nextone);
        return first, after, ok, err:match("LuaLDAP: LDAP search is closed");
    """) == ("dc=localhost", None, False, "LuaLDAP: LDAP search is closed")


def test_an_entry_is_made_changed_renamed_and_removed(run):
    assert run("""
        local dn = "uid=nurse,ou=people,dc=localhost";
        local entry = { objectClass = "inetOrgPerson", uid = "nurse", sn = "Nurse",
            cn = { "Nurse", "Angelica" }, jpegPhoto = "\\0\\255x" };
        assert(c:add(dn, entry)());
        local _, twice = c:add(dn, entry)();
        assert(twice == "LuaLDAP: Already exists", twice);
        local _, read = c:search { base = dn, scope = "base" }();
        assert(read.jpegPhoto == "\\0\\255x");
        assert(c:modify(dn, { "=", sn = "N", mail = { "a@x", "b@x" } }, { "+", mail = "c@x" },
            { "-", cn = "Angelica" })());
        local changed = found { base = dn, attrs = { "sn", "mail", "cn" } };
        assert(c:modify(dn, { "-", mail = true })());
        assert(found { base = dn, attrs = "mail" } == dn .. ":");
        local _, absent = c:modify(dn, { "-", mail = "q" })();
        assert(c:rename(dn, "uid=angelica", nil, 1)());
        assert(c:delete("uid=angelica,ou=people,dc=localhost")());
        local _, gone = c:delete(dn)();
        local _, bad = c:delete("nonsense")();
        return changed, absent:match("^LuaLDAP: No such attribute"), gone, bad;
    """) == ("uid=nurse,ou=people,dc=localhost:cn=Nurse,mail={a@x|b@x|c@x},sn=N",
             "LuaLDAP: No such attribute", "LuaLDAP: No such object",
             "LuaLDAP: Invalid DN syntax (invalid DN)")


def test_values_are_compared(run):
    assert run(f"""
        local none, err = c:compare("uid=nobody,dc=localhost", "sn", "x")();
        return c:compare("{JULIET}", "sn", "Capulet")(), c:compare("{JULIET}", "sn", "x")(), err;
    """) == (True, False, "LuaLDAP: No such object")


def test_a_connection_becomes_another_users_and_ends(run):
    assert run(f"""
        assert(c:bind_simple("{JULIET}", "secret") == c);
        local _, refused = c:add("ou=x,dc=localhost", {{ objectClass = "organizationalUnit",
            ou = "x" }})();
        local _, wrong = c:bind_simple("{JULIET}", "wrong");
        local first, second = c:close(), c:close();
        local ok, err = pcall(c.search, c, {{}});
        return refused:match("^LuaLDAP: [^(]*[^( ]"), wrong, first, second, tostring(c),
            err:match("LuaLDAP: LDAP connection is closed");
    """) == ("LuaLDAP: Insufficient access", "Invalid credentials", 1, None,
             "LuaLDAP connection (closed)", "LuaLDAP: LDAP connection is closed")


def test_tls_is_only_with_a_server_that_can_be_trusted(run, ldap_server, monkeypatch):
    code = "local d, e = lualdap.open_simple(where, admin, 'secret', true); return d ~= nil, e;"
    assert run(code) == (False, "Connect error (no trustworthy TLS)")
    monkeypatch.setenv("LDAPTLS_CACERT", ldap_server.certificate)
    assert run(code) == (True, None)


def test_a_silent_server_holds_up_its_caller_alone(run):
    silent = gevent.socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen()
    ticks, done = [], []

    def tick():
        while not done:
            ticks.append(time.monotonic())
            gevent.sleep(0.02)

    ticking = gevent.spawn(tick)
    address = f"127.0.0.1:{silent.getsockname()[1]}"
    answer = run("return lualdap.open_simple((select(3, ...)), admin, 'secret', false, 1);",
                 address.encode())
    done.append(True)
    ticking.join()
    silent.close()
    assert answer == (None, "Can't contact LDAP server")
    assert len(ticks) > 15 and max(b - a for a, b in zip(ticks, ticks[1:], strict=False)) < 0.5


def test_connections_that_nobody_has_any_more_are_closed(run, ldap_server):
    code = "for _ = 1, 5 do assert(lualdap.open_simple(where, admin, 'secret')); end c:close();"
    run(code)
    for _ in range(4):
        run("collectgarbage(); collectgarbage(); c:close();")
        gc.collect()
    alive = [one for one in gc.get_objects() if type(one) is Directory and one.is_open]
    assert len(alive) < 5


@pytest.mark.parametrize(("text", "expected"), [
    ("localhost", [("localhost", 389, False)]), ("[::1]:1389", [("::1", 1389, False)]),
    ("ldaps://a b:1", [("a", 636, True), ("b", 1, False)])])
def test_addresses_of_servers(text, expected):
    assert addresses(text) == expected


@pytest.mark.parametrize("text", ["", "http://x", "a:b", "ldap://"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(LdapError):
        addresses(text)


def test_filters_are_sent_as_ascii():
    assert tidy_filter("uid=\0ä") == "(uid=\\00\\c3\\a4)"
    assert tidy_filter("(uid=\udcff)") == "(uid=\\ff)"
