"""Run shell commands from a file or a pipe, one a line."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable

from prosody_py.app.shell.client import AdminClient, CommandFailed
from prosody_py.app.shell.table import as_text


def run_lines(client: AdminClient, lines: Iterable[str]) -> int:
    """Run every line; return 1 when one has failed, else 0. A # begins a comment."""
    code = 0
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
            text = as_text(client.run(words)) if words else ""
        except (CommandFailed, ValueError) as error:
            print(f"{line.strip()}: {error}", file=sys.stderr)
            code = 1
            continue
        if text:
            print(text)
    return code
