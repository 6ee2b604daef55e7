"""Memory and SQLite give the same answers to the same calls, and a plain dict agrees."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prosody_py.storage.interface import REMOVE, StorageError
from prosody_py.storage.memory import MemoryStorage
from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.storage.values import decode, encode
from prosody_py.xmpp.stanza import Stanza

# True and 1 are the same key in Python, so only one of them may come up.
TEXTS = st.text(st.characters(codec=None), max_size=6) | st.sampled_from(
    ["", "a", "__hash", "__array", "\udc80", "\ud83d\ude00"])
KEYS = TEXTS | st.booleans() | st.integers(min_value=2) | st.just(2.5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3)
                      | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
USERS = st.sampled_from([None, "juliet", "romeo", "\udcff"])
MAP_KEYS = st.sampled_from(["a", "b", "", False, True, 7, "__hash", "\udc80"])
CHANGES = st.dictionaries(MAP_KEYS, VALUES | st.just(REMOVE), max_size=4)

CALLS = st.one_of(
    st.tuples(st.just("set"), USERS, VALUES | st.dictionaries(MAP_KEYS, VALUES, max_size=4)),
    st.tuples(st.just("set_keys"), USERS, CHANGES),
    st.tuples(st.just("get"), USERS),
    st.tuples(st.just("get_key"), USERS, MAP_KEYS),
    st.tuples(st.just("get_key_from_all"), MAP_KEYS),
    st.tuples(st.just("delete_key_from_all"), MAP_KEYS),
    st.tuples(st.just("users")),
)
numbers = itertools.count()


@pytest.fixture(scope="module")
def storages(tmp_path_factory):
    """SQLite with a cache, SQLite without, and memory."""
    folder = tmp_path_factory.mktemp("equivalence")
    made = [SQLiteStorage(folder / "cached.sqlite", durable=False),
            SQLiteStorage(folder / "uncached.sqlite", durable=False, cache_bytes=0),
            MemoryStorage()]
    yield made
    for storage in made:
        storage.close()


def shape(value):
    """Return something that differs where Python's == does not: True, 1 and 1.0."""
    if isinstance(value, dict):
        return "dict", frozenset((shape(key), shape(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(shape(item) for item in value)
    return type(value).__name__, repr(value)


class Model:
    """What the stores should do, on a dict."""

    def __init__(self):
        self.data = {}

    def set(self, user, value):
        if isinstance(value, dict):
            value = {key: item for key, item in value.items() if item is not None}
        self.data.pop(user, None)
        if value is not None and value != {}:
            self.data[user] = value

    def set_keys(self, user, changes):
        old = self.data.get(user)
        if isinstance(old, dict) or any(v is not None and v is not REMOVE
                                        for v in changes.values()):
            new = dict(old) if isinstance(old, dict) else {}
            new.update(changes)
            self.set(user, {key: value for key, value in new.items() if value is not REMOVE})

    def get(self, user):
        return self.data.get(user)

    def get_key(self, user, key):
        value = self.data.get(user)
        return value.get(key) if isinstance(value, dict) else None

    def get_key_from_all(self, key):
        found = {user: self.get_key(user, key) for user in self.users()}
        return {user: value for user, value in found.items() if value is not None}

    def delete_key_from_all(self, key):
        for user in self.users():
            self.set_keys(user, {key: REMOVE})

    def users(self):
        return sorted(user for user in self.data if user is not None)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_a_value_survives_its_text(value):
    assert shape(decode(encode(value))) == shape(value)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CALLS, max_size=15))
def test_key_value_stores_agree(storages, calls):
    name = f"store{next(numbers)}"
    stores = [storage.open("localhost", name, "keyval+") for storage in storages]
    model = Model()
    for method, *arguments in calls:
        expected = shape(getattr(model, method)(*arguments))
        for store in stores:
            result = getattr(store, method)(*arguments)
            if method == "users":
                result = sorted(result)
            assert shape(result) == expected
    for user in (None, "juliet", "romeo", "\udcff"):
        for store in stores:
            assert shape(store.get(user)) == shape(model.get(user))


TIMES = st.integers(0, 6) | st.sampled_from([0.5, 2.25])
IDS = st.sampled_from(["a", "b", "c", "d", "e"])
WITH = st.sampled_from(["x", "y"])
QUERIES = st.fixed_dictionaries({}, optional={
    "start": TIMES, "end": TIMES, "with": WITH, "before": IDS | st.lists(IDS, max_size=2),
    "after": IDS | st.lists(IDS, max_size=2), "key": IDS,
    "ids": st.lists(IDS, max_size=3), "limit": st.integers(0, 4), "reverse": st.booleans(),
    "total": st.booleans()})
ARCHIVE_CALLS = st.one_of(
    st.tuples(st.just("append"), IDS, TIMES, WITH),
    st.tuples(st.just("append"), IDS, TIMES, WITH),
    st.tuples(st.just("set"), IDS, st.none() | TIMES, st.none() | WITH),
    st.tuples(st.just("find"), QUERIES),
    st.tuples(st.just("find"), QUERIES),
    st.tuples(st.just("summary"), QUERIES),
    st.tuples(st.just("delete"), QUERIES, st.none() | st.integers(0, 4)),
)


def archive_answer(archive, number, method, arguments):
    """Make one call and return what can be compared: the answer or the error's condition."""
    value = Stanza("message", {"n": str(number)}).body(str(number))
    try:
        if method == "append":
            key, when, with_ = arguments
            return archive.append("juliet", key, value, when, with_)
        if method == "set":
            key, when, with_ = arguments
            return archive.set("juliet", key, value, when, with_)
        if method == "find":
            items, total = archive.find("juliet", *arguments)
            return [(i, v.attr["n"], when, with_) for i, v, when, with_ in items], total
        if method == "delete":
            query, truncate = arguments
            return archive.delete("juliet", {**query, "truncate": truncate})
        return archive.summary("juliet", *arguments)
    except StorageError as error:
        return error.condition


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ARCHIVE_CALLS, max_size=20))
def test_archives_agree(storages, calls):
    name = f"archive{next(numbers)}"
    sqlite, _, memory = [storage.open("localhost", name, "archive") for storage in storages]
    for number, (method, *arguments) in enumerate(calls):
        assert (archive_answer(sqlite, number, method, arguments)
                == archive_answer(memory, number, method, arguments))
    assert (archive_answer(sqlite, 0, "find", [{"total": True}])
            == archive_answer(memory, 0, "find", [{"total": True}]))
