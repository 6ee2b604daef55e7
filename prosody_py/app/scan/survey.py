"""Find the Lua modules below some paths, read them all, and judge each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from prosody_py.api.errors import LoadError
from prosody_py.app.errors import CommandError
from prosody_py.app.places import plugin_folders
from prosody_py.app.scan.module import Scanned, read_text, scan
from prosody_py.app.scan.truth import Truth, truth
from prosody_py.app.scan.verdict import BUNDLED, Verdict, judge, spread
from prosody_py.config.config import Config
from prosody_py.loader.find import Source, available, bundled_folders, find
from prosody_py.loader.replaced import REPLACED

PLUGIN_PATHS, HERE, SERVER = "in plugin_paths", "beside it", "a part of the server"


@dataclass
class Survey:
    """All that was found; `others` are modules in Python, which are not looked at."""

    kind: str
    verdicts: list[Verdict]
    others: list[str]


def survey(paths: Iterable[str], config: Config | None = None, kind: str | None = None) -> Survey:
    """Read the modules at `paths` and judge them; raises CommandError.

    A path is a file, the folder of a module, or a folder of modules. `config` says where further
    modules are, `kind` is the Lua runtime to ask.
    """
    sources, others, folders = _sources(paths)
    own = [] if config is None else plugin_folders(config)
    scanned = [_scan(source, [*folders, *own]) for source in sources]
    fired = set().union(*(one.facts.fires for one in scanned))
    with truth(config, kind) as asked:
        verdicts = _judge(scanned, asked, own, folders, fired)
        return Survey(asked.kind, verdicts, others)


def _judge(scanned: list[Scanned], asked: Truth, own: list[str], folders: list[str],
           fired: set[str]) -> list[Verdict]:
    in_paths, bundled = available(own), available(bundled_folders())
    here = available(folders).keys() | {one.source.name for one in scanned}

    def where(name: str) -> str | None:
        if name in in_paths:
            return PLUGIN_PATHS
        if name in bundled:
            return BUNDLED
        if name in REPLACED:
            return SERVER
        return HERE if name in here else None

    verdicts = [judge(one, asked, where, fired) for one in scanned]
    spread(verdicts)
    return verdicts


def _scan(source: Source, folders: list[str]) -> Scanned:
    try:
        return scan(source, folders)
    except LoadError as error:
        return Scanned(source, error=str(error))


def _sources(paths: Iterable[str]) -> tuple[list[Source], list[str], list[str]]:
    """Return the Lua modules, the names of those in Python, and the folders searched."""
    found: dict[str, Source] = {}
    others, folders = [], []
    for path in paths:
        at, sources = _at(path)
        folders.append(at)
        for source in sources:
            if source.language == "lua":
                found.setdefault(source.path, source)
            else:
                others.append(source.name)
    if not found and not others:
        raise CommandError(f"There is no module in {', '.join(paths)}: the file of one is called "
                           "mod_NAME.lua")
    return list(found.values()), others, folders


def _at(path: str) -> tuple[str, list[Source]]:
    """Return the folder to search and the modules at one path."""
    whole = os.path.abspath(path)
    folder, file = os.path.split(whole)
    if os.path.isfile(whole):
        stem, extension = os.path.splitext(file)
        name = stem.removeprefix("mod_").removesuffix(".lib")
        return folder, [_source(name, whole, extension)]
    if not os.path.isdir(whole):
        raise CommandError(f"There is no file or folder {path}")
    own = find(file.removeprefix("mod_"), [folder])
    own_path = own and (own.path or own.passed_over)
    if own_path and os.path.dirname(own_path).startswith(whole):
        return folder, [_source(own.name, own_path)]
    return whole, _in_folder(whole)


def _source(name: str, path: str, extension: str = "") -> Source:
    language = {".lua": "lua", ".py": "python"}.get(extension or os.path.splitext(path)[1])
    if language is None:
        raise CommandError(f"{path} is no module: the file of one is called mod_NAME.lua")
    read_text(path)
    return Source(name, path, language, path if name in REPLACED and language == "lua" else "")


def _in_folder(folder: str) -> list[Source]:
    sources = []
    for entry in sorted(os.listdir(folder)):
        name = entry.removeprefix("mod_").removesuffix(".lua").removesuffix(".py")
        is_own = entry.startswith("mod_") or os.path.isdir(os.path.join(folder, entry))
        found = find(name, [folder]) if is_own else None
        path = found and (found.path or found.passed_over)
        if path and all(path != one.path for one in sources):
            sources.append(_source(name, path))
    return sources
