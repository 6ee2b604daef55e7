"""Find the file of a module.

The folders are those of the option `plugin_paths`, then the modules that come with the server.
In each, the layouts that Prosody knows are tried in its order; a Python file goes before a Lua
file at the same place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

import prosody_py

_LAYOUTS = ("mod_{0}/{0}/mod_{0}", "mod_{0}/mod_{0}", "{0}/mod_{0}", "mod_{0}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z").match


@dataclass(frozen=True)
class Source:
    """The file of a module: its path and language, "python" or "lua"."""

    name: str
    path: str
    language: str


def bundled_folders() -> list[str]:
    """Return the folders of the modules that come with the server.

    In a checkout they are beside the package, in an installed wheel inside it.
    """
    package = os.path.dirname(os.path.abspath(prosody_py.__file__))
    folders = []
    for name in ("modules", "plugins_lua"):
        beside = os.path.join(os.path.dirname(package), name)
        inside = os.path.join(package, "bundled", name)
        in_checkout = os.path.exists(os.path.join(os.path.dirname(package), "setup.py"))
        folders.append(beside if in_checkout else inside)
    return folders


def find(name: str, folders: Iterable[str]) -> Source | None:
    """Return the source of module `name`, None when no folder has it."""
    if not _NAME(name):
        return None
    for folder in folders:
        for layout in _LAYOUTS:
            base = os.path.join(folder, layout.format(name))
            for extension, language in ((".py", "python"), (".lua", "lua")):
                if os.path.isfile(base + extension):
                    return Source(name, base + extension, language)
    return None


def available(folders: Iterable[str]) -> dict[str, Source]:
    """Return every module that `find` would find, by name."""
    result: dict[str, Source] = {}
    for folder in folders:
        try:
            entries = sorted(os.listdir(folder))
        except OSError:
            continue
        for entry in entries:
            name = entry.removeprefix("mod_").removesuffix(".py").removesuffix(".lua")
            if name not in result and (source := find(name, [folder])) is not None:
                result[name] = source
    return result
