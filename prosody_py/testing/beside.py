"""A server for the test of a module whose file is beside the test's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prosody_py.api.errors import LoadError
from prosody_py.testing.server import TestServer


def server(folder: Path, tests: Path, modules: Iterable[str],
           options: dict[str, Any]) -> TestServer:
    """Start a server whose data is in `folder`, with modules from around the folder `tests`.

    A relative path in `plugin_paths` begins in `tests`.
    """
    given = options.get("plugin_paths", ())
    paths = [given] if isinstance(given, str | os.PathLike) else given
    options["plugin_paths"] = [*(str(tests / path) for path in paths), str(tests),
                               str(tests.parent)]
    return TestServer(str(folder), list(modules), **options)


def problem_of(running: TestServer, modules: Iterable[str]) -> str | None:
    """Return why one of the modules is not loaded on any host, None when all are."""
    loader = running.server.modules
    for name in modules:
        if any(loader.is_loaded(host, name) for host in ("*", *running.server.hosts)):
            continue
        try:
            loader.load(next(iter(running.server.hosts)), name)
        except LoadError as error:
            return str(error)
    return None
