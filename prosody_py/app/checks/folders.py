"""Files and folders that options name, as far as they can be judged without writing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator

from prosody_py.app.logs import file_of
from prosody_py.app.places import data_folder
from prosody_py.config.config import GLOBAL, Config
from prosody_py.config.problems import WARNING, Location, Problem


def folders(config: Config) -> Iterator[Problem]:
    """Yield what is wrong with the folders of plugins, the data folder and that of the log."""
    given = config.get(GLOBAL, "plugin_paths")
    for index, written in enumerate(given if isinstance(given, list) else [given]):
        if isinstance(written, str) and not os.path.isdir(os.path.join(config.directory, written)):
            yield Problem.at(config.location(GLOBAL, "plugin_paths", index),
                             f"plugin_paths: there is no folder {written}",
                             "make it, or correct the path", WARNING)
    data = data_folder(config)
    if os.path.exists(data) and not os.path.isdir(data):
        yield Problem.at(config.location(GLOBAL, "data_path") or Location(config.file),
                         f"data_path: {data} is not a folder", "name a folder")
    log = config.get(GLOBAL, "log")
    path = file_of(log, config.directory)
    if path and not os.path.isdir(os.path.dirname(path)):
        yield Problem.at(config.location(GLOBAL, "log", "to"),
                         f"log: there is no folder {os.path.dirname(path)} for the log",
                         "make it, and let the server's user write to it")
    levels = log.get("modules") if isinstance(log, dict) else None
    lists = [config.get(section, "modules_enabled") for section in config.sections]
    for name in levels if isinstance(levels, dict) else ():
        if any(name in value for value in lists if isinstance(value, list)):
            yield Problem.at(config.location(GLOBAL, "log", "modules", name),
                             f"log: no lines come from {name}", f"write mod_{name}", WARNING)
