"""What is kept of one session: its queue, and when it is asked for acknowledgements.

`Tracker.keep` sees each text that a session sends. It asks with an <r/> that goes out behind
everything else of the same turn of the loop, never while the answer to another one is awaited. An
answer that stays out for `smacks_max_ack_delay` fires `smacks-ack-delayed`: one timer for all
sessions looks at the one that waits longest.
"""

from __future__ import annotations

import secrets
from time import monotonic, time

from gevent import get_hub
from gevent.lock import BoundedSemaphore

from prosody_py.api import Event, ns, stanza
from prosody_py.concurrency import workers
from prosody_py.events import filters
from prosody_py.sessions.incoming import count_stanza
from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.smqueue import MASK, OutgoingQueue
from prosody_py.xmpp.writer import serialize

from . import promises

STANZAS = tuple(b"<" + name + end for end in (b" ", b">", b"/")
                for name in (b"message", b"presence", b"iq"))
TOLERANCE = 2    # a client may leave so many times what the options allow unacknowledged


def soon(function, *args) -> None:
    """Call `function(*args)` in a worker, as soon as nothing else runs: it may block."""
    get_hub().loop.run_callback(workers.run, function, *args)


def new_queue(module, acked: int = 0) -> OutgoingQueue:
    """Return an empty queue of the size that the options allow."""
    options = module.options
    return OutgoingQueue(options.smacks_max_queue_size, acked, options.smacks_max_queue_bytes)


