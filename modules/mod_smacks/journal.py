"""What must outlive the process: sessions that wait for their client, and messages for them.

The store "smacks_sessions" has, for each user, under a session's token what the session is (see
revival), and under "token/serial" each stanza that waits for it: `{"n": number, "when": ...,
"text": ...}`, and "key" if somebody else had it under that before; while the session waits, of
what comes only messages are added. So has a session whose client is there, for what that has not
acknowledged (promises).
`session.send` must not wait for a disk, so what is to be written is noted and written by greenlets
at once; whoever acknowledges something (an <a/>, a <resumed/>) waits until all that was noted
before is on the disk. So what was acknowledged is durable, and who asks for nothing waits for
nothing. A message leaves the journal when the client has acknowledged it, or when somebody else
has it.

Data and owner: one Journal for the server, in the shared table "/*/smacks/journal", so that it is
the same for all hosts and survives reloads; a client of one host may write to one of another.
"""

from __future__ import annotations

import gevent
from gevent.event import AsyncResult

from prosody_py.storage.interface import REMOVE, StorageError

from . import promises

PATIENCE = 30  # seconds that somebody waits for the disk
PAUSES = (1, 2, 4)  # seconds between attempts to write; after the last one it is given up


class Writer:
    """Writes what is noted for one user, as long as there is something."""

    def __init__(self, journal, username: str):
        self.journal, self.username = journal, username
        self.changes: dict = {}       # noted, and not being written yet
        self.written = AsyncResult()  # whether `changes` came to be on the disk
        self.under_way: AsyncResult | None = None
        self.failing = False

    def note(self, changes: dict) -> None:
        """Add changes to those that are written next."""
        self.changes.update(changes)

    def last(self) -> AsyncResult | None:
        """Return what is set when everything noted up to now is on the disk, or cannot be."""
        return self.written if self.changes else self.under_way

    def run(self) -> None:
        """Write until there is nothing more."""
        while self.changes:
            changes, self.changes = self.changes, {}
            self.under_way, self.written = self.written, AsyncResult()
            for pause in PAUSES:
                if self.attempt(changes):
                    break
                gevent.sleep(pause)
            else:
                if not self.attempt(changes):
                    self.failing = False
                    self.journal.give_up(self.username)
        self.under_way = None

    def attempt(self, changes: dict) -> bool:
        """Write changes; return whether that was possible, and tell those who wait."""
        try:
            self.journal.store.set_keys(self.username, changes)
        except StorageError as error:
            self.failing = True
            self.journal.module.log(
                "error", "What waits for clients of %s cannot be stored, and is not "
                "acknowledged: %s", self.username, error)
            self.under_way.set(False)
            self.under_way = AsyncResult()
            return False
        self.failing = False
        self.under_way.set(True)
        return True


class Journal:
    """One host's part."""

    def __init__(self, module):
        self.module, self.host = module, module.host
        self.store = module.open_store("smacks_sessions", "map")
        self.users = module.open_store("smacks_sessions", "keyval")
        self.writers: dict = module.shared("/*/smacks/journal")  # (host, username) -> Writer
        self.sessions = module.server.full_sessions
        self.reached: dict = module.shared("/*/smacks/reached")  # see promises

    def put(self, username: str, changes: dict) -> None:
        """Note changes, `{key: value or REMOVE}`, and have them written. Never waits."""
        who = (self.host, username)
        writer = self.writers.get(who)
        if writer is None:
            writer = self.writers[who] = Writer(self, username)
            gevent.spawn(self.write, who, writer)
        writer.note(changes)

    def write(self, who: tuple[str, str], writer: Writer) -> None:
        """Let a writer work until it is done."""
        try:
            writer.run()
        finally:
            del self.writers[who]

    def give_up(self, username: str) -> None:
        """End the sessions that wait for a user's clients: they cannot be what they promise.

        What they have goes to the offline store or back to its senders. For those that are
        connected it is tried again when somebody asks.
        """
        user = self.module.host_object.sessions.get(username)
        for session in list(user.sessions.values()) if user is not None else ():
            tracker = session.extras.get("smacks_tracker")
            if tracker is not None and not tracker.suspended:
                tracker.looked, tracker.stored = tracker.queue.tail, False
                self.reached[tracker] = None
            self.module.end_hibernation(session, "it cannot be stored")

    def wait(self, tracker=None) -> bool:
        """Wait until everything that was noted is on the disk; False if it cannot be written.

        `tracker` is that of the session that is to be told; what it has sent is noted first.
        """
        if tracker is not None and tracker.reached:
            promises.work_off(tracker.reached)
        if self.reached:
            promises.work_off(self.reached)
        if not self.writers:
            return True
        writers = list(self.writers.values())
        results = [result for writer in writers if (result := writer.last()) is not None]
        if any(writer.failing for writer in writers):
            return False
        gevent.wait(results, PATIENCE)
        return all(result.ready() and result.value for result in results)

    # -- messages --------------------------------------------------------------------------

    def add(self, tracker, number: int, when: float, text: bytes) -> None:
        """Keep a message for a session whose client is not there."""
        if not text.startswith(b"<message"):
            return
        self.put(tracker.session.username, dict([self.entry(tracker, number, when, text)]))

    def add_connected(self, tracker, entries, keys: dict[bytes, str]) -> None:
        """Keep messages for a session whose client is there and may not get them."""
        changes = {}
        for entry in entries:
            key, value = self.entry(tracker, *entry)
            if entry[2] in keys:
                value["key"] = keys[entry[2]]
            changes[key] = value
        if not tracker.stored:
            tracker.stored = True
            changes[tracker.name] = {"connected": True, "numbers": {}}
        self.put(tracker.session.username, changes)

    @staticmethod
    def entry(tracker, number: int, when: float, text: bytes) -> tuple[str, dict]:
        """Return key and value of a stanza that waits."""
        key = tracker.journaled.get(number)
        if key is None:
            tracker.serial += 1
            key = tracker.journaled[number] = f"{tracker.name}/{tracker.serial}"
        return key, {"n": number, "when": when, "text": text.decode("utf-8", "surrogateescape")}

    def forget(self, tracker, numbers) -> None:
        """Forget messages that are acknowledged."""
        keys = [key for number in numbers
                if (key := tracker.journaled.pop(number, None)) is not None]
        if keys:
            self.put(tracker.session.username, dict.fromkeys(keys, REMOVE))

