"""`prosody-py run`: start the server and stay in the foreground."""

from __future__ import annotations

import argparse

from prosody_py.app.checks.mistakes import mistakes
from prosody_py.app.checks.modules import look
from prosody_py.app.places import config_file
from prosody_py.app.run import serve
from prosody_py.config.check import check
from prosody_py.config.load import load
from prosody_py.config.problems import ConfigError

_DESCRIPTION = """\
Starts the server and stays in the foreground; the log says where it listens and when it is ready.

  Ctrl-C, SIGTERM   stop: clients are told, everything is written (a second one ends at once)
  SIGHUP            read the configuration anew, as 'prosody-py reload' does

Refuses to run as root unless 'run_as_root: true' is set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION


def run(args: argparse.Namespace) -> int:
    """Serve; return the exit code."""
    config = load(config_file(args.config))
    known = look(config)
    wrong = mistakes(config, known)
    if wrong:
        raise ConfigError(wrong)
    return serve(config, [str(problem) for problem in check(config, known.schema)])
