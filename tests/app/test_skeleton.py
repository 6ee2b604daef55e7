"""`prosody-py module new`: what it writes works and its test passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from prosody_py.app.main import main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_new_modules_pass_their_own_tests(tmp_path):
    folder = str(tmp_path)
    assert main(["module", "new", "hello", "--python", "--folder", folder]) == 0
    assert main(["module", "new", "mod_moin", "--lua", "--folder", folder]) == 0
    assert sorted(os.listdir(folder)) == [
        "mod_hello.py", "mod_moin.lua", "test_mod_hello.py", "test_mod_moin.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p",
         "prosody_py.testing.plugin", folder],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=60)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


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
