"""Python modules in a folder of their own, with files beside them."""

import gc
import sys
import weakref

import pytest

from prosody_py.api.errors import LoadError
from prosody_py.app.checks import module_files


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mod_x"
    folder.mkdir()
    (folder / "mod_x.py").write_text("from .room import Room\n\n"
                                     "def name():\n    return Room.name\n")
    (folder / "room.py").write_text("from dataclasses import dataclass\n"
                                    "from .words import WORD\n\n"
                                    "@dataclass\nclass Room:\n    name: str = WORD\n")
    (folder / "words.py").write_text("WORD = 'one'\n")
    return folder


@pytest.fixture
def modules(start_server, tmp_path, folder):
    return start_server(plugin_paths=[str(tmp_path)], modules_enabled=[]).server.modules


def own_names():
    return [name for name in sys.modules if name.startswith("prosody_module_x_")]


def test_files_beside_it_are_read_anew_at_each_reload(modules, folder):
    before = own_names()
    first = modules.load("localhost", "x")
    assert first.exports.name() == "one"
    (folder / "words.py").write_text("WORD = 'two'\n")
    second = modules.reload("localhost", "x")
    assert (first.exports.name(), second.exports.name()) == ("one", "two")
    old = weakref.ref(first.exports.Room)
    assert len(own_names()) == len(before) + 3
    del first
    gc.collect()
    assert old() is None
    modules.unload("localhost", "x")
    assert own_names() == before


def test_mistake_in_a_file_beside_it_changes_nothing(modules, folder):
    modules.load("localhost", "x")
    before = own_names()
    (folder / "words.py").write_text("WORD = \n")
    with pytest.raises(LoadError, match=r"words\.py:1: invalid syntax"):
        modules.reload("localhost", "x")
    assert modules.get_module("localhost", "x").exports.name() == "one"
    assert own_names() == before


def test_check_reads_it_without_leaving_a_trace(modules):
    before = own_names()
    found = module_files.namespace_of(modules.find("x"))
    assert found.name() == "one"
    assert own_names() == before
