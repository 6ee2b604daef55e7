"""Read a whole Lua module: its file, and those beside it that it takes with `module:require`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from prosody_py.api.errors import LoadError
from prosody_py.app.lua_source.lexer import LuaSyntaxError
from prosody_py.app.lua_source.parser import parse
from prosody_py.app.scan.facts import Facts, Needed
from prosody_py.app.scan.reader import Reader
from prosody_py.loader.find import Source
from prosody_py.loader.lua_code import header

_MAX_SIZE = 4 * 1024 * 1024


@dataclass
class Scanned:
    """What one module's files say; `lacking` are files that `module:require` will not find."""

    source: Source
    facts: Facts = field(default_factory=Facts)
    texts: dict[str, bytes] = field(default_factory=dict)
    header: list[tuple[str, list[str]]] = field(default_factory=list)
    lacking: list[Needed] = field(default_factory=list)
    error: str = ""


def scan(source: Source, folders: Iterable[str] = ()) -> Scanned:
    """Read a module; `folders` are searched for its files after its own.

    Raises LoadError for what cannot be read, with file and line for what is no Lua.
    """
    folders = [os.path.dirname(source.path), *folders]
    reader = Reader(source.name)
    found = Scanned(source, reader.facts)
    waiting, asked = [source.path], 0
    while waiting:
        path = waiting.pop()
        if path in found.texts:
            continue
        found.texts[path] = text = read_text(path)
        try:
            reader.read(parse(text.decode("utf-8", "replace")), path)
        except LuaSyntaxError as error:
            raise LoadError(f"{path}:{error.line}: {error}") from None
        except RecursionError:
            raise LoadError(f"{path}:1: nested too deeply to be read") from None
        for needed in reader.facts.files[asked:]:
            library = library_file(needed.name, source.name, folders)
            if library is None:
                found.lacking.append(needed)
            else:
                waiting.append(library)
        asked = len(reader.facts.files)
    found.header = header(found.texts[source.path])
    return found


def library_file(name: str, owner: str, folders: Iterable[str]) -> str | None:
    """Return the file that `module:require(name)` runs in a module, None when there is none."""
    if ".." in name.split("/"):
        return None
    places = [place for file in (f"{name}.lib.lua", f"{name}.lua") for own in (owner, name)
              for folder in folders
              for place in (f"{folder}/mod_{own}/{file}", f"{folder}/{own}/{file}",
                            f"{folder}/{file}")]
    return next(filter(os.path.isfile, places), None)


def read_text(path: str) -> bytes:
    """Return what is in a file; raises LoadError."""
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_SIZE)
    except OSError as error:
        raise LoadError(f"Cannot read {path}: {error.strerror}") from None
