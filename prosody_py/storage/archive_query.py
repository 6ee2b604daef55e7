"""A query of an archive, checked once, and the text of its items; shared by the backends."""

from __future__ import annotations

import logging
import math
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from prosody_py.storage.interface import StorageError
from prosody_py.storage.values import MAX_TEXT
from prosody_py.storage.words import Term, terms
from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

log = logging.getLogger(__name__)

SECOND = 1_000_000
DAY = 86400 * SECOND
SAID_PAGE = 20  # messages with the same id that are looked at
_FURTHEST = 2**53  # microseconds; the year 2255, and exact in a float
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = frozenset(("start", "end", "with", "key", "ids", "before", "after", "limit", "reverse",
                     "total", "truncate", "fulltext"))
_unstorable = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]").search
_PART = 32 * 1024  # characters: some milliseconds of parsing at the worst
_BORDER = "item" + secrets.token_hex(16)

Position = tuple[int, int]  # when, sequence number: the order of an archive
FIRST: Position = (-_FURTHEST - 1, 0)
LAST: Position = (_FURTHEST + 1, 0)


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query; times in microseconds."""

    start: int | None = None
    end: int | None = None
    with_: str | None = None
    ids: tuple[str, ...] | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    limit: int | None = None
    reverse: bool = False
    total: bool = False
    truncate: int | None = None
    fulltext: tuple[Term, ...] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing but an id range restricts what matches."""
        return self.start is self.end is self.with_ is self.ids is self.fulltext is None

    def time_range(self) -> tuple[Position, Position]:
        """Return the positions between which (both exclusive) `start` and `end` allow items."""
        low = FIRST if self.start is None else (self.start, 0)
        high = LAST if self.end is None else (self.end + 1, 0)
        return low, high


def parse_query(query: Mapping[str, Any] | None) -> Query:
    """Check a query as the interface describes it; fields it does not know are ignored.

    Raises: StorageError "bad-request".
    """
    if not query:
        return Query()
    fields = {name: query[name] for name in _FIELDS if query.get(name) is not None}
    ids = fields.get("ids")
    if ids is not None:
        ids = tuple(dict.fromkeys(_text("ids", item) for item in ids))
    if "key" in fields:
        key = _text("key", fields["key"])
        ids = (key,) if ids is None or key in ids else ()
    return Query(
        start=_bound("start", fields["start"]) if "start" in fields else None,
        end=_bound("end", fields["end"]) if "end" in fields else None,
        with_=_text("with", fields["with"]) if "with" in fields else None,
        ids=ids,
        before=_texts("before", fields.get("before")),
        after=_texts("after", fields.get("after")),
        limit=_count("limit", fields["limit"]) if "limit" in fields else None,
        reverse=bool(fields.get("reverse")),
        total=bool(fields.get("total")),
        truncate=_count("truncate", fields["truncate"]) if "truncate" in fields else None,
        fulltext=terms(_text("fulltext", fields["fulltext"])) if "fulltext" in fields else None,
    )


def parse_other_query(query: Mapping[str, Any] | None, can_search: bool = False) -> Query:
    """As `parse_query`, for what does not search for words; raises StorageError "bad-request"."""
    wanted = parse_query(query)
    if wanted.fulltext is not None and not can_search:
        raise StorageError("bad-request", "'fulltext' is for reading an archive that has an index")
    return wanted


def microseconds(when: float) -> int:
    """Return a time in whole microseconds; raises StorageError "bad-request"."""
    if isinstance(when, int | float) and math.isfinite(when):
        result = round(when * SECOND)
        if abs(result) <= _FURTHEST:
            return result
    raise StorageError("bad-request", "a time in an archive is a number of seconds since 1970")


def seconds(when: int) -> int | float:
    """Return a stored time in seconds."""
    return when / SECOND


def day(when: int) -> str:
    """Return the day (UTC) of a stored time."""
    return (_EPOCH + timedelta(microseconds=when)).strftime("%Y-%m-%d")


def check_label(name: str, value: Any) -> str:
    """Return an id or a `with` if it may be stored; raises StorageError "bad-request"."""
    if not isinstance(value, str) or len(value) > 8192 or _unstorable(value):
        raise StorageError("bad-request", f"'{name}' of an archive item is a short printable text")
    return value


def item_text(value: Stanza) -> str:
    """Return the text of an item; raises StorageError."""
    if not isinstance(value, Stanza):
        raise StorageError("bad-request", "an archive holds stanzas")
    text = serialize(value)
    if len(text) > MAX_TEXT:
        raise StorageError("policy-violation", f"a stanza of {len(text)} characters is too large")
    return text


def item_value(text: str) -> Stanza | None:
    """Return the stanza of a stored text; None, and a line in the log, if it is broken."""
    try:
        return parse_fragment(text)
    except StreamError as error:
        log.warning("An archive item of %d characters cannot be read: %s", len(text), error)
        return None


def item_values(texts: list[str]) -> list[Stanza | None]:
    """Return the stanzas of stored texts, as `item_value` does.

    They are parsed as one document, which is five times as fast as one by one. The name of the
    element around each cannot be guessed, so no text can shift the borders.
    """
    if len(texts) > 1:
        start, end = f"<{_BORDER}>", f"</{_BORDER}>"
        document = start + start + f"{end}{start}".join(texts) + end + end
        try:
            borders = parse_fragment(document).children
        except StreamError:
            borders = []
        if len(borders) == len(texts) and all(len(border.children) == 1 for border in borders):
            return [border.children[0] for border in borders]
    return [item_value(text) for text in texts]


def parts(texts: list[str]) -> Iterator[list[str]]:
    """Return texts in parts, each small enough to be parsed in one piece."""
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size >= _PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def body_text(value: Stanza | None) -> str | None:
    """Return the text of a message body."""
    return None if value is None else value.get_child_text("body")


def _bound(name: str, value: Any) -> int:
    """Return a limit in microseconds; what lies outside of all that is stored is cut off."""
    if not isinstance(value, int | float) or math.isnan(value):
        raise StorageError("bad-request", f"'{name}' in an archive query is a time in seconds")
    return round(max(-_FURTHEST, min(_FURTHEST, value * SECOND)))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise StorageError("bad-request", f"'{name}' in an archive query is text")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(_text(name, one) for one in values)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int | float) or not 0 <= value <= 2**53:
        raise StorageError("bad-request", f"'{name}' in an archive query is a number from 0 up")
    return int(value)
