"""What a client has to do after it has proved who it is (XEP-0388 section 2.5.3)."""

from __future__ import annotations

from prosody_py.xmpp.sasl import SaslError


class Tasks:
    """What an attempt still has to go through: (names, start) for each step.

    `start(name, element)` begins the task that the client has chosen with an element <next/>, and
    returns a generator: it yields what the client is told in <task-data/> and is sent what the
    client answers in one, raises SaslError, and at its end returns what goes into the success.
    """

    def __init__(self, steps: list):
        self.steps = list(steps)
        self.running = None
        self.results: list = []

    def take(self, element):
        """Take what the client says; return what to tell it, None when the task is done."""
        try:
            if self.running is not None:
                return self.running.send(element)
            names, start = self.steps[0]
            name = element.attr.get("task", "")
            if name not in names:
                raise SaslError("malformed-request", "This task is not asked for.")
            self.running = start(name, element)
            return next(self.running)
        except StopIteration as end:
            self.results += end.value or ()
            self.running = None
            del self.steps[0]
            return None
