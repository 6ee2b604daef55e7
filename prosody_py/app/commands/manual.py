"""`prosody-py manual`: write the manual that the code describes."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Writes the pages of the manual that are made from the code: options, modules, events, commands and
the module API, and which XMPP extensions there are. In a checkout they belong into docs, which is
the default.

  prosody-py manual            write them
  prosody-py manual --check    change nothing; exit code 1 when they are out of date"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="where the pages are")
    parser.add_argument("--check", action="store_true",
                        help="only say which pages are out of date")


def run(args: argparse.Namespace) -> int:
    """Write or compare; return the exit code."""
    from prosody_py.app.manual import pages
    folder = args.folder or pages.default_folder()
    if not args.check:
        for path in pages.write(folder):
            print(f"wrote {path}")
        return 0
    outdated = pages.outdated(folder)
    for name in outdated:
        print(f"{folder}/{name} is out of date; 'prosody-py manual' writes it anew")
    return 1 if outdated else 0
