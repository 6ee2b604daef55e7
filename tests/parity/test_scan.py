"""Every module of Debian's packages is read, and nothing that it requires is missed."""

import re
import time

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.app.scan.survey import survey
from prosody_py.lua.runtime import KINDS

_REQUIRE = re.compile(r"""(?<![\w.:])require\s*\(?\s*["']([\w.-]+)["']""")


@pytest.fixture(scope="module")
def found(debian):
    """The survey of all modules, and the seconds that it took."""
    start = time.process_time()
    result = survey([str(debian / package / "usr/lib/prosody/modules")
                     for package in ("prosody", "prosody-modules")])
    return result, time.process_time() - start


def by_grep(path):
    """Return what a file requires, found without knowing Lua."""
    text = re.sub(r"--\[\[.*?\]\]|--[^\n]*|\[\[.*?\]\]|\\n\\t[^\n]*", "",
                  path.read_text(errors="replace"), flags=re.DOTALL)
    return {name.removeprefix("prosody.") for name in _REQUIRE.findall(text)}


def test_all_modules_are_read_quickly(found, debian):
    survey_, seconds = found
    assert len(survey_.verdicts) >= 170 and survey_.others == []
    assert [one.told for one in survey_.verdicts if one.scanned.error] == []
    assert seconds < 20  # takes about three


def test_every_library_that_grep_finds_is_found(found, debian):
    for one in found[0].verdicts:
        names = {library.name for library in one.scanned.facts.libraries}
        names |= {"prosody" + name for name in names}  # "prosody.x" in a string of its own
        for path in one.scanned.texts:
            missed = by_grep(debian / path) - names
            assert not missed, (one.scanned.source.name, missed)


def test_the_verdicts_agree_with_loading(found, start_debian):
    """What is said to run is loaded, and what is said to fail is not."""
    verdicts = {one.scanned.source.name: one for one in found[0].verdicts}
    fails = verdicts["auth_cyrus"]
    assert "library cyrussasl" in fails.told and fails.result == "fails"
    names = [name for name in ("motd", "version", "lastactivity", "log_auth",
                               "stanza_counter", "support_contact", "csi_battery_saver")
             if verdicts[name].result == "runs"]
    assert len(names) > 5
    folder = fails.scanned.source.path.removesuffix("/mod_auth_cyrus/mod_auth_cyrus.lua")
    running = start_debian(*names, more_folders=[folder])
    with pytest.raises(LoadError, match="cyrussasl"):
        running.server.modules.load("localhost", "auth_cyrus")


def test_both_runtimes_know_the_same_libraries(debian):
    folder = str(debian / "prosody/usr/lib/prosody/modules/mod_smacks.lua")
    first, second = (survey([folder], kind=kind).verdicts[0] for kind in KINDS)
    assert (first.result, first.told) == (second.result, second.told)
