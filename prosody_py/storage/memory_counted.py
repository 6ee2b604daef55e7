"""What stores in memory count together (interface.Storage.open_counted)."""

from __future__ import annotations

from collections.abc import Callable

from prosody_py.storage.interface import CountedTooMuch

ROW = 100  # bytes that a row or an item costs beside its key and value, as in SQLite


def cost(key: str, text: str | None) -> int:
    """Return what a row counts, 0 for none."""
    if text is None:
        return 0
    return ROW + sum(len(part.encode("utf-8", "surrogatepass")) for part in (key, text))


class Tally:
    """The bytes that each user has in all stores of one counter."""

    def __init__(self, limit: Callable[[], int | None]):
        self.limit = limit
        self._bytes: dict[str, int] = {}

    def of(self, user: str) -> int:
        """Return the bytes of a user."""
        return self._bytes.get(user, 0)

    def change(self, user: str, more: int) -> None:
        """Count a change that is about to be made; raises CountedTooMuch, and then it must not."""
        self.check(user, more)
        self.add(user, more)

    def check(self, user: str, more: int) -> None:
        """Raise CountedTooMuch for a change that would be too much."""
        after, limit = self.of(user) + more, self.limit()
        if more > 0 and limit is not None and after > limit:
            raise CountedTooMuch(f"An account may store {limit} bytes, and this would make it "
                                 f"{after}")

    def add(self, user: str, more: int) -> None:
        """Count a change that is made in any case."""
        after = self.of(user) + more
        if after > 0:
            self._bytes[user] = after
        else:
            self._bytes.pop(user, None)
