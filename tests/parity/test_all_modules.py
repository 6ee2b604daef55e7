"""Every module of Debian's packages, unmodified: which ones load, and why the others do not.

The result is docs/lua-modules.md. A module that the page says loads has to load, and the page has
to say what is found. `PROSODY_PY_WRITE_PAGES=1` writes it anew.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import pytest
import yaml

from prosody_py.api.errors import LoadError
from prosody_py.app import run, startup
from prosody_py.config.load import load
from prosody_py.loader.find import available
from prosody_py.loader.replaced import REPLACED
from prosody_py.lua.runtime import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "lua-modules.md"
LEAST = yaml.safe_load((Path(__file__).parent / "least_configuration.yaml").read_text())
HOST, COMPONENT = "localhost", "part.localhost"
AUTOLOADED = ("presence", "message", "iq", "offline")  # and c2s, which others need
TIME_LIMIT = 20  # seconds for one module
SETS = (("prosody-modules", "Community modules"), ("prosody", "Modules that come with Prosody"))
ROW = re.compile(r"\| `(?P<name>\w+)` \| (?P<loads>\w+) \|")


@dataclass
class Result:
    """What became of one module."""

    name: str
    loads: str                       # "yes", "no" or "replaced"
    reason: str = ""
    needs: list[str] = field(default_factory=list)


class Errors(logging.Handler):
    """Keeps what is logged as an error, but for the text that is expected."""

    def __init__(self, expected: str | None):
        super().__init__(logging.ERROR)
        self.expected = expected
        self.texts: list[str] = []

    def emit(self, record):
        text = record.getMessage()
        if self.expected is None or self.expected not in text:
            self.texts.append(text)


def configuration(name: str, kind: str, folders: dict[str, str], dovecot: str) -> dict:
    """Return the least configuration of one module, with both packages in `plugin_paths`."""
    least = LEAST.get(name, {})
    paths = [path for package, path in folders.items() if package != least.get("without")]
    if "folder" in least:
        paths.append(f"{folders['prosody-modules']}/{least['folder']}")
    given = {option: dovecot if value == "DOVECOT" else value
             for option, value in least.get("options", {}).items()}
    modules = [*least.get("beside", ()), name]
    options = {
        "storage": "memory", "lua_runtime": kind, "plugin_paths": paths,
        "modules_disabled": [other for other in AUTOLOADED if other != name],
        "hosts": {HOST: {}}, **given,
    }
    if "component" not in least:
        return {**options, "modules_enabled": modules}
    part = least["component"]
    return {**options, "components": {COMPONENT: {
        "module": part, "modules_enabled": [other for other in modules if other != part]}}}


def load_one(name: str, kind: str, folders: dict[str, str], dovecot: str,
             folder: Path) -> Result:
    """Start a server for one module, as far as its ports; return what became of the module."""
    folder.mkdir()
    file = folder / "prosody.cfg.yaml"
    file.write_text(yaml.safe_dump(configuration(name, kind, folders, dovecot)))
    errors = Errors(LEAST.get(name, {}).get("logs"))
    logging.getLogger().addHandler(errors)
    server = startup.assemble(load(str(file)))
    server.shutdown = lambda reason=None, code=0: None
    try:
        with gevent.Timeout(TIME_LIMIT):
            return watch(server, name, errors)
    except LoadError as error:
        return failed(name, str(error))
    finally:
        logging.getLogger().removeHandler(errors)
        run.stop(server, "end of the test")


def watch(server, name: str, errors: Errors) -> Result:
    """Activate the hosts and say that the server has started; raises LoadError."""
    startup.activate_hosts(server)
    host = COMPONENT if COMPONENT in server.hosts else HOST
    modules = server.modules
    if modules.get_module(host, name) is None and modules.get_module("*", name) is None:
        modules.load(host, name)  # again, for the error
    module = modules.get_module(host, name) or modules.get_module("*", name)
    if module.code.language != "lua":
        return Result(name, "replaced", REPLACED[name])
    server.mark_started()
    gevent.sleep(0)
    if errors.texts:
        return failed(name, errors.texts[0])
    return Result(name, "yes", "", needs_of(name, module))


def failed(name: str, text: str) -> Result:
    """Return the result of a module that does not load."""
    note = LEAST.get(name, {}).get("note")
    return Result(name, "no", explain(text) + (f"; {note}" if note else ""), needs_of(name))


def needs_of(name: str, module=None) -> list[str]:
    """Return what a module needs in the configuration, and which modules it brings along."""
    least = LEAST.get(name, {})
    needs = []
    if "component" in least:
        part = least["component"]
        needs.append("to be a component" if part == name else f"a component of `{part}`")
    if "folder" in least:
        needs.append(f"its folder `{least['folder']}` in `plugin_paths`")
    needs += [f"`{option}`" for option in least.get("options", ())]
    needs += [f"mod_{other}" for other in least.get("beside", ())]
    if module is not None:
        for other, depended in sorted(module.dependencies.items()):
            ours = "" if depended.code.language == "lua" else " (ours)"
            needs.append(f"mod_{other}{ours}")
    if "needs" in least:
        needs.append(least["needs"])
    return list(dict.fromkeys(needs))


def explain(text: str) -> str:
    """Return the reason in one line that is the same on every machine."""
    if found := re.search(r"library '([\w.-]+)' is not provided", text):
        return f"needs the library {found[1]}, which is not provided"
    if found := re.search(r"There is no module mod_(\w+)", text):
        return f"needs mod_{found[1]}, which is in neither package"
    line = text.strip().splitlines()[0]
    line = re.sub(r"(mod_\w+) could not be loaded on \S+ ", "", line)
    line = re.sub(r"(?:\.\.\.|/)[^:\s]*/([\w.]+\.lua)", r"\1", line)
    return line.replace("|", "\\|")


@pytest.fixture(scope="module")
def results(debian, dovecot, tmp_path_factory):
    """Return a function that loads all modules on one runtime; each runtime is tried once."""
    known: dict[str, dict[str, list[Result]]] = {}
    folders = {package: str(debian / package / "usr/lib/prosody/modules")
               for package in ("prosody", "prosody-modules")}

    def all_results(kind: str) -> dict[str, list[Result]]:
        if kind not in known:
            place = tmp_path_factory.mktemp(kind)
            known[kind] = {
                package: [load_one(name, kind, folders, dovecot.path, place / f"{package}-{name}")
                          for name in sorted(available_in(debian, package))]
                for package, _title in SETS}
        return known[kind]

    return all_results


def available_in(debian, package: str) -> set[str]:
    """Return the names of a package's modules, also of those that are replaced."""
    folder = str(debian / package / "usr/lib/prosody/modules")
    inside = [f"{folder}/{least['folder']}" for least in LEAST.values() if "folder" in least]
    return {*available([folder, *inside]),
            *(name for name in REPLACED if os.path.isfile(f"{folder}/mod_{name}.lua"))}


