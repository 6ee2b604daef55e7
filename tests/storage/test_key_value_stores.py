"""What keyval, map and keyval+ stores do, whatever keeps them."""

import pytest

from prosody_py.storage.interface import REMOVE, StorageError, UnsupportedStore

BINARY = b"\x00\x80\xff\xed".decode("utf-8", "surrogateescape")


@pytest.fixture(params=["memory", "sqlite", "sqlite-uncached"])
def kind_of_storage(request):
    return request.param


@pytest.fixture
def keyval(storage):
    return storage.open("localhost", "roster", "keyval")


@pytest.fixture
def map_(storage):
    return storage.open("localhost", "roster", "map")


@pytest.fixture
def plus(storage):
    return storage.open("localhost", "roster", "keyval+")


@pytest.mark.parametrize("value", [
    {"a": 1}, {"a": {"b": [1, 2.5, "x", None, True]}}, {False: {"version": 3}, "x@y": {}},
    {"": 1, "a": 2}, {"": 0}, {1: "one", 2.5: "float", -3: ""}, {"__hash": [1, 2], "a": 1},
    {"__array": ["x"]}, {"a": {"__hash": [1], False: {"__array": 2}}}, [1, [2], {}], [], "text",
    "", 5, 0, 2.5, 0.0, True, False, 2**80, {"a": {}}, {"a": []}, {"a": False}, {False: False},
    BINARY, {BINARY: BINARY, "a": {BINARY: [BINARY]}}, {"\ud83d\ude00": "\ud83d\ude00"},
    {"nul\0": "\0", "line\n": "\u2028", "quote\"'\\": "\\u0000"}, "x" * 100_000,
    {str(n): {"n": n} for n in range(300)}, {"\U0001f600": "é"}, {"a": float("inf")},
])
def test_a_value_comes_back_as_it_was(keyval, value):
    keyval.set("juliet", value)
    for _ in range(2):
        found = keyval.get("juliet")
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize("value", [True, 1, 1.0, [True, 1, 1.0]])
def test_the_type_of_a_number_is_kept(keyval, value):
    keyval.set("juliet", {"x": value})
    assert repr(keyval.get("juliet")["x"]) == repr(value)


def test_what_was_never_set_is_none(keyval, map_):
    for _ in range(2):
        assert keyval.get("romeo") is None
        assert map_.get("romeo", "x") is None
        assert map_.get("romeo", False) is None


@pytest.mark.parametrize("nothing", [None, {}, {"a": None}])
def test_setting_nothing_deletes(keyval, nothing):
    keyval.set("juliet", {"a": 1, False: 2})
    keyval.set("juliet", nothing)
    assert keyval.get("juliet") is None
    assert list(keyval.users()) == []


def test_a_new_value_leaves_nothing_of_the_old_one(keyval):
    keyval.set("juliet", {"a": 1, False: 2, "b": 3})
    keyval.set("juliet", {"b": 4})
    assert keyval.get("juliet") == {"b": 4}
    keyval.set("juliet", "scalar")
    assert keyval.get("juliet") == "scalar"


def test_each_get_returns_an_object_of_its_own(keyval, map_):
    value = {"a": {"b": [1]}}
    keyval.set("juliet", value)
    value["a"]["b"].append("changed after set")
    keyval.get("juliet")["a"]["b"].append("changed after get")
    map_.get("juliet", "a")["b"].append("changed after get of a key")
    assert keyval.get("juliet") == {"a": {"b": [1]}}
    assert map_.get("juliet", "a") == {"b": [1]}


def test_host_users_and_stores_are_apart(storage):
    for host in ("a.example", "b.example"):
        for store in ("roster", "vcard"):
            for user in (None, "juliet", "Juliet", "romeo"):
                storage.open(host, store, "keyval").set(user, {"x": [host, store, user]})
    for host in ("a.example", "b.example"):
        for store in ("roster", "vcard"):
            for user in (None, "juliet", "Juliet", "romeo"):
                assert storage.open(host, store, "keyval").get(user) == {"x": [host, store, user]}


def test_users_leaves_out_the_host_and_finds_everybody(keyval):
    keyval.set(None, {"a": 1})
    names = {f"user{n}" for n in range(450)} | {BINARY, "é", "x y"}
    for name in names:
        keyval.set(name, {"a": 1, "b": 2})
    found = list(keyval.users())
    assert len(found) == len(names)
    assert set(found) == names


@pytest.mark.parametrize("key", ["a", "", False, True, 7, 2.5, "__hash", "__array", BINARY])
def test_keyval_and_map_are_views_of_the_same_data(keyval, map_, plus, key):
    map_.set("juliet", key, {"n": 1})
    map_.set("juliet", "other", "kept")
    assert keyval.get("juliet") == {key: {"n": 1}, "other": "kept"}
    assert map_.get("juliet", key) == plus.get_key("juliet", key) == {"n": 1}
    keyval.set("juliet", {key: [2]})
    assert map_.get("juliet", key) == [2]
    assert map_.get("juliet", "other") is None
    map_.set("juliet", key, None)
    assert keyval.get("juliet") is None
    assert list(keyval.users()) == []


def test_false_is_a_value_in_a_map(map_):
    map_.set("juliet", "a", False)
    assert map_.get("juliet", "a") is False
    assert map_.get_all("a") == {"juliet": False}


