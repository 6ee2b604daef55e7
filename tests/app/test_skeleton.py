"""`prosody-py module new`: what it writes works and its test passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prosody_py.app.main import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("language", ["python", "lua"])
def test_a_new_module_passes_its_own_test(tmp_path, language):
    if language == "lua" and not (ROOT / "prosody_py/lua/runtime.py").exists():
        pytest.skip("there is no Lua runtime yet")
    assert main(["module", "new", "hello", "--" + language, "--folder", str(tmp_path)]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=60)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("name", ["Hello", "../x", "a b", "", "mod_", "1x"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path, name, capsys):
    assert main(["module", "new", name, "--folder", str(tmp_path)]) == 1
    assert "cannot be the name of a module" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_nothing_is_overwritten(tmp_path, capsys):
    (tmp_path / "mod_hello.py").write_text("mine")
    assert main(["module", "new", "hello", "--folder", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "mod_hello.py").read_text() == "mine"
    assert os.listdir(tmp_path) == ["mod_hello.py"]
