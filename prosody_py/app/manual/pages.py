"""All pages of the manual: made, written, and compared with what is there."""

from __future__ import annotations

import os
from collections.abc import Callable

import prosody_py
from prosody_py.app.errors import CommandError
from prosody_py.app.manual import commands, events, module_api, modules, options

PAGES: dict[str, Callable[[], str]] = {
    "options.md": options.render,
    "modules.md": modules.render,
    "events.md": events.render,
    "commands.md": commands.render,
    "module-api.md": module_api.render,
}


def default_folder() -> str:
    """Return docs/manual of the checkout; raises CommandError where there is none."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(prosody_py.__file__)))
    if not os.path.exists(os.path.join(root, "setup.py")):
        raise CommandError("This is no checkout with a folder docs/manual; say where to write "
                           "the manual")
    return os.path.join(root, "docs", "manual")


def write(folder: str) -> list[str]:
    """Write all pages into a folder; return the paths of those that have changed."""
    texts = {name: render() for name, render in PAGES.items()}
    try:
        os.makedirs(folder, exist_ok=True)
        changed = [os.path.join(folder, name) for name in _outdated(folder, texts)]
        for path in changed:
            with open(path, "w", encoding="utf-8") as file:
                file.write(texts[os.path.basename(path)])
    except OSError as error:
        raise CommandError(f"Cannot write {error.filename}: {error.strerror}") from None
    return changed


def outdated(folder: str) -> list[str]:
    """Return the names of the pages in a folder that the code would make otherwise."""
    return _outdated(folder, {name: render() for name, render in PAGES.items()})


def _outdated(folder: str, texts: dict[str, str]) -> list[str]:
    return [name for name, text in texts.items() if _read(os.path.join(folder, name)) != text]


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
