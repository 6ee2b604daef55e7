"""`prosody-py lua`: run Lua as if it were a module."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

from prosody_py.app.errors import CommandError
from prosody_py.app.places import optional_config

_DESCRIPTION = """\
Runs Lua with what a module has: 'module', 'prosody', and the libraries (util.stanza and the
like). The configured hosts are there with their accounts and stores; no port is opened, and no
other module is loaded. With --host the code is a module of that host, with its stores and options;
without, it is a module of the server as a whole.

  prosody-py lua FILE                                    run a file
  prosody-py lua -e 'require "util.jid".split("a@b/c")'  run a line, and print what it gives
  prosody-py lua --host example.com                      ask for lines

What is asked for may go over several lines, and its values are printed, stanzas as XML. Local
variables end with their line; a name without 'local' stays. Tab completes names, libraries and
events. Lines may also come from a pipe."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    what = parser.add_mutually_exclusive_group()
    what.add_argument("file", metavar="FILE", nargs="?", help="the Lua file")
    what.add_argument("-e", "--execute", metavar="CODE", help="run this code")
    parser.add_argument("--host", help="a host of the configuration")


def run(args: argparse.Namespace) -> int:
    """Run the code; return the exit code."""
    from prosody_py.config.load import load_mapping

    if args.file is not None and not os.path.isfile(args.file):
        raise CommandError(f"There is no file {args.file}")
    config = optional_config(args.config)
    if config is not None:
        return _run(args, config)
    with tempfile.TemporaryDirectory() as folder:
        return _run(args, load_mapping({"storage": "memory", "data_path": folder},
                                       os.path.join(os.getcwd(), "none")))


def _run(args: argparse.Namespace, config) -> int:
    from prosody_py.app.lua_prompt.place import open_place
    from prosody_py.app.lua_prompt.reading import run_lines

    path = os.path.abspath(args.file or "prompt")
    name = os.path.splitext(os.path.basename(path))[0].removeprefix("mod_")
    with open_place(config, name, args.host, path) as place:
        if args.file is not None:
            with open(path, "rb") as file:
                place.run(file.read(), path)
        elif args.execute is not None:
            return run_lines(place, [args.execute + "\n"])
        elif sys.stdin.isatty():
            # Importing readline prints to what is not a terminal, so it waits until now.
            from prosody_py.app.lua_prompt.terminal import talk
            talk(place)
        else:
            return run_lines(place, sys.stdin)
    return 0
