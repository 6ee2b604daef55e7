"""`prosody-py lua`: run a Lua file as if it were a module."""

from __future__ import annotations

import argparse
import os

from prosody_py.app.errors import CommandError
from prosody_py.app.places import config_file

_DESCRIPTION = """\
Runs a Lua file with what a module has: 'module', 'prosody', and the libraries (util.stanza and
the like). No port is opened. With --host the file is a module of that host, with its stores and
options; without, it is a module of the server as a whole."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("file", metavar="FILE", help="the Lua file")
    parser.add_argument("--host", help="a host of the configuration")


def run(args: argparse.Namespace) -> int:
    """Run the file; return the exit code."""
    from prosody_py.app.script import run_file
    from prosody_py.config.load import load, load_mapping

    if not os.path.isfile(args.file):
        raise CommandError(f"There is no file {args.file}")
    path = config_file(args.config)
    config = load(path) if args.config or os.path.exists(path) else load_mapping(
        {"storage": "memory"}, os.path.join(os.getcwd(), "none"))
    run_file(config, args.file, args.host)
    return 0
