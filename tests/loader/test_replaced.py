"""Parts of Prosody that this server has in itself: their Lua files are passed over."""

import logging

import pytest

from prosody_py.app.main import main
from prosody_py.loader.find import available, bundled_folders, find
from prosody_py.loader.replaced import REPLACED

ERROR = "error('this file must not run')"


@pytest.fixture
def folder(tmp_path):
    """Return a folder like that of an installed Prosody: a Lua file for each part replaced."""
    folder = tmp_path / "modules"
    folder.mkdir()
    for name in (*REPLACED, "ping"):
        (folder / f"mod_{name}.lua").write_text(ERROR)
    return folder


@pytest.fixture
def folders(folder):
    return [str(folder), *bundled_folders()]


@pytest.mark.parametrize("name", sorted(REPLACED))
def test_a_lua_file_of_a_replaced_part_is_not_taken(folder, folders, name):
    source = find(name, folders)
    assert source.language != "lua" and source.passed_over == str(folder / f"mod_{name}.lua")
    assert source.path == "" or source.path.startswith(tuple(bundled_folders()))


def test_a_lua_file_of_any_other_name_goes_before_the_bundled_module(folder, folders):
    source = find("ping", folders)
    assert (source.language, source.path) == ("lua", str(folder / "mod_ping.lua"))
    assert source.remark == "" and source.passed_over == ""


def test_a_python_file_of_a_replaced_part_is_taken(folder, folders):
    (folder / "mod_c2s.py").write_text("")
    source = find("c2s", folders)
    assert (source.language, source.path) == ("python", str(folder / "mod_c2s.py"))


def test_the_folder_does_not_hide_what_is_bundled(folder, folders):
    found = available(folders)
    assert found["c2s"].language == found["posix"].language == "python"
    assert "windows" not in found
    assert find("windows", bundled_folders()).language == "none"


def test_a_server_starts_with_parts_that_are_replaced_and_says_so(folder, start_server, caplog):
    with caplog.at_level(logging.INFO, "modules"):
        running = start_server(["posix", "windows"], plugin_paths=[str(folder)],
                               hosts={"localhost": {}, "example.com": {}},
                               modules_enabled=["saslauth", "posix", "windows"])
    running.client("juliet")
    modules = running.server.modules
    assert modules.get_module("*", "c2s").code.language == "python"
    assert modules.get_module("*", "posix").code.language == "python"
    assert modules.get_module("*", "windows").status_message == \
        f"nothing to do: {REPLACED['windows']}"
    told = [record.getMessage() for record in caplog.records if record.name == "modules"
            and record.levelno == logging.INFO]
    assert told == [
        f"{folder}/mod_c2s.lua is not used: {REPLACED['c2s']}",
        f"{folder}/mod_posix.lua is not used: {REPLACED['posix']}",
        f"nothing to do for mod_windows: {REPLACED['windows']}"]


def test_what_loads_as_nothing_can_be_reloaded_and_unloaded(folder, start_server):
    modules = start_server(["windows"], plugin_paths=[str(folder)]).server.modules
    assert modules.reload("*", "windows").code.language == "none"
    modules.unload("*", "windows")
    assert not modules.is_loaded("*", "windows")


def test_check_names_each_file_that_is_passed_over(folder, tmp_path, capsys):
    file = tmp_path / "prosody.cfg.yaml"
    file.write_text("plugin_paths: [modules]\nhosts:\n  localhost: {}\n"
                    "modules_enabled:\n  - saslauth\n  - windows\n")
    assert main(["--config", str(file), "check", "modules"]) == 0
    told = capsys.readouterr().out
    assert f"warning: {folder}/mod_c2s.lua is not used: {REPLACED['c2s']}" in told
    assert ("prosody.cfg.yaml:6: warning: nothing to do for mod_windows: "
            f"{REPLACED['windows']}") in told
    assert "2 warnings" in told
