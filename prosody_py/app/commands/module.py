"""`prosody-py module`: modules of the running server, and tools for those who write them."""

from __future__ import annotations

import argparse

from prosody_py.app.commands.shell import tell

_DESCRIPTION = """\
Lists, loads, unloads and reloads modules of the running server; reads modules without running
them; writes a new module, and what an editor needs to know.

  prosody-py module list
  prosody-py module reload roster            on every host that has it
  prosody-py module load ping --host example.com
  prosody-py module new hello --python       a module to start from, with its test
  prosody-py module scan ~/prosody-modules   what Lua modules need, and whether it is here
  prosody-py module annotations plugins      let an editor complete and check Lua modules
  prosody-py module command lastlog2 a@b.c   what a module offers for the command line

What is loaded or unloaded here lasts until the server stops; modules_enabled in the configuration
says what it starts with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command and its subcommands."""
    parser.description = _DESCRIPTION
    commands = parser.add_subparsers(metavar="ACTION", required=True, dest="action",
                                     parser_class=argparse.ArgumentParser)
    listing = commands.add_parser("list", help="list the loaded modules")
    listing.add_argument("--host", help="only those of this host")
    listing.add_argument("--json", action="store_true", help="print the list as JSON")
    for name, text in (("load", "load a module on one host, or on all"),
                       ("unload", "unload a module from one host, or from everywhere"),
                       ("reload", "put a fresh instance in service, without a gap")):
        action = commands.add_parser(name, help=text)
        action.add_argument("name", metavar="NAME", help="the module, without mod_")
        action.add_argument("--host", help="only on this host")
    command = commands.add_parser("command", help="run what a module offers for the command line")
    command.add_argument("name", metavar="NAME", help="the module, without mod_")
    command.add_argument("words", metavar="WORD", nargs=argparse.REMAINDER,
                         help="the words for the module")
    new = commands.add_parser("new", help="write a module with an option, a hook, an iq handler "
                              "and a test")
    new.add_argument("name", metavar="NAME", help="small letters, digits and _, such as hello")
    language = new.add_mutually_exclusive_group()
    language.add_argument("--python", dest="language", action="store_const", const="python",
                          default="python", help="write it in Python (the default)")
    language.add_argument("--lua", dest="language", action="store_const", const="lua",
                          help="write it in Lua")
    new.add_argument("--folder", default=".", help="where to write the files (default: here)")
    _add_reading(commands)


def _add_reading(commands) -> None:
    scan = commands.add_parser("scan", help="say what Lua modules need and whether it is here, "
                               "without running them; exit code 2 when one of them will not load")
    scan.add_argument("paths", metavar="PATH", nargs="+",
                      help="a file, the folder of a module, or a folder of modules")
    scan.add_argument("--short", action="store_true", help="only one line for each module")
    scan.add_argument("--json", action="store_true", help="print everything as JSON")
    annotations = commands.add_parser("annotations", help="write what editors with the Lua "
                                      "language server (LuaLS) need to complete and check modules")
    annotations.add_argument("folder", metavar="FOLDER", nargs="?", default=".",
                             help="the folder of your modules (default: this one)")


def run(args: argparse.Namespace) -> int:
    """Do what is asked; return the exit code."""
    if args.action == "scan":
        return _scan(args)
    if args.action == "annotations":
        from prosody_py.app.annotations.files import write as annotate
        from prosody_py.app.places import optional_config
        changed = annotate(args.folder, optional_config(args.config))
        print(f"wrote {len(changed)} files" if changed else "nothing has changed")
        return 0
    if args.action == "new":
        from prosody_py.app.skeleton import write
        for path in write(args.name, args.language, args.folder):
            print(f"wrote {path}")
        print(f"Run its test with 'pytest {args.folder}'. To use the module, add the folder to "
              f"plugin_paths and {args.name} to modules_enabled.")
        return 0
    if args.action == "command":
        from prosody_py.app.module_command import run_command
        from prosody_py.app.places import config_file
        from prosody_py.config.load import load
        return run_command(load(config_file(args.config)), args.name, args.words)
    words = ["module", args.action, *([args.name] if args.action != "list" else [])]
    own = ["--json"] if args.action == "list" and args.json else []
    return tell(args, *own, *words, *([args.host] if args.host else []))


def _scan(args: argparse.Namespace) -> int:
    import json

    from prosody_py.app.places import optional_config
    from prosody_py.app.scan.report import as_data, as_lines
    from prosody_py.app.scan.survey import survey
    from prosody_py.app.scan.verdict import FAILS
    found = survey(args.paths, optional_config(args.config))
    if args.json:
        print(json.dumps(as_data(found), indent=2))
    else:
        print(*as_lines(found, args.short), sep="\n")
    return 2 if any(one.result == FAILS for one in found.verdicts) else 0
