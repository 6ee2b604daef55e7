"""The queue of stream management (XEP-0198): what was sent and is not acknowledged.

Pure data: texts with numbers. A stanza has the number that the peer counts it by, from 1; on the
wire numbers are modulo 2^32. An entry is (number, when, text): `when` is the time of sending in
seconds since 1970, `text` the stanza as it was (or is to be) written.

What is queued may be thinned out (`thin`): presence that newer presence of the same sender has
made worthless, and, when that is not enough and the caller says so, the older half of what is no
message. After the former the stream can still be resumed, after the latter only once the peer has
acknowledged what comes behind the hole. The methods that Lua modules call have the names of
Prosody's util.smqueue.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.stanza import Stanza

MASK = 0xFFFFFFFF
Entry = tuple[int, float, bytes]
_presence = re.compile(rb"<presence(?=[ />])[^>]*").match
_from = re.compile(rb" from='([^']*)'").search
_type = re.compile(rb" type='(?!unavailable')").search


class _Elements(Sequence):
    """The stanzas of a queue as it was; each is parsed when somebody asks for it."""

    def __init__(self, entries: Iterable[Entry]):
        self._texts: list[bytes | Stanza] = [text for _number, _when, text in entries]

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        element = self._texts[index]
        if isinstance(element, bytes):
            element = self._texts[index] = parse_fragment(element)
        return element


class OutgoingQueue:
    """What one stream has sent: `head` stanzas in all, of which `tail` are acknowledged."""

    __slots__ = ("size", "most_octets", "octets", "head", "tail", "entries", "_hole", "_thinned")

    def __init__(self, size: int, acked: int = 0, most_octets: int = 10_000_000):
        self.size, self.most_octets = size, most_octets
        self.octets = 0         # of all texts that are queued
        self.head = self.tail = acked
        self.entries: deque[Entry] = deque()
        self._hole = 0          # the last number that was dropped and may be missed
        self._thinned = False   # the numbers have gaps

    def push(self, when: float, text: bytes) -> bool:
        """Add a stanza; return whether there is more than is allowed."""
        self.head += 1
        self.entries.append((self.head, when, text))
        self.octets += len(text)
        return len(self.entries) > self.size or self.octets > self.most_octets

    def exceeds(self, times: int = 1) -> bool:
        """Whether there is more than so many times of what is allowed."""
        return len(self.entries) > times * self.size or self.octets > times * self.most_octets

    def restore(self, number: int, when: float, text: bytes) -> None:
        """Put back a stanza that had a number in a queue before; between them may be gaps."""
        self.entries.append((number, when, text))
        self.octets += len(text)
        self.head, self._thinned = max(self.head, number), True

    def ack(self, h: int) -> list[Entry]:
        """Take out what the peer acknowledges by `h`, which counts modulo 2^32.

        An `h` that is older than the last one acknowledges nothing. Raises ValueError for one
        that is higher than what was sent.
        """
        if self.is_too_high(h):
            raise ValueError("more is acknowledged than was sent")
        if self.is_old(h):
            return []
        self.tail += (h - self.tail) & MASK
        acked, entries = [], self.entries
        while entries and entries[0][0] <= self.tail:
            entry = entries.popleft()
            self.octets -= len(entry[2])
            acked.append(entry)
        return acked

    def take(self) -> Entry | None:
        """Take out the oldest entry, None when there is none."""
        if not self.entries:
            return None
        entry = self.entries.popleft()
        self.octets -= len(entry[2])
        return entry

    def is_too_high(self, h: int) -> bool:
        """Whether `h` is more than what was sent."""
        return (h - self.tail) & MASK > self.head - self.tail and not self.is_old(h)

    def is_old(self, h: int) -> bool:
        """Whether `h` is less than what was acknowledged before."""
        return 0 < (self.tail - h) & MASK <= min(self.tail, MASK // 2)

    def thin(self, drop: bool = False) -> bool:
        """Make room; return whether no more is there than is allowed.

        With `drop` also at the cost of what only matters to who is there now: the older half of
        the queue loses everything but messages.
        """
        seen: set[bytes] = set()
        kept: list[Entry] = []
        for entry in reversed(self.entries):
            sender = self._sender(entry[2])
            if sender is None or sender not in seen:
                kept.append(entry)
                if sender is not None:
                    seen.add(sender)
        kept.reverse()
        if drop and (len(kept) > self.size
                     or sum(len(entry[2]) for entry in kept) > self.most_octets):
            older = len(kept) // 2
            for entry in islice(kept, older):
                if not entry[2].startswith(b"<message"):
                    self._hole = entry[0]
            kept = [entry for index, entry in enumerate(kept)
                    if index >= older or entry[2].startswith(b"<message")]
        self._thinned = self._thinned or len(kept) < len(self.entries)
        self.entries = deque(kept)
        self.octets = sum(len(entry[2]) for entry in kept)
        return not self.exceeds()

    @staticmethod
    def _sender(text: bytes) -> bytes | None:
        tag = _presence(text)
        if tag is None or _type(tag[0]) is not None:
            return None
        found = _from(tag[0])
        return found[1] if found else None

    def renumber(self) -> dict[int, int]:
        """Close the gaps, for a peer that gets all of this again; return {old: new number}."""
        changed: dict[int, int] = {}
        if self._thinned:
            entries: deque[Entry] = deque()
            for number, (old, when, text) in enumerate(self.entries, self.tail + 1):
                entries.append((number, when, text))
                changed[old] = number
            self.entries, self._thinned = entries, False
            self.head = self.tail + len(entries)
        return changed

    def count_unacked(self) -> int:
        """Return how many stanzas were sent and not acknowledged."""
        return self.head - self.tail

    def count_acked(self) -> int:
        """Return how many stanzas were acknowledged."""
        return self.tail

    def resumable(self) -> bool:
        """Whether everything that the peer may miss is still there."""
        return self.tail >= self._hole

    def table(self) -> Sequence[Stanza]:
        """Return what is not acknowledged now as elements, the oldest first."""
        return _Elements(self.entries)

    count_unacked.never_blocks = count_acked.never_blocks = resumable.never_blocks = True
    table.never_blocks = True
