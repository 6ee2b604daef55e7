"""All pages of the manual: made, written, and compared with what is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import prosody_py
from prosody_py.app.errors import CommandError
from prosody_py.app.manual import commands, events, module_api, modules, options, xeps
from prosody_py.app.manual.bundled import bundled

PAGES: dict[str, Callable[[], str]] = {
    "manual/options.md": options.render,
    "manual/modules.md": modules.render,
    "manual/events.md": events.render,
    "manual/commands.md": commands.render,
    "manual/module-api.md": module_api.render,
    "xeps.md": xeps.render,
    "prosody-py.doap": xeps.render_doap,
}


def all_pages() -> dict[str, Callable[[], str]]:
    """Return what makes each page: those above, and one for each bundled module."""
    each = {f"manual/modules/mod_{module.name}.md": partial(modules.render_module, module)
            for module in bundled()}
    return {**PAGES, **each}


def default_folder() -> str:
    """Return the folder docs of the checkout; raises CommandError where there is none."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(prosody_py.__file__)))
    if not os.path.exists(os.path.join(root, "setup.py")):
        raise CommandError("This is no checkout with a folder docs; say where to write "
                           "the manual")
    return os.path.join(root, "docs")


def write(folder: str) -> list[str]:
    """Write all pages into a folder; return the paths of those that have changed."""
    texts = _texts()
    try:
        os.makedirs(os.path.join(folder, "manual", "modules"), exist_ok=True)
        changed = _outdated(folder, texts)
        for name in changed:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(texts[name])
    except OSError as error:
        raise CommandError(f"Cannot write {error.filename}: {error.strerror}") from None
    return [os.path.join(folder, name) for name in changed]


def outdated(folder: str) -> list[str]:
    """Return the names of the pages in a folder that the code would make otherwise."""
    return _outdated(folder, _texts())


def _texts() -> dict[str, str]:
    return {name: render() for name, render in all_pages().items()}


def _outdated(folder: str, texts: dict[str, str]) -> list[str]:
    return [name for name, text in texts.items() if _read(os.path.join(folder, name)) != text]


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
