"""The rules of the house: imports run one way, files are one idea, names are the field's."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "prosody_py"

# Each package imports only from itself and from those before it.
ORDER = ["xmpp", "events", "concurrency", "config", "storage", "pubsub", "api", "hosts", "sessions",
         "router", "lua", "loader", "net", "app", "testing"]
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = sorted((ROOT / "modules").rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node, node.module
            if node.module == "prosody_py":
                for alias in node.names:
                    yield node, f"prosody_py.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name


def test_every_package_has_its_place_in_the_order():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms <= set(ORDER)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    own = room(path)
    if not own:
        return
    for node, name in imports(path):
        if name.startswith("prosody_py."):
            other = name.split(".")[1]
            if other in ORDER:
                assert ORDER.index(other) <= ORDER.index(own), f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_own_import_is_hidden_in_a_function(path):
    # The command line imports late on purpose, so that `--help` is quick.
    if path.is_relative_to(PACKAGE / "app" / "commands") or path.name in ("main.py",
                                                                          "__main__.py"):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prosody"):
                    pytest.fail(f"line {node.lineno}: {node.module} imported in {function.name}")


@pytest.mark.parametrize("path", [*SOURCES, *MODULES], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_one_idea_and_says_which(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text)), "the file has no docstring"
    assert path.stem not in ("utils", "util", "helpers", "common", "misc", "manager")


@pytest.mark.parametrize("path", [*SOURCES, *MODULES], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_function_fits_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            nested = any(isinstance(child, ast.FunctionDef) for child in node.body)
            length = node.end_lineno - node.lineno + 1
            assert length <= (80 if nested else 60), f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", [*SOURCES, *MODULES], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_unfinished_or_swallowed(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|NotImplementedError", text)
    assert not re.search(r"except( Exception| BaseException)?:\n\s+pass\n", text)


def test_modules_use_the_public_face_or_a_named_package():
    for path in MODULES:
        for node, name in imports(path):
            assert not name.startswith(("prosody_py.app", "prosody_py.testing")) or \
                path.stem.startswith("mod_admin"), f"{path.name} line {node.lineno}: {name}"


def test_nothing_monkey_patches():
    for path in [*SOURCES, *MODULES]:
        text = path.read_text(encoding="utf-8")
        assert "monkey.patch_" not in text, path
