"""Searching archives for words: the same in memory and in SQLite."""

import sqlite3
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.storage.interface import StorageError
from prosody_py.storage.memory import MemoryStorage
from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.storage.words import MAX_TERMS, terms, words_of
from prosody_py.testing.client import wait_until
from prosody_py.xmpp.stanza import Stanza

START = 1_700_000_000
TEXTS = ["The quick brown fox", "jumps over the LAZY dog", "Größe und Straße", "naïve café",
         "see https://example.com/a-b_c?x=1", "the dog and the fox", "42 is 4 2",
         "Привет мир", "日本語 text", "it's", "hello\U0001f90ethere", ""]


def message(text):
    return Stanza("message", {"id": "x"}).body(text) if text else Stanza("message")


@pytest.fixture
def archive(storage):
    archive = storage.open("localhost", "archive", "archive")
    assert archive.index_words(True) and archive.caps["fulltext"]
    for number, text in enumerate(TEXTS):
        archive.append("juliet", str(number), message(text), START + number, f"peer{number % 2}")
    archive.append("romeo", "r", message("the fox of romeo"), START, "peer0")
    return archive


def found(archive, fulltext, user="juliet", **query):
    items, total = archive.find(user, {**query, "fulltext": fulltext, "total": True})
    items = list(items)
    if "limit" not in query and "after" not in query and "before" not in query:
        assert total == len(items)
    return [int(item[0]) if item[0].isdigit() else item[0] for item in items]


@pytest.mark.parametrize(("text", "expected"), [
    ("fox", [0, 5]), ("FOX the", [0, 5]), ("fox dog", [5]), ("lazy", [1]), ("unknown", []),
    ("größe", [2]), ("grosse", []), ("groSSe strasse", []), ("Grosze", []), ("STRAẞE", [2]),
    ("grose", []), ("Straße", [2]), ("naive cafe", [3]), ("NAÏVE", [3]), ("café", [3]),
    ("example.com", [4]), ("com example", [4]), ('"com example"', []), ('"example com"', [4]),
    ("a-b_c", [4]), ("a-c", []), ("42", [6]), ("4 2", [6]), ('"4 2"', [6]), ('"2 4"', []),
    ("qui*", [0]), ("fo* d*", [5]), ('"brown fo"*', [0]), ("*", []), ("привет", [7]), ("мир", [7]),
    ("日本語", [8]), ("日本", []), ("hello", [10]),
    ("日本*", [8]), ("it's", [9]), ("its", []), ("!!!", []),
    ('fox"', [0, 5]), ('"', []), ("AND", [5]), ("fox OR dog", []), ("NOT", []), ("body:fox", []),
    ("fox)", [0, 5]), ("owner : s1*", []), ("x'", [4])])
def test_a_search_finds_messages_with_all_words(archive, text, expected):
    assert found(archive, text) == expected


def test_a_search_can_be_combined_with_all_else(archive):
    assert found(archive, "the") == [0, 1, 5]
    assert found(archive, "the", reverse=True) == [5, 1, 0]
    assert found(archive, "the", limit=2) == [0, 1]
    assert found(archive, "the", limit=2, reverse=True) == [5, 1]
    assert found(archive, "the", after="0") == [1, 5]
    assert found(archive, "the", before=["5", "1"]) == [0]
    assert found(archive, "the", start=START + 1) == [1, 5]
    assert found(archive, "the", end=START + 1) == [0, 1]
    assert found(archive, "the", **{"with": "peer1"}) == [1, 5]
    assert found(archive, "the", ids=["0", "2", "5"]) == [0, 5]
    with pytest.raises(StorageError) as caught:
        archive.find("juliet", {"fulltext": "the", "after": "unknown"})
    assert caught.value.condition == "item-not-found"


def test_everybody_searches_the_own_archive(archive):
    assert found(archive, "fox", "romeo") == ["r"]
    assert found(archive, "fox", "nobody") == []


def test_a_search_of_many_pages(storage, together):
    archive = storage.open("localhost", "archive", "archive")
    archive.index_words(True)
    together(*[partial(archive.append, "juliet", str(number), message(f"word {number}"),
                       START + number, "x") for number in range(250)])
    assert found(archive, "word") == list(range(250))
    assert found(archive, "word", reverse=True) == list(range(249, -1, -1))


@pytest.mark.parametrize("disorder", ["append", "set", "older", None])
def test_results_are_in_order_of_time_whatever_the_order_of_arrival(storage, disorder):
    archive = storage.open("localhost", "archive", "archive")
    if disorder == "older":
        archive.append("juliet", "late", message("word"), START + 5.5, "x")
    archive.index_words(True)
    for number in range(10):
        archive.append("juliet", str(number), message("word"), START + number, "x")
    if disorder == "append":
        archive.append("juliet", "late", message("word"), START + 5.5, "x")
    elif disorder == "set":
        archive.append("juliet", "late", message("word"), START + 99, "x")
        archive.set("juliet", "late", message("word"), START + 5.5)
    expected = [*range(6), *(["late"] if disorder else []), *range(6, 10)]
    wait_until(lambda: len(found(archive, "word", limit=99)) == len(expected))
    assert found(archive, "word") == expected
    assert found(archive, "word", reverse=True) == expected[::-1]
    assert found(archive, "word", after="5", limit=2) == expected[6:8]
    assert found(archive, "word", before="6", limit=2, reverse=True) == expected[
        :expected.index(6)][::-1][:2]
    assert found(archive, "word", start=START + 5.2, end=START + 6) == expected[
        6:expected.index(6) + 1]
    assert found(archive, "word", start=START + 500) == found(archive, "word", end=START - 1) == []


