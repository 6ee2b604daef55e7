"""A Python module that is a folder: its file and the files beside it.

    modules/mod_muc/mod_muc.py      from .room import Room
    modules/mod_muc/room.py

A module in a folder of its own (`mod_x/mod_x.py` or `x/mod_x.py`) may import the files beside it
with a leading dot. They belong to the instance as the module's own names do: each instance gets
them anew, so a reload reads all of them again, and they go when the instance goes.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from prosody_py.loader.find import Source

_PREFIX = "prosody_module_"
_numbers = count(1)


def new_namespace(source: Source) -> types.ModuleType:
    """Return an empty namespace for the code of one instance of a module.

    Give it to `release` when the instance is gone.
    """
    name = f"{_PREFIX}{source.name.replace('.', '_')}_{next(_numbers)}"
    namespace = types.ModuleType(name)
    namespace.__file__ = source.path
    folder = own_folder(source)
    if folder is not None:
        namespace.__path__ = [folder]
        namespace.__package__ = name
        sys.modules[name] = namespace
    return namespace


def files_of(source: Source) -> list[str]:
    """Return the files of a Python module: its own, then those of its folder that it may import."""
    folder = own_folder(source)
    if folder is None:
        return [source.path]
    beside = sorted(os.path.join(folder, name) for name in os.listdir(folder)
                    if name.endswith(".py"))
    return [source.path, *(path for path in beside if path != source.path)]


def own_folder(source: Source) -> str | None:
    """Return the folder that belongs to a module alone, None for a single file among others."""
    folder = os.path.dirname(source.path)
    return folder if os.path.basename(folder) in (source.name, "mod_" + source.name) else None


def release(namespace: types.ModuleType) -> None:
    """Let go of a namespace and of the files that it has imported from its folder."""
    name = namespace.__name__
    if sys.modules.pop(name, None) is not None:
        for other in [other for other in sys.modules if other.startswith(name + ".")]:
            del sys.modules[other]


class FolderFinder(importlib.abc.MetaPathFinder):
    """Finds the files beside a module's own; `compile_file(path)` returns their code."""

    def __init__(self, compile_file: Callable[[str], Any]):
        self._compile_file = compile_file

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: types.ModuleType | None = None) -> Any:
        """Return where the file of `fullname` is, None when it is not beside a module."""
        if not fullname.startswith(_PREFIX) or path is None:
            return None
        for folder in path:
            file = os.path.join(folder, fullname.rpartition(".")[2] + ".py")
            if os.path.isfile(file):
                return importlib.util.spec_from_file_location(
                    fullname, file, loader=_Loader(fullname, file, self._compile_file))
        return None


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, compile_file: Callable[[str], Any]):
        super().__init__(fullname, path)
        self._compile_file = compile_file

    def get_code(self, fullname: str) -> Any:
        # Not by way of .pyc files, which do not see two changes within one second.
        return self._compile_file(self.path)
