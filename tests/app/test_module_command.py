"""`prosody-py module command`: what modules of both languages offer for the command line."""

import pytest

PYTHON = """
def command(module, words):
    for word in words:
        print(word.upper())
    store = module.context("localhost").open_store("shouts")
    store.set("last", {"words": words})
    return len(words)
"""
LUA = """
function module.command(arg)
    print(arg[1]:upper());
    return arg[2] == "fine";
end
"""


@pytest.fixture
def here(install):
    here = install(plugin_paths=["plugins"])
    (here.folder / "plugins").mkdir()
    (here.folder / "plugins/mod_shout.py").write_text(PYTHON)
    (here.folder / "plugins/mod_cry.lua").write_text(LUA)
    (here.folder / "plugins/mod_mute.py").write_text("GLOBAL = True\n")
    return here


def test_a_python_module_gets_the_words_and_gives_the_exit_code(here):
    done = here.run("module", "command", "shout", "one", "--two")
    assert (done.returncode, done.stdout) == (2, "ONE\n--TWO\n"), done.stderr


@pytest.mark.slow
def test_a_lua_module_gets_the_words_and_gives_the_exit_code(here):
    assert here.run("module", "command", "cry", "one", "fine").returncode == 0
    done = here.run("module", "command", "cry", "one", "bad")
    assert (done.returncode, done.stdout) == (1, "ONE\n"), done.stderr


@pytest.mark.parametrize(("name", "message"), [
    ("mute", "mod_mute has no command"), ("nobody", "There is no module mod_nobody")])
def test_what_cannot_be_run_is_told_in_one_line(here, name, message):
    done = here.run("module", "command", name)
    assert done.returncode == 1 and message in done.stderr
    assert "Traceback" not in done.stderr