def page(results: dict[str, list[Result]]) -> str:
    """Return the text of docs/lua-modules.md."""
    parts = [INTRODUCTION]
    for package, title in SETS:
        rows = results[package]
        counts = {kind: sum(row.loads == kind for row in rows)
                  for kind in ("yes", "replaced", "no")}
        parts.append(f"{title}: of {len(rows)}, {counts['yes']} load, {counts['replaced']} are "
                     f"replaced by parts of this server, and {counts['no']} cannot be loaded.\n")
    for package, title in SETS:
        parts.append(f"## {title}\n\nDebian's package `{package}`.\n\n"
                     "| module | loads | needs | reason |\n| --- | --- | --- | --- |\n"
                     + "".join(f"| `{row.name}` | {row.loads} | {', '.join(row.needs)} "
                               f"| {row.reason} |\n" for row in results[package]))
    return "\n".join(parts)


INTRODUCTION = """\
# Prosody's modules on this server

Which modules that are written for Prosody load here, unmodified. A test loads each of them in a
server of its own, with the least configuration that it needs and with both folders of Debian's
packages in [`plugin_paths`](manual/options.md#plugin_paths), and writes this page.

- *loads*: `yes` when the module loads and nothing is logged as an error; `replaced` when the server
  has this part in itself and passes over the Lua file, so that a configuration that lists the
  module works as it is; `no` with the reason.
- *needs*: what has to be in the configuration besides the module's name, and which other modules it
  brings along. *Ours* are those that come with this server.

How a Prosody installation's modules are used is described in [operators.md](operators.md).
"""


def test_the_page_says_what_is_found(results):
    text = page(results("lua54"))
    if os.environ.get("PROSODY_PY_WRITE_PAGES"):
        PAGE.write_text(text)
    written = {found["name"]: found["loads"] for found in ROW.finditer(PAGE.read_text())}
    now = {found["name"]: found["loads"] for found in ROW.finditer(text)}
    lost = [name for name, loads in written.items() if loads == "yes" and now.get(name) != "yes"]
    assert not lost, "loaded before: " + ", ".join(lost)
    assert PAGE.read_text() == text, "docs/lua-modules.md is out of date, see this file's head"


@pytest.mark.slow
def test_the_same_modules_load_on_the_other_runtime(results):
    loads = [{row.name: row.loads for rows in results(kind).values() for row in rows}
             for kind in KINDS]
    assert loads[0] == loads[1]


def test_no_more_is_replaced_than_has_to_be(debian, results):
    replaced = [row.name for rows in results("lua54").values() for row in rows
                if row.loads == "replaced"]
    assert sorted(replaced) == sorted(REPLACED) and len(REPLACED) <= 9