def test_what_changes_or_goes_is_not_found_any_more(archive):
    archive.set("juliet", "0", message("changed"))
    archive.append("juliet", "1", message("replaced"), START, "x")
    archive.delete("juliet", {"key": "5"})
    assert found(archive, "the") == [] and found(archive, "changed") == [0]
    assert found(archive, "replaced") == [1]
    archive.set("juliet", "0", message(""))
    assert found(archive, "changed") == []
    archive.delete("juliet")
    assert found(archive, "replaced") == [] and found(archive, "fox", "romeo") == ["r"]


def test_the_same_key_twice_at_once(archive, together):
    together(*[partial(archive.append, "juliet", "k", message(f"version {number}"), START, "x")
               for number in range(5)])
    assert len(found(archive, "version")) == 1


def test_an_archive_without_an_index_cannot_be_searched(storage):
    archive = storage.open("localhost", "offline", "archive")
    assert not archive.caps["fulltext"]
    for call in (archive.find, archive.delete, archive.summary):
        with pytest.raises(StorageError) as caught:
            call("juliet", {"fulltext": "x"})
        assert caught.value.condition == "bad-request"


def test_a_search_deletes_nothing(archive):
    with pytest.raises(StorageError):
        archive.delete("juliet", {"fulltext": "fox"})
    assert found(archive, "fox") == [0, 5]


def test_a_search_has_no_more_terms_than_that():
    assert len(terms(" ".join(f"w{number}" for number in range(100)))) == MAX_TERMS
    assert words_of("a\u0301b c\u00adé") == ["ab", "c", "e"]


# -- SQLite's index --------------------------------------------------------------------------


def rows(path):
    database = sqlite3.connect(path)
    count = database.execute("SELECT count(*) FROM archive_words").fetchone()[0]
    database.execute("INSERT INTO archive_words (archive_words) VALUES ('integrity-check')")
    database.close()
    return count


def test_what_is_there_already_is_indexed_in_the_background(tmp_path):
    path = tmp_path / "stores.sqlite"
    storage = SQLiteStorage(path, durable=False)
    archive = storage.open("localhost", "archive", "archive")
    other = storage.open("localhost", "offline", "archive")
    calls = [archive.begin_append("juliet", str(n), message(f"old {n}"), START + n, "x")[1]
             for n in range(1100)]
    calls += [other.begin_append("juliet", str(n), message("old"), START, "x")[1]
              for n in range(5)]
    for wait in calls:
        wait()
    archive.index_words(True)
    archive.append("juliet", "new", message("old new"), START + 9999, "x")
    # Not by `found`: while the index grows, a count is of another moment than the items.
    wait_until(lambda: len(list(archive.find("juliet", {"fulltext": "old"})[0])) == 1101)
    storage.close()
    assert rows(path) == 1101
    storage = SQLiteStorage(path, durable=False)  # the file knows it, whoever opens the store
    archive = storage.open("localhost", "archive", "archive")
    assert archive.caps["fulltext"]
    archive.append("juliet", "newer", message("old newer"), START + 9999, "x")
    assert len(found(archive, "old")) == 1102
    storage.close()


def test_an_index_that_is_not_wanted_any_more_goes(tmp_path):
    path = tmp_path / "stores.sqlite"
    storage = SQLiteStorage(path, durable=False)
    archives = [storage.open("localhost", name, "archive") for name in ("archive", "muc_log")]
    for archive in archives:
        archive.index_words(True)
        for number in range(3):
            archive.append("juliet", None, message("text"), START + number, "x")
    assert rows(path) == 6
    assert not archives[0].index_words(False)
    archives[0].append("juliet", None, message("text"), START, "x")
    wait_until(lambda: rows(path) == 3)
    archives[0].index_words(True)
    wait_until(lambda: len(found(archives[0], "text", limit=9)) == 4)
    storage.close()
    assert rows(path) == 7


def test_a_file_without_searches_has_no_index(sqlite_storage, tmp_path):
    archive = sqlite_storage.open("localhost", "archive", "archive")
    assert not archive.index_words(False)
    archive.append("juliet", None, message("text"), START, "x")
    with pytest.raises(sqlite3.OperationalError):
        rows(tmp_path / "stores.sqlite")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.sampled_from("abÀéß *\"'-_.0ΣςяЙ\u0301\U0001f600日"), max_size=12),
                min_size=1, max_size=6),
       st.text(st.sampled_from("abaeßÀ *\"-0Σя"), max_size=6))
def test_both_find_the_same(tmp_path_factory, texts, wanted):
    answers = []
    sqlite = SQLiteStorage(tmp_path_factory.mktemp("words") / "stores.sqlite", durable=False)
    for storage in (sqlite, MemoryStorage()):
        archive = storage.open("localhost", "archive", "archive")
        archive.index_words(True)
        for number, text in enumerate(texts):
            archive.append("juliet", str(number), message(text), START + number, "x")
        answers.append([item[0] for item in archive.find("juliet", {"fulltext": wanted})[0]])
        storage.close()
    assert answers[0] == answers[1]
