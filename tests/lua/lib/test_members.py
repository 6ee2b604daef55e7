"""Every member of a library that modules use is there, and is what it should be.

members.txt says which; what is not provided is listed here with the reason.
"""

from pathlib import Path

import pytest

from prosody_py import lua
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.server import TestServer

OPTIONAL = {"bcrypt", "lualdap"}  # only with the Python packages bcrypt and ldap3

# Members that members.txt does not have, because there is no place for them here.
ABSENT = {
    "it starts a server; no module has a use for it": ["util.startup.prosody"],
    "another language binding, which its module brings along or asks for softly": [
        "captcha.new", "curses.initscr", "cyrussasl.server_new", "gdbm.open", "geoip.country.open",
        "hmac.sha256", "inotify.init", "lightningmdb.env_create", "lpty.new", "luatz.gmtime",
        "luatz.time", "mongo.Connection", "otp.new_totp_from_key", "pam.start", "posix.getpasswd",
        "proctitle.set", "uuid.new", "yubikey.new_authenticator"],
    "for tests of a module, which are not run in a server": ["luaunit.LuaUnit", "mock.mock"],
    "set by a module for others (mod_audit, mod_email)": [
        "core.moduleapi.audit", "core.moduleapi.send_email"],
}

FIND = """
    local library, member = ...;
    local found, value = pcall(require, library);
    if not found then return "no library", tostring(value); end
    if member == "(call)" then
        local mt = getmetatable(value);
        return (type(value) == "function" or type(mt) == "table" and mt.__call) and "call"
            or type(value);
    end
    for name in member:gmatch("[^.]+") do
        if type(value) ~= "table" then return "nothing to look into"; end
        value = value[name];
    end
    return type(value);
"""


def expected_members():
    """Give (library, member, kind) for each entry of members.txt."""
    library = None
    for line in Path(__file__).with_name("members.txt").read_text().splitlines():
        words = [] if line.startswith("#") else line.split()
        if words and not line.startswith(" "):
            library = words.pop(0)
        for word in words:
            member, _, kind = word.partition("=")
            yield library, member, kind or ("call" if member == "(call)" else "function")


EXPECTED = list(expected_members())


@pytest.fixture(scope="module", params=KINDS)
def find(request, tmp_path_factory):
    """Return a function that tells what a member is in the runtime of a whole server."""
    whole = TestServer(tmp_path_factory.mktemp("members"), lua_runtime=request.param,
                       lua_time_limit="10 seconds")
    server = whole.server
    border = lua.runtime_of(server)
    chunk = border.compile(FIND.encode(), "find.lua", border.lua.globals())

    def look(library, member):
        result = border.driver.call(chunk, library.encode(), member.encode())
        return tuple(map(bytes.decode, result if type(result) is tuple else (result,)))

    yield look
    whole.stop()


def test_each_member_is_there_and_of_its_kind(find):
    wrong = []
    for library, member, kind in EXPECTED:
        found = find(library, member)
        if found[0] != kind and not (library in OPTIONAL and found[0] == "no library"):
            wrong.append(f"{library}.{member} is {': '.join(found)}, not {kind}")
    assert not wrong, "\n".join(wrong)


def test_what_is_said_to_be_absent_is_absent(find):
    for names in ABSENT.values():
        for name in names:
            library, _, member = name.rpartition(".")
            assert find(library, member)[0] in ("no library", "nil"), name


def test_both_names_of_a_library_are_one_table(find):
    for library in sorted({library for library, _, _ in EXPECTED if library.startswith("util.")}):
        short, long = find(library, "(call)"), find("prosody." + library, "(call)")
        assert short == long, library
