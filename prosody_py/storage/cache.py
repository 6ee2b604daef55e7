"""A bounded cache of key-value rows as text, so that each reader decodes an object of its own.

All methods run on the hub. What makes it correct beside concurrent writes: while a write of a
user's data is under way there is nothing of that user in the cache, so that nobody who has seen
the new state in the file gets the old one afterwards; and what a read brings that began before
the write ended is not kept. The write leaves its result, or nothing, behind.
"""

from __future__ import annotations

from collections import OrderedDict

Owner = tuple[int, str]  # store number, user
WHOLE = None  # as a part: all rows of the user
_MISSING = object()
_OVERHEAD = 300  # bytes of an entry beside its texts, about


class _Entry:
    __slots__ = ("parts", "size")

    def __init__(self):
        self.parts: dict[str | None, bytes | None] = {}
        self.size = _OVERHEAD


class Loading:
    """A read under way; `valid` until a write of the same user begins."""

    __slots__ = ("valid", "readers")

    def __init__(self):
        self.valid = True
        self.readers = 0


class RowCache:
    """Texts of rows by (store, user) and key, least recently used ones dropped first.

    Args:
        capacity: in bytes, overhead included; an entry over a sixteenth of it is not kept.
    """

    def __init__(self, capacity: int):
        self._capacity = capacity
        self._entries: OrderedDict[Owner, _Entry] = OrderedDict()
        self._writing: dict[Owner, int] = {}
        self._loading: dict[Owner, Loading] = {}
        self.size = 0
        self.hits = 0
        self.misses = 0

    def get(self, owner: Owner, part: str | None, default: object = _MISSING) -> object:
        """Return the text (None: there is no such row), or `default` if it is not cached."""
        entry = self._entries.get(owner)
        text = default if entry is None else entry.parts.get(part, default)
        if text is default:
            self.misses += 1
        else:
            self.hits += 1
            self._entries.move_to_end(owner)
        return text

    def peek(self, owner: Owner, part: str | None, default: object) -> object:
        """As `get`, without counting as a use."""
        entry = self._entries.get(owner)
        return default if entry is None else entry.parts.get(part, default)

    def begin_load(self, owner: Owner) -> Loading:
        """Announce a read from the file; every one needs an `end_load`."""
        loading = self._loading.get(owner)
        if loading is None:
            loading = self._loading[owner] = Loading()
            loading.valid = owner not in self._writing
        loading.readers += 1
        return loading

    def end_load(self, owner: Owner, loading: Loading, found: dict[str | None, bytes | None],
                 ) -> None:
        """Keep what was read, if no write of this user came between."""
        loading.readers -= 1
        if not loading.readers and self._loading.get(owner) is loading:
            del self._loading[owner]
        if loading.valid:
            for part, text in found.items():
                self._put(owner, part, text)

    def begin_write(self, owner: Owner) -> None:
        """Announce a write; every one needs an `end_write`."""
        self._writing[owner] = self._writing.get(owner, 0) + 1
        self._invalidate_loading(owner)
        self._drop(owner)

    def end_write(self, owner: Owner, whole: bytes | None = None, known: bool = False) -> None:
        """Keep the new `whole` if it is `known`, and no other write is under way."""
        left = self._writing[owner] - 1
        if left:
            self._writing[owner] = left
            return
        del self._writing[owner]
        self._invalidate_loading(owner)
        if known:
            self._put(owner, WHOLE, whole)

    def clear(self) -> None:
        """Forget everything, also what is being read now."""
        self._entries.clear()
        self.size = 0
        for owner in list(self._loading):
            self._invalidate_loading(owner)

    def _invalidate_loading(self, owner: Owner) -> None:
        loading = self._loading.pop(owner, None)
        if loading is not None:
            loading.valid = False

    def _put(self, owner: Owner, part: str | None, text: bytes | None) -> None:
        entry = self._entries.get(owner)
        if entry is None:
            entry = self._entries[owner] = _Entry()
            self.size += entry.size
        grown = 64 + len(part or "") + len(text or b"") - self._cost(entry, part)
        entry.parts[part] = text
        entry.size += grown
        self.size += grown
        self._entries.move_to_end(owner)
        if entry.size * 16 > self._capacity:
            self._drop(owner)
        while self.size > self._capacity:
            _, oldest = self._entries.popitem(last=False)
            self.size -= oldest.size

    @staticmethod
    def _cost(entry: _Entry, part: str | None) -> int:
        if part not in entry.parts:
            return 0
        return 64 + len(part or "") + len(entry.parts[part] or b"")

    def _drop(self, owner: Owner) -> None:
        entry = self._entries.pop(owner, None)
        if entry is not None:
            self.size -= entry.size
