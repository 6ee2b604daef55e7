"""The executions that wait for their next step, and the ids that clients know them by.

An id is a random part and a signature over it, the account and the node. So an id of an execution
that is over is told from one that was never given out without remembering either.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from prosody_py.api.adhoc import bad

SWEEP = 60  # seconds between two looks for what has waited too long


@dataclass
class Execution:
    """One command under way: what its handler has returned, and what the client may do next."""

    id: str
    who: str
    node: str
    state: Any = None
    actions: frozenset[str] = frozenset()
    default: str = "complete"
    last: float = field(default_factory=time.monotonic)


class Executions:
    """All executions of a host that wait, those that have waited longest first."""

    def __init__(self, module):
        self.module = module
        self.waiting: OrderedDict[str, Execution] = OrderedDict()
        self.of: dict[str, list[str]] = {}  # ids by account, the oldest first
        self.sweeping = False
        self._key = module.server.secret(f"adhoc {module.host}")

    def new_id(self, who: str, node: str) -> str:
        """Return an id for a new execution."""
        nonce = secrets.token_urlsafe(12)
        return f"{nonce}.{self._sign(nonce, who, node)}"

    def _sign(self, nonce: str, who: str, node: str) -> str:
        text = "\0".join((nonce, who, node)).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, "sha256").hexdigest()[:24]

    def find(self, id: str, who: str, node: str) -> Execution:
        """Return an execution; raises StanzaError: bad-sessionid, session-expired."""
        nonce, _dot, signature = id.rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"),
                                   self._sign(nonce, who, node).encode()):
            raise bad("bad-sessionid", "There is no such session")
        self.sweep()
        found = self.waiting.get(id)
        if found is None:
            raise bad("session-expired", "This session is over", "not-allowed")
        return found

    def keep(self, execution: Execution) -> None:
        """Let an execution wait for its next step; what is too much is given up."""
        self.drop(execution.id)
        execution.last = time.monotonic()
        self.waiting[execution.id] = execution
        own = self.of.setdefault(execution.who, [])
        own.append(execution.id)
        options = self.module.options
        if len(own) > options.adhoc_max_sessions_per_user:
            self.drop(own[0])
        if len(self.waiting) > options.adhoc_max_sessions:
            self.drop(next(iter(self.waiting)))
        if not self.sweeping:
            self.sweeping = True
            self.module.add_timer(min(SWEEP, options.adhoc_session_timeout), self._sweep_again)

    def drop(self, id: str) -> None:
        """Forget an execution."""
        found = self.waiting.pop(id, None)
        if found is not None:
            own = self.of[found.who]
            own.remove(id)
            if not own:
                del self.of[found.who]

    def sweep(self) -> None:
        """Forget what has waited too long."""
        oldest = time.monotonic() - self.module.options.adhoc_session_timeout
        while self.waiting and next(iter(self.waiting.values())).last < oldest:
            self.drop(next(iter(self.waiting)))

    def _sweep_again(self, _now: float) -> float | None:
        self.sweep()
        self.sweeping = bool(self.waiting)
        return min(SWEEP, self.module.options.adhoc_session_timeout) if self.sweeping else None

    def take_over(self, waiting: OrderedDict[str, Execution]) -> None:
        """Go on with the executions of the instance before this one."""
        for old in waiting.values():
            last = old.last
            # Its class is of code that is gone with the old instance.
            self.keep(Execution(old.id, old.who, old.node, old.state, old.actions, old.default))
            self.waiting[old.id].last = last
