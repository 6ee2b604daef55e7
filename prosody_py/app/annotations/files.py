"""Write the annotations beside somebody's modules, and tell the editor of them."""

from __future__ import annotations

import json
import os
from typing import Any

from prosody_py.app.annotations import events_file, library_files, module_file
from prosody_py.app.annotations.inside import Inside
from prosody_py.app.errors import CommandError
from prosody_py.app.scan.truth import libraries, truth
from prosody_py.config.config import Config

FOLDER, SETTINGS = ".luals", ".luarc.json"
_VERSIONS = {"lua54": "Lua 5.4", "luajit21": "LuaJIT"}


def texts(config: Config | None = None) -> tuple[dict[str, str], str]:
    """Return the files by their paths in FOLDER, and the runtime's name for the editor."""
    with truth(config) as asked:
        inside = Inside(asked)
        found = {"prosody/module.lua": module_file.render(inside.module()),
                 "prosody/events.lua": events_file.render(),
                 "prosody/globals.lua": library_files.render_prosody(inside)}
        for name in libraries():
            if asked.why_not(name) is None:
                path = name.replace(".", "/") + ".lua"
                found[path] = library_files.render(name, inside)
        return found, _VERSIONS[asked.kind]


def write(folder: str, config: Config | None = None) -> list[str]:
    """Write the annotations below a folder of modules; return the paths of what has changed.

    The editor's settings keep what is in them. Raises CommandError.
    """
    if not os.path.isdir(folder):
        raise CommandError(f"There is no folder {folder}")
    found, version = texts(config)
    contents = {os.path.join(folder, FOLDER, path): text for path, text in found.items()}
    settings = os.path.join(folder, SETTINGS)
    contents[settings] = _settings(settings, version)
    changed = [path for path, text in sorted(contents.items()) if _read(path) != text]
    try:
        for path in changed:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(contents[path])
    except OSError as error:
        raise CommandError(f"Cannot write {error.filename}: {error.strerror}") from None
    return changed


def _settings(path: str, version: str) -> str:
    """Return the editor's settings, with what is needed added to what is there."""
    given = _read(path)
    try:
        settings: Any = {} if given is None else json.loads(given)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise CommandError(f"{path} is not plain JSON, so nothing was written. Add {FOLDER!r} to "
                           "workspace.library in it by hand, or move it away")
    library = settings.setdefault("workspace.library", [])
    if FOLDER not in library:
        library.append(FOLDER)
    settings.setdefault("workspace.checkThirdParty", False)
    settings.setdefault("runtime.version", version)
    # A module's global names are what it exports. EmmyLua's "access-invisible" means the function
    # `module` of Lua 5.1, whatever else has the name; other servers do not know it.
    settings.setdefault("diagnostics.disable", ["lowercase-global", "access-invisible"])
    return json.dumps(settings, indent=2) + "\n"


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"Cannot read {path}: {error}") from None
