"""`prosody-py check`: find mistakes without network, data or rights, and change nothing."""

from __future__ import annotations

import argparse
import os

from prosody_py.app.checks import certificates
from prosody_py.app.checks.folders import folders
from prosody_py.app.checks.mistakes import mistakes
from prosody_py.app.checks.modules import KnownModules, look
from prosody_py.app.places import config_file
from prosody_py.config.check import check as check_options
from prosody_py.config.config import Config
from prosody_py.config.load import load
from prosody_py.config.problems import ERROR, ConfigError, Problem

_DESCRIPTION = """\
Looks for mistakes in the configuration. Nothing is started or written, and no rights are needed
beyond reading the files.

  config   names, places and values of options
  modules  whether each module's file is there and can be read
  certs    which certificate each host uses, and when it expires
  all      everything (the default)

Each problem is one line, 'file:line: error|warning: text', and often a line with a hint.
Exit code: 0 no errors (there may be warnings), 2 errors."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("what", nargs="?", default="all", metavar="WHAT",
                        choices=("config", "modules", "certs", "all"),
                        help="config, modules, certs or all")


def run(args: argparse.Namespace) -> int:
    """Check and print; return the exit code."""
    file = config_file(args.config)
    try:
        config = load(file)
    except ConfigError as error:
        return _report(error.problems, file)
    problems: list[Problem] = []
    if args.what != "certs":
        problems += of_options_and_modules(config, args.what)
    if args.what in ("certs", "all"):
        found, lines = certificates.check(config)
        problems += found
        if args.what == "certs":
            print(*lines, sep="\n")
    return _report(problems, file)


def of_options_and_modules(config: Config, what: str = "all") -> list[Problem]:
    """Return what is wrong with options ("config"), modules ("modules") or both ("all")."""
    known: KnownModules = look(config)
    problems = [] if what == "modules" else [
        *check_options(config, known.schema, find_reader=known.reader_of),
        *mistakes(config, known)]
    if what != "config":
        problems += [*known.missing, *known.problems]
    if what == "all":
        problems += folders(config)
    files = {file: index for index, file in enumerate(config.files)}
    once = {(one.file, one.line, one.column, one.message): one for one in reversed(problems)}
    return sorted(reversed(once.values()),
                  key=lambda one: (files.get(one.file, len(files)), one.file, one.line))


def _report(problems: list[Problem], file: str) -> int:
    """Print the problems and a summary; return the exit code."""
    for problem in problems:
        print(as_text(problem))
    errors = sum(problem.severity == ERROR for problem in problems)
    warnings = len(problems) - errors
    if problems:
        print(f"{file}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    else:
        print(f"{file}: no problems found")
    return 2 if errors else 0


def as_text(problem: Problem) -> str:
    """Return a problem in the form that editors understand, with its hint below."""
    file = os.path.relpath(problem.file) if os.path.isabs(problem.file) else problem.file
    shown = problem.file if file.startswith("..") else file
    hint = f"\n    {problem.hint}" if problem.hint else ""
    line = f":{problem.line}" if problem.line else ""  # none: the file as a whole
    return f"{shown}{line}: {problem.severity}: {problem.message}{hint}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
