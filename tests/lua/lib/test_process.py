"""util.pposix: what a module may change of the process, with Prosody's results."""

from __future__ import annotations

import os
import pwd
import resource
import subprocess
import sys

import pytest

PP = "local pp = require 'util.pposix';"


def test_the_mask_of_new_files_is_set_and_the_old_one_comes_back(lua):
    before = os.umask(0o022)
    try:
        assert lua.run(PP + "return pp.umask('077'), pp.umask(27), pp.umask('0')") == (
            b"022", b"077", b"027")
        assert os.umask(0o022) == 0
        for wrong in ("'rwx'", "'-1'", "nil", "'8'", "{}"):
            assert lua.run(PP + f"return (pcall(pp.umask, {wrong}))") is False, wrong
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_folders_are_made_with_the_mask(lua, tmp_path):
    path = str(tmp_path / "made").encode()
    before = os.umask(0o027)
    try:
        assert lua.run(PP + "return pp.mkdir(...)", path) is True
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o750
    assert lua.run(PP + "return pp.mkdir(...)", path) == (False, b"File exists")
    assert lua.run(PP + "return (pp.mkdir('a\\0b'))") is False


def test_variables_of_the_environment(lua, monkeypatch):
    monkeypatch.setenv("PROSODY_PY_TEST", "before")
    assert lua.run(PP + "return pp.setenv('PROSODY_PY_TEST', 'now')") is True
    assert os.environ["PROSODY_PY_TEST"] == "now"
    assert lua.run(PP + "return pp.setenv('PROSODY_PY_TEST', nil)") is True
    assert "PROSODY_PY_TEST" not in os.environ
    assert lua.run(PP + "return pp.setenv('a=b', 'x')") == (None, b"Invalid argument")
    assert lua.run(PP + "return (pcall(pp.setenv))") is False


def test_limits_are_changed_and_told(lua):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        assert lua.run(PP + f"return pp.setrlimit('NOFILE', {soft - 1})") is True
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft - 1, hard)
        assert lua.run(PP + "return pp.getrlimit('NOFILE')")[:2] == (True, soft - 1)
        assert lua.run(PP + "return pp.setrlimit('NOFILE', 9, 8)") == (False, b"setrlimit-failed")
        assert lua.run(PP + "return pp.setrlimit('BEER', 9)") == (False, b"invalid-resource")
        assert lua.run(PP + "return pp.setrlimit()") == (False, b"incorrect-arguments")
        assert lua.run(PP + "return (pcall(pp.setrlimit, 'NOFILE', {}))") is False
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_daemon_is_refused_with_a_reason(lua):
    ok, reason = lua.run(PP + "return pp.daemonize()")
    assert ok is False and b"service manager" in reason


@pytest.mark.parametrize(("call", "results"), [
    ("setuid('no such user')", (False, b"no-such-user")), ("setuid(-1)", (False, b"invalid-uid")),
    ("setuid({})", (False, b"invalid-uid")), ("setuid(2^40)", (False, b"invalid-uid")),
    ("setgid('no such group')", (False, b"no-such-group")),
    ("setgid(-1)", (False, b"invalid-gid")), ("setuid('a\0b')", (False, b"no-such-user")),
    ("initgroups('no such user')", (None, b"no-such-user")),
    ("initgroups({})", (None, b"invalid-username")), ("initgroups('root', 'x')", (None,
                                                                                 b"invalid-gid")),
])
def test_who_does_not_exist_cannot_be_become(lua, call, results):
    assert lua.run(PP + f"return pp.{call}") == results


CHILD = """
import os, pwd, sys
sys.path.insert(0, sys.argv[2])
from conftest import _environment
lua = _environment(sys.argv[1])
PP = "local pp = require 'util.pposix'; return "
if os.getuid() == 0:
    group = pwd.getpwnam("nobody").pw_gid
    print(lua.run(PP + "pp.initgroups('nobody')"), lua.run(PP + f"pp.setgid('{group}')"),
          lua.run(PP + "pp.setuid('nobody')"))
else:
    print((True, None), True, lua.run(PP + f"pp.setuid('{os.getuid()}')"))
print(os.getuid(), lua.run(PP + "pp.setuid(0)"), lua.run(PP + "pp.setgid(0)"),
      lua.run(PP + "pp.initgroups('root')"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lua54", "luajit"])
def test_a_process_gives_its_rights_away_and_does_not_get_them_back(kind):
    done = subprocess.run([sys.executable, "-c", CHILD, kind, os.path.dirname(__file__)],
                          capture_output=True, text=True, timeout=60)
    mine = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
    refused = (False, b"permission-denied")
    assert done.stdout.splitlines() == [
        "(True, None) True True",
        f"{mine} {refused} {refused} {(None, b'permission-denied')}"], done.stderr
