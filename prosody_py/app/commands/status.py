"""`prosody-py status`: does the server run, and how?"""

from __future__ import annotations

import argparse
import json

from prosody_py.app.places import config_file, running
from prosody_py.app.process import running_pid
from prosody_py.app.shell.client import AdminClient, NotRunning, Unreachable
from prosody_py.app.shell.table import as_text

_DESCRIPTION = """\
Says whether the server runs: version, uptime, hosts, ports, connections, and modules that have
had errors. Exit code: 0 it runs, 1 it does not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("--json", action="store_true", help="print a list of [what, value] pairs")


def run(args: argparse.Namespace) -> int:
    """Print the status; return the exit code."""
    path, pidfile = running(config_file(args.config))
    try:
        client = AdminClient(path)
    except NotRunning as error:
        pid = running_pid(pidfile)
        if pid is None:
            print(error)
            return 1
        print(f"The server runs as process {pid}, but does not answer at {path}; is the module "
              "admin_shell disabled?")
        return 0
    except Unreachable as error:
        print(error)
        return 1
    answer = client.run(["server", "status"])
    client.close()
    print(json.dumps(answer["rows"]) if args.json else as_text(answer))
    return 0