class Tracker:
    """Stream management of one session; `session.extras["smacks_tracker"]`."""

    def __init__(self, module, session, xmlns: str, queue: OutgoingQueue | None = None):
        self.module, self.session, self.xmlns = module, session, xmlns
        self.queue = queue or new_queue(module)
        self.lock = BoundedSemaphore()  # held while the session is being resumed
        self.token: str | None = None   # what it can be resumed by
        self.patience = 0.0             # seconds that it waits for its client
        self.watchdog = None            # what ends it then
        self.awaiting = False           # an <r/> is on its way
        self.delayed = False            # and nothing has come for long
        self.inactive = False           # nobody looks at the client (XEP-0352)
        self.suspended = False          # nothing is written: there is no peer to read it
        self.journaled: dict[int, str] = {}  # number of a message -> its key in the journal
        self.serial = 0                 # of the last such key
        self.stored = False             # the journal knows the session
        self.own_name: str | None = None
        self.looked = queue.head if queue is not None else 0  # see promises
        self.reached: dict[Tracker, None] = {}                # the same

    @property
    def name(self) -> str:
        """What the session is called in the journal; not all can be resumed by it."""
        if self.token is not None:
            return self.token
        if self.own_name is None:
            self.own_name = secrets.token_urlsafe(18)
        return self.own_name

    def begin(self) -> None:
        """Look at what the session sends and count what it gets."""
        session = self.session
        session.extras["smacks_tracker"] = self
        session.extras["outgoing_stanza_queue"] = self.queue
        session.keep = self.keep
        self.count()

    def count(self) -> None:
        """Have stanzas of the client counted, with a filter where the session cannot do it."""
        if hasattr(self.session, "finish_work"):
            self.session.counting = True
        else:
            filters.add_filter(self.session, "stanzas/in", count_stanza, 999)

    def end(self) -> None:
        """Leave the session alone."""
        session = self.session
        self.module.awaiting.pop(self, None)
        self.module.journal.reached.pop(self, None)
        if session.conn is not None:
            session.conn.write_last(None)
        filters.remove_filter(session, "stanzas/in", count_stanza)
        for name in ("keep", "counting", "handled_stanza_count", "smacks", "smacks_tracker",
                     "outgoing_stanza_queue", "awaiting_ack", "resumption_token",
                     "hibernating", "hibernating_watchdog"):
            session.extras.pop(name, None)

    # -- out -------------------------------------------------------------------------------

    def keep(self, text: bytes) -> bool | None:
        """Queue a stanza; see Session.send for the result."""
        if not text.startswith(STANZAS):
            return None
        if self.queue.push(time(), text):
            self.overflow()
        if self.suspended:
            self.queued(text)
            return False
        if text.startswith(b"<message"):
            promises.reach(self, text)
        if not self.awaiting:
            self.ask_behind(text)
        elif self.delayed:
            self.delayed = False
            self.module.awaiting.add(self)
        return True

    keep.never_blocks = True

    def ask_behind(self, text: bytes) -> None:
        """Ask for an acknowledgement if enough is unacknowledged, behind what is queued."""
        options = self.module.options
        limit = options.smacks_max_unacked_stanzas
        if self.inactive and not text.startswith(b"<message"):
            limit = max(limit, options.smacks_max_inactive_unacked_stanzas)
        conn = self.session.conn
        if conn is not None and self.queue.head - self.queue.tail > limit:
            conn.write_last(self.request())

    def ask_now(self, force: bool = False) -> None:
        """Ask at once unless an answer is awaited; `force`: even if there is little to ask for."""
        limit = 0 if force else self.module.options.smacks_max_unacked_stanzas
        if (not self.awaiting and not self.suspended and self.session.conn is not None
                and (force or self.queue.count_unacked() > limit)):
            self.session.conn.write(self.request())

    def request(self) -> bytes:
        """Note that an answer is awaited; return the <r/>."""
        session = self.session
        self.awaiting = session.awaiting_ack = True
        self.module.awaiting.add(self)
        text = f"<r xmlns='{self.xmlns}'/>".encode()
        return text if session.filters is None else filters.run(session, "bytes/out", text)

    def overflow(self) -> None:
        """Make room in the queue, or end a session that does not acknowledge at all."""
        queue = self.queue
        if queue.thin(drop=not self.suspended):
            return
        if self.suspended:
            soon(self.module.end_hibernation, self.session, "the queue is full")
        elif queue.exceeds(TOLERANCE):
            soon(self.session.close, "policy-violation", "Too much is not acknowledged")

    def renumber(self) -> None:
        """Give what is queued the numbers by which the client will count it."""
        changed = self.queue.renumber()
        self.journaled = {changed.get(number, number): key
                          for number, key in self.journaled.items()}
        self.looked = self.queue.head  # all of it was put down when the session began to wait

    def queued(self, text: bytes) -> None:
        """Something is kept for a client that is not there."""
        number, when, _text = self.queue.entries[-1]
        if self.stored:
            self.module.journal.add(self, number, when, text)
        if "smacks-hibernation-stanza-queued" in self.module.events.index:
            soon(self.tell_queued, text)

    def tell_queued(self, text: bytes) -> None:
        """Tell other modules what was queued."""
        self.module.fire_event("smacks-hibernation-stanza-queued", Event(
            origin=self.session, queue=self.queue.table(), stanza=parse_fragment(text)))

    # -- in --------------------------------------------------------------------------------

    def acknowledged(self, h: int) -> None:
        """The peer has handled `h` stanzas; raises ValueError for more than were sent."""
        acked = self.queue.ack(h)
        self.awaiting = self.delayed = False
        self.session.awaiting_ack = None
        self.module.awaiting.pop(self, None)
        if self.journaled:
            self.module.journal.forget(self, [entry[0] for entry in acked])
        if "delivery/success" in self.module.events.index:
            for _number, _when, text in acked:
                self.module.fire_event("delivery/success", Event(
                    session=self.session, stanza=parse_fragment(text)))

    def too_high(self, h: int) -> bytes:
        """Return the stream error for an acknowledgement of what was not sent (section 6)."""
        sent = self.queue.head & MASK
        error = stanza.stanza("stream:error").tag(
            "undefined-condition", xmlns=ns.STREAM_ERRORS).up()
        error.text_tag("text", f"You acknowledged {h} stanzas, but I only sent you {sent} so far.",
                       {"xmlns": ns.STREAM_ERRORS})
        error.tag("handled-count-too-high", {"xmlns": self.xmlns, "h": str(h),
                                             "send-count": str(sent)}).up()
        return serialize(error).encode()

    def ack_delayed(self) -> None:
        """An answer stays out."""
        self.delayed = True
        session = self.session
        if session.extras.get("smacks_silent") and session.conn is not None:
            session.log.debug("No answer to <r/>: the connection is given up")
            session.conn.destroy("no acknowledgement")
            return
        if "smacks-ack-delayed" in self.module.events.index:
            queue = self.queue.table()
            self.module.fire_event("smacks-ack-delayed", Event(
                origin=session, queue=queue, stanza=queue[-1] if queue else None))


class Awaiting:
    """The trackers that await an answer, the one that waits longest first."""

    def __init__(self, module):
        self.module, self.since, self.running = module, {}, False

    def add(self, tracker: Tracker) -> None:
        """Note that a tracker has asked."""
        self.since.pop(tracker, None)
        self.since[tracker] = monotonic()
        delay = self.module.options.smacks_max_ack_delay
        if not self.running and delay > 0:
            self.running = True
            self.module.add_timer(delay, self.look)

    def pop(self, tracker: Tracker, default=None) -> None:
        """Forget a tracker that has got an answer."""
        self.since.pop(tracker, default)

    def look(self, _now: float) -> float | None:
        """Deal with those who have waited too long; return when to look again."""
        delay = self.module.options.smacks_max_ack_delay
        while self.since:
            tracker, since = next(iter(self.since.items()))
            left = since + delay - monotonic()
            if left > 0:
                return left
            del self.since[tracker]
            tracker.ack_delayed()
        self.running = False
        return None
