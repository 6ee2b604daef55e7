"""`prosody-py reload`: make the running server read its configuration anew."""

from __future__ import annotations

import argparse
import os
import signal

from prosody_py.app.commands.shell import tell
from prosody_py.app.places import config_file, running
from prosody_py.app.process import running_pid
from prosody_py.app.shell.client import NotRunning

_DESCRIPTION = """\
Makes the running server read its configuration anew, and prints what that changed. Clients stay
connected. A configuration with mistakes changes nothing; they are printed. Certificates and log
files are opened anew, too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.description = _DESCRIPTION


def run(args: argparse.Namespace) -> int:
    """Reload; return the exit code."""
    try:
        return tell(args, "config", "reload")
    except NotRunning:
        pid = running_pid(running(config_file(args.config))[1])
        if pid is None:
            raise
    os.kill(pid, signal.SIGHUP)
    print(f"Asked process {pid} to reload (SIGHUP); its log says what came of it")
    return 0