@pytest.mark.parametrize("scalar", ["text", [1, 2], 0])
def test_a_key_set_on_a_value_that_is_no_dict_replaces_it(keyval, map_, scalar):
    for key in ("a", False):
        keyval.set("juliet", scalar)
        assert map_.get("juliet", key) is None
        map_.set("juliet", key, None)
        assert keyval.get("juliet") == scalar
        map_.set("juliet", key, 1)
        assert keyval.get("juliet") == {key: 1}
        map_.set("juliet", key, None)
        assert keyval.get("juliet") is None


def test_set_keys_changes_and_removes_several_keys(keyval, map_):
    keyval.set("juliet", {"a": 1, "b": 2, False: 3, "c": 4})
    map_.set_keys("juliet", {"a": map_.remove, "b": 5, False: REMOVE, 9: 6, "missing": REMOVE})
    assert keyval.get("juliet") == {"b": 5, 9: 6, "c": 4}
    map_.set_keys("juliet", {})
    assert keyval.get("juliet") == {"b": 5, 9: 6, "c": 4}


def test_set_keys_does_all_or_nothing(keyval, map_):
    keyval.set("juliet", {"a": 1})
    with pytest.raises(StorageError):
        map_.set_keys("juliet", {"a": 2, "b": object()})
    with pytest.raises(StorageError):
        map_.set_keys("juliet", {"a": 2, False: object()})
    assert keyval.get("juliet") == {"a": 1}


def test_one_key_of_all_users(keyval, map_, plus):
    for n in range(210):
        keyval.set(f"user{n}", {"a": n, False: {"n": n}} if n % 3 else {"b": n})
    keyval.set(None, {"a": "host"})
    expected = {f"user{n}": n for n in range(210) if n % 3}
    assert map_.get_all("a") == plus.get_key_from_all("a") == expected
    assert map_.get_all(False) == {user: {"n": n} for user, n in expected.items()}
    assert map_.get_all("missing") == map_.get_all(True) == {}
    map_.delete_all("a")
    assert map_.get_all("a") == {}
    assert keyval.get("user1") == {False: {"n": 1}}
    plus.delete_key_from_all(False)
    assert keyval.get("user1") is None
    assert keyval.get("user0") == {"b": 0}
    assert keyval.get(None) == {"a": "host"}


def test_items_gives_every_user_with_the_whole_value(plus):
    expected = {f"user{n}": {"n": n, False: [n]} for n in range(70)}
    expected["scalar"] = [1, 2]
    for user, value in expected.items():
        plus.set(user, value)
    plus.set(None, {"host": 1})
    assert dict(plus.items()) == expected


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, {None: 1}, {("a",): 1}, b"bytes",
                                   {float("nan"): 1}, [10**5000]])
def test_what_cannot_be_kept_is_refused_and_changes_nothing(keyval, value):
    keyval.set("juliet", {"a": 1})
    with pytest.raises(StorageError) as caught:
        keyval.set("juliet", value)
    assert caught.value.condition == "bad-request"
    assert keyval.get("juliet") == {"a": 1}


def test_endless_nesting_is_refused(keyval):
    value = {}
    value["self"] = value
    with pytest.raises(StorageError):
        keyval.set("juliet", value)


def test_a_value_that_is_too_large_is_refused(keyval):
    with pytest.raises(StorageError) as caught:
        keyval.set("juliet", {"a": "x" * (17 * 1024 * 1024)})
    assert caught.value.condition == "policy-violation"


@pytest.mark.parametrize("user", [5, b"juliet", True])
def test_a_user_that_is_no_text_is_refused(keyval, user):
    with pytest.raises(StorageError):
        keyval.get(user)


def test_an_unknown_kind_is_unsupported(storage):
    with pytest.raises(UnsupportedStore):
        storage.open("localhost", "roster", "list")


def test_purge_deletes_one_user_from_all_stores(storage):
    for host in ("a.example", "b.example"):
        for user in ("juliet", "romeo", None):
            storage.open(host, "roster", "keyval").set(user, {"a": 1})
            storage.open(host, "vcard", "keyval").set(user, {"a": 1})
    assert storage.stores("a.example", "juliet") == ["roster", "vcard"]
    storage.purge("a.example", "juliet")
    assert storage.stores("a.example", "juliet") == []
    assert storage.stores("a.example") == storage.stores("a.example", None) == ["roster", "vcard"]
    assert storage.open("a.example", "roster", "keyval").get("juliet") is None
    assert storage.open("a.example", "roster", "keyval").get("romeo") == {"a": 1}
    assert storage.open("b.example", "vcard", "keyval").get("juliet") == {"a": 1}


def test_a_closed_storage_raises(make_storage):
    storage = make_storage()
    keyval = storage.open("localhost", "roster", "keyval")
    archive = storage.open("localhost", "archive", "archive")
    keyval.set("juliet", {"a": 1})
    keyval.get("juliet")
    storage.close()
    storage.close()
    for call in (lambda: keyval.get("juliet"), lambda: keyval.set("juliet", {"a": 2}),
                 lambda: archive.find("juliet"), lambda: list(keyval.users())):
        with pytest.raises(StorageError):
            call()
