"""What the commands `watch ...` show while somebody looks: a stream of lines, bounded.

Whatever is watched only puts lines into a queue, which holds the last ones; so nobody who logs or
sends waits for the one who looks. It ends with the time asked for, or when the reader is gone.
"""

from __future__ import annotations

import re
import time
from collections import deque

import gevent

from prosody_py.api.commands import SECRET, CommandError

DEFAULT_SECONDS, MOST_SECONDS = 60, 3600
_KEPT = 1000   # lines that wait for the reader; older ones are dropped
_LOOK = 0.1    # seconds between two looks
_LONGEST = 10_000  # characters of a line

_SECRETS = (
    # Elements with secrets in them: passwords, and what SASL says (RFC 6120, XEP-0388, XEP-0484).
    re.compile(r"(<(password|auth|response|challenge|success|initial-response|additional-data)"
               r"\b[^>]*>)[^<]+(?=</\2>)"),
    # Fields of data forms.
    re.compile(r"(<field\b(?=[^>]*(?:password|secret|token|text-private))[^>]*>(?:(?!</field>).)*?"
               r"<value>)[^<]+(?=</value>)", re.DOTALL),
    re.compile(r"(<(?:token|secret)\b[^>]*>)[^<]+"),
    re.compile(r"(\b(?:token|secret|password)=)(?:'[^']*'|\"[^\"]*\")"),
)


def without_secrets(text: str) -> str:
    """Return XML with its passwords and the like taken out."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: found[1] + SECRET, text)
    return text


class Watch:
    """A queue of lines and its reader; `add` never waits and may be called from any thread."""

    def __init__(self, call, seconds: int | None):
        self.call = call
        self.lines: deque[str] = deque(maxlen=_KEPT)
        self.added = 0
        if seconds is not None and not 1 <= seconds <= MOST_SECONDS:
            raise CommandError(f"seconds: from 1 to {MOST_SECONDS}")
        self.seconds = seconds or DEFAULT_SECONDS

    def add(self, line: str) -> None:
        """Show a line, once the reader comes to it."""
        self.added += 1
        self.lines.append(line if len(line) <= _LONGEST else line[:_LONGEST] + " ...")

    def show(self) -> str:
        """Show lines until the end, after one that says how long; return how many there were."""
        self.call.print(f"Looking on for {self.seconds} seconds; Ctrl-C ends it")
        shown, end = 0, time.monotonic() + self.seconds
        while time.monotonic() < end and self.call.is_read():
            while self.lines:
                shown += 1
                if not self.call.print(self.lines.popleft()):
                    return ""
            gevent.sleep(_LOOK)
        dropped = self.added - shown - len(self.lines)
        return f"{shown} lines in {self.seconds} seconds" + (
            f"; {dropped} more came too fast to be shown" if dropped > 0 else "")
