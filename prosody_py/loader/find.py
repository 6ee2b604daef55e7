"""Find the file of a module.

The folders are those of the option `plugin_paths`, then the modules that come with the server.
In each, the layouts that Prosody knows are tried in its order; a Python file goes before a Lua
file at the same place. A Lua file of a part that the server has in itself is passed over, see
prosody_py.loader.replaced.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import prosody_py
from prosody_py.loader.replaced import REPLACED

_LAYOUTS = ("mod_{0}/{0}/mod_{0}", "mod_{0}/mod_{0}", "{0}/mod_{0}", "mod_{0}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z").match


@dataclass(frozen=True)
class Source:
    """The file of a module: its path and language, "python" or "lua".

    `passed_over` is a file that would have been taken, had the server not this part in itself;
    `replaced` says why. The language "none", without a path, is a module that loads as nothing.
    """

    name: str
    path: str
    language: str
    passed_over: str = ""

    @property
    def replaced(self) -> str:
        """Why no Lua file of this name is taken, empty for most modules."""
        return REPLACED.get(self.name, "")

    @property
    def remark(self) -> str:
        """What to tell the operator about the choice of the file, mostly nothing."""
        if self.language == "none":
            return f"nothing to do for mod_{self.name}: {self.replaced}"
        if self.passed_over:
            return f"{self.passed_over} is not used: {self.replaced}"
        return ""


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
    passed_over = ""
    ours = bundled_folders() if name in REPLACED else []
    for path, language, folder in _files(name, folders):
        if language == "lua" and name in REPLACED and folder not in ours:
            passed_over = passed_over or path
        else:
            return Source(name, path, language, passed_over)
    return Source(name, "", "none", passed_over) if name in REPLACED else None


def _files(name: str, folders: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (path, language, folder) of every file of a module, the preferred one first."""
    for folder in folders:
        for layout in _LAYOUTS:
            base = os.path.join(folder, layout.format(name))
            for extension, language in ((".py", "python"), (".lua", "lua")):
                if os.path.isfile(base + extension):
                    yield base + extension, language, folder


def available(folders: Iterable[str]) -> dict[str, Source]:
    """Return every module that has a file which `find` would take, by name."""
    result: dict[str, Source] = {}
    for folder in folders:
        try:
            entries = sorted(os.listdir(folder))
        except OSError:
            continue
        for entry in entries:
            name = entry.removeprefix("mod_").removesuffix(".py").removesuffix(".lua")
            source = None if name in result else find(name, [folder])
            if source is not None and source.path:
                result[name] = source
    return result
