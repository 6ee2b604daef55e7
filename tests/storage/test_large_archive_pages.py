"""A page of large items is read in parts, between which the others have their turn."""

import gevent

from prosody_py.concurrency import turns
from prosody_py.storage.archive_query import parts
from prosody_py.xmpp.stanza import Stanza


def test_small_texts_are_one_part_and_large_ones_are_not():
    assert list(parts([])) == []
    assert list(parts(["x"] * 50)) == [["x"] * 50]
    large = "x" * 40_000
    assert list(parts(["a", large, "b", large])) == [["a", large], ["b", large]]


def test_others_have_their_turn(sqlite_storage, monkeypatch):
    monkeypatch.setattr(turns, "AT_ONCE", 0)  # a turn is over at once
    archive = sqlite_storage.open("localhost", "archive", "archive")
    for number in range(8):
        archive.append("juliet", str(number), Stanza("message").body("x" * 40_000), number, "r")
    items, _total = archive.find("juliet", {"limit": 8})
    seen = []

    def look():
        while True:
            seen.append(None)
            gevent.sleep(0)

    other = gevent.spawn(look)
    ids, looks = [], []
    for id, _stanza, _when, _with in items:
        ids.append(id)
        looks.append(len(seen))
    other.kill()
    assert ids == list(map(str, range(8)))
    assert looks == sorted(set(looks)), "somebody else was there between each two items"
