"""What archives do, whatever keeps them."""

from functools import partial

import pytest

from prosody_py.storage.interface import StorageError
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

START = 1_700_000_000.25
DAY = 86400


def message(text):
    return Stanza("message", {"id": text, "to": "romeo@example.net"}).body(text)


@pytest.fixture
def archive(storage):
    return storage.open("localhost", "archive", "archive")


@pytest.fixture
def ids(archive, together):
    """Ids of 250 items of juliet, a minute apart, from three correspondents in turn."""
    for n in range(3):
        archive.append("romeo", None, message("other"), START + n, "peer0")
    return together(*[
        partial(archive.append, "juliet", None, message(f"text {n}"), START + 60 * n,
                f"peer{n % 3}") for n in range(250)])


def found(archive, known, **query):
    """Return the places of the found items among the known ids."""
    if "end_" in query:
        query["end"] = query.pop("end_")
    items, _ = archive.find("juliet", query)
    return [known.index(item[0]) for item in items]


def test_an_item_comes_back_as_it_was(archive):
    value = Stanza("message", {"urn:x\x01a": "ns", "xml:lang": "de"}).body("<é&\U0001f600'\"")
    value.tag("x", {"xmlns": "urn:x"}).text(" a ").tag("y").up().text("\n").reset()
    key = archive.append("juliet", None, value, START, "romeo@example.net")
    (item,), total = archive.find("juliet")
    assert total is None
    assert item[0] == key
    assert serialize(item[1]) == serialize(value)
    assert item[2:] == (START, "romeo@example.net")
    got = archive.get("juliet", key)
    assert serialize(got[0]) == serialize(value)
    assert got[1:] == (START, "romeo@example.net")


def test_items_are_objects_of_their_own(archive):
    value = message("a")
    key = archive.append("juliet", None, value, START, "x")
    value.attr["id"] = "changed"
    archive.get("juliet", key)[0].attr["id"] = "changed"
    assert archive.get("juliet", key)[0].attr["id"] == "a"


def test_ids_are_unique_short_and_fit_for_a_url(archive):
    ids = [archive.append("juliet", None, message("a"), START, "x") for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(len(key) == 20 and key.replace("_", "a").replace("-", "a").isalnum()
               for key in ids)


def test_an_archive_nobody_wrote_to_is_empty(archive):
    items, total = archive.find("nobody", {"total": True})
    assert list(items) == []
    assert total == 0
    assert archive.get("nobody", "x") is None
    assert archive.delete("nobody") == 0
    assert archive.dates("nobody") == []
    assert archive.summary("nobody") == {"counts": {}, "earliest": {}, "latest": {}, "body": {}}
    assert list(archive.users()) == []


def test_everything_is_found_in_order(archive, ids):
    assert found(archive, ids) == list(range(250))
    assert found(archive, ids, reverse=True) == list(range(249, -1, -1))


def test_equal_times_are_in_order_of_arrival(archive):
    ids = [archive.append("juliet", None, message("a"), START, "x") for _ in range(230)]
    assert found(archive, ids) == list(range(230))
    assert found(archive, ids, after=ids[150], limit=3) == [151, 152, 153]
    assert found(archive, ids, before=ids[150], limit=3, reverse=True) == [149, 148, 147]


def test_order_is_by_time_not_by_arrival(archive):
    ids = [archive.append("juliet", None, message("a"), START - n, "x") for n in range(3)]
    assert found(archive, ids) == [2, 1, 0]


@pytest.mark.parametrize(("query", "expected"), [
    ({"limit": 3}, [0, 1, 2]),
    ({"limit": 0}, []),
    ({"limit": 2, "reverse": True}, [249, 248]),
    ({"start": START + 60 * 247}, [247, 248, 249]),
    ({"start": START + 60 * 247 + 0.001}, [248, 249]),
    ({"end_": START + 60}, [0, 1]),
    ({"start": START + 60 * 5, "end_": START + 60 * 7}, [5, 6, 7]),
    ({"start": START + 60 * 5, "end_": START + 60 * 7, "reverse": True}, [7, 6, 5]),
    ({"start": START + 60 * 7, "end_": START + 60 * 5}, []),
    ({"start": 253402300799, "limit": 1}, []),
    ({"end_": float("inf"), "limit": 1}, [0]),
    ({"with": "peer1", "limit": 3}, [1, 4, 7]),
    ({"with": "nobody"}, []),
    ({"with": "peer1", "limit": 2, "reverse": True}, [247, 244]),
    ({"with": "peer2", "start": START + 60 * 240, "end_": START + 60 * 246}, [242, 245]),
])
def test_a_query_restricts_what_is_found(archive, ids, query, expected):
    assert found(archive, ids, **query) == expected


@pytest.mark.parametrize(("query", "expected"), [
    ({"after": 247}, [248, 249]),
    ({"before": 2}, [0, 1]),
    ({"before": 200, "limit": 2, "reverse": True}, [199, 198]),
    ({"after": 100, "limit": 2}, [101, 102]),
    ({"after": 100, "before": 104}, [101, 102, 103]),
    ({"after": 104, "before": 100}, []),
    ({"after": 100, "before": 103, "reverse": True}, [102, 101]),
    ({"after": 100, "with": "peer0", "limit": 2}, [102, 105]),
    ({"after": 2, "start": START + 60 * 240, "limit": 2}, [240, 241]),
    ({"after": 240, "start": START + 60, "limit": 2}, [241, 242]),
    ({"before": 240, "end_": START + 60, "reverse": True}, [1, 0]),
    ({"after": [100, 102]}, list(range(103, 250))),
    ({"after": [102, 100], "before": [105, 200, 106]}, [103, 104]),
    ({"after": []}, list(range(250))),
    ({"before": [104, 102], "limit": 1, "reverse": True}, [101]),
    ({"key": 7}, [7]),
    ({"ids": [9, 7, 9, 8]}, [7, 8, 9]),
    ({"ids": [7, 8], "reverse": True}, [8, 7]),
    ({"ids": []}, []),
    ({"ids": [7, 8], "with": "peer1"}, [7]),
    ({"key": 7, "ids": [8]}, []),
])
def test_ids_restrict_what_is_found(archive, ids, query, expected):
    for field in ("after", "before", "key"):
        if field in query:
            places = query[field]
            query = {**query, field: [ids[n] for n in places] if isinstance(places, list)
                     else ids[places]}
    if "ids" in query:
        query = {**query, "ids": [ids[n] for n in query["ids"]]}
    assert found(archive, ids, **query) == expected


def test_unknown_ids_in_a_list_are_left_out(archive, ids):
    assert found(archive, ids, ids=["unknown", ids[3], "lone \udc80", "nul\0"]) == [3]


@pytest.mark.parametrize("query", [{"before": "unknown"}, {"after": "unknown"},
                                   {"after": "lone \udc80"}, {"before": ["unknown"]}])
def test_an_unknown_id_to_begin_at_is_an_error_at_once(archive, ids, query):
    for call in (archive.find, archive.delete, archive.summary):
        with pytest.raises(StorageError) as caught:
            call("juliet", query)
        assert caught.value.condition == "item-not-found"


@pytest.mark.parametrize("query", [
    {"start": "yesterday"}, {"end": float("nan")}, {"limit": -1}, {"with": 5}, {"ids": [5]},
    {"before": 5}, {"limit": "many"}, {"after": [5]}, {"fulltext": 5},
])
def test_a_query_of_wrong_types_is_an_error(archive, query):
    with pytest.raises(StorageError) as caught:
        archive.find("juliet", query)
    assert caught.value.condition == "bad-request"


@pytest.mark.parametrize(("query", "expected"), [
    ({}, 250), ({"with": "peer0"}, 84), ({"start": START + 60 * 240}, 10),
    ({"with": "peer0", "end": START + 60 * 3}, 2), ({"limit": 0}, 250), ({"limit": 5}, 250),
])
def test_the_total_counts_what_matches_beyond_the_page(archive, ids, query, expected):
    assert archive.find("juliet", {**query, "total": True})[1] == expected
    assert archive.find("juliet", {**query, "total": True, "after": ids[3]})[1] == expected
    assert archive.find("juliet", query)[1] is None


def test_an_item_with_a_known_key_is_replaced_and_becomes_the_newest(archive):
    for key in ("a", "b", "a"):
        assert archive.append("juliet", key, message(key), START, "x") == key
    items, total = archive.find("juliet", {"total": True})
    assert [item[0] for item in items] == ["b", "a"]
    assert total == 2
    archive.append("romeo", "a", message("of romeo"), START, "x")
    assert archive.get("juliet", "a")[0].get_child_text("body") == "a"


def test_an_append_that_is_begun_is_done_before_those_after_it(archive):
    begun = [archive.begin_append("juliet", f"begun {n}", message("x"), START + n, "x")
             for n in range(20)]
    assert [id for id, _wait in begun] == [f"begun {n}" for n in range(20)]
    archive.append("romeo", None, message("x"), START, "x")
    assert len(list(archive.find("juliet")[0])) == 20
    for _id, wait in begun:
        wait()


def test_an_append_that_is_begun_fails_where_it_is_waited_for(make_storage):
    archive = make_storage(archive_item_limit=1).open("localhost", "archive", "archive")
    with pytest.raises(StorageError):
        archive.begin_append("juliet", None, "no stanza", START, "x")
    waits = []
    try:
        waits = [archive.begin_append("juliet", None, message("x"), START, "x")[1]
                 for _ in range(2)]
        waits[0]()
        waits[1]()
        pytest.fail("an archive of one item has taken two")
    except StorageError as error:
        assert error.condition == "quota-limit"
    assert archive.find("juliet", {"total": True})[1] == 1


def several(*keys):
    return [(key, message(f"{key} {n}"), START, "x") for n, key in enumerate(keys)]


def keys(archive):
    return [item[0] for item in archive.find("juliet")[0]]


def test_several_items_are_added_in_their_order(archive):
    archive.append("juliet", "b", message("old"), START, "x")
    archive.append_all("juliet", several("a", "b", "c", "a"))
    assert keys(archive) == ["b", "c", "a"]
    assert archive.get("juliet", "a")[0].get_child_text("body") == "a 3"
    archive.append_all("juliet", [])
    assert archive.find("juliet", {"total": True})[1] == 3


@pytest.mark.parametrize("trim", [False, True])
def test_of_several_items_all_are_added_or_none(make_storage, trim):
    archive = make_storage(archive_item_limit=3, archive_trim=trim).open(
        "localhost", "archive", "archive")
    archive.append_all("juliet", several("a", "b"))
    for wrong in (several("a", "c", "d", "e"), [*several("c"), ("d", "no stanza", START, "x")]):
        with pytest.raises(StorageError):
            archive.append_all("juliet", wrong)
        assert keys(archive) == ["a", "b"]
    archive.append_all("juliet", several("b", "c"))
    assert keys(archive) == ["a", "b", "c"]
    if trim:
        archive.append_all("juliet", several("d", "e"))
        assert keys(archive) == ["c", "d", "e"]
    else:
        with pytest.raises(StorageError):
            archive.append_all("juliet", several("c", "d"))
        assert keys(archive) == ["a", "b", "c"]


def test_a_store_can_be_limited_by_who_uses_it(storage):
    archive = storage.open("localhost", "archive", "archive")
    other = storage.open("localhost", "offline", "archive")
    archive.limit_items(2)
    assert archive.caps["quota"] == 2 and not other.caps["quota"]
    for n in range(4):
        for store in (archive, other):
            store.append("juliet", str(n), message("x"), START + n, "x")
    assert [item[0] for item in archive.find("juliet")[0]] == ["2", "3"]
    assert other.find("juliet", {"total": True})[1] == 4
    archive.limit_items(None)
    archive.append("juliet", "4", message("x"), START + 4, "x")
    assert archive.find("juliet", {"total": True})[1] == 3


def test_set_replaces_an_item_where_it_stands(archive, ids):
    archive.set("juliet", ids[3], message("new"))
    value, when, with_ = archive.get("juliet", ids[3])
    assert (value.attr["id"], when, with_) == ("new", START + 180, "peer0")
    assert found(archive, ids, limit=5) == [0, 1, 2, 3, 4]
    archive.set("juliet", ids[3], message("newer"), START - 1, "other")
    assert archive.get("juliet", ids[3])[1:] == (START - 1, "other")
    assert found(archive, ids, limit=2) == [3, 0]
    assert archive.find("juliet", {"total": True})[1] == 250


def test_set_of_an_unknown_item_is_an_error(archive, ids):
    for user, key in (("juliet", "unknown"), ("nobody", ids[0])):
        with pytest.raises(StorageError) as caught:
            archive.set(user, key, message("x"), START, "x")
        assert caught.value.condition == "item-not-found"


@pytest.mark.parametrize(("query", "left"), [
    (None, []), ({}, []),
    ({"end": START + 60 * 244}, [245, 246, 247, 248, 249]),
    ({"start": START + 60 * 3}, [0, 1, 2]),
    ({"truncate": 2}, [248, 249]),
    ({"truncate": 0}, []),
    ({"truncate": 1000}, list(range(250))),
    ({"with": "peer1"}, [n for n in range(250) if n % 3 != 1]),
])
def test_delete_removes_what_matches_and_counts_it(archive, ids, query, left):
    assert archive.delete("juliet", query) == 250 - len(left)
    assert found(archive, ids) == left
    assert archive.find("juliet", {"total": True})[1] == len(left)
    assert len(list(archive.find("romeo")[0])) == 3


def test_delete_by_id(archive, ids):
    assert archive.delete("juliet", {"key": ids[5]}) == 1
    assert archive.delete("juliet", {"key": ids[5]}) == 0
    assert archive.delete("juliet", {"ids": [ids[6], ids[7], "unknown"]}) == 2
    assert archive.delete("juliet", {"before": ids[4]}) == 4
    assert found(archive, ids, limit=3) == [4, 8, 9]


def test_delete_of_many_items_deletes_all_of_them(storage, together):
    archive = storage.open("localhost", "muc_log", "archive")
    together(*[partial(archive.append, "room", str(n), message("x"), START + n, "x")
               for n in range(1203)])
    assert archive.delete("room", {"end": START + 1200}) == 1201
    assert archive.find("room", {"total": True})[1] == 2


def test_delete_for_everybody(archive, ids):
    archive.append(None, None, message("x"), START, "x")
    assert archive.delete(True, {"end": START + 60}) == 2 + 3 + 1
    assert list(archive.users()) == ["juliet"]
    assert archive.find("juliet", {"total": True})[1] == 248


def test_summary_tells_about_each_correspondent(archive, ids):
    archive.append("juliet", None, Stanza("message"), START + 60 * 300, "peer0")
    summary = archive.summary("juliet")
    assert summary == {
        "counts": {"peer0": 85, "peer1": 83, "peer2": 83},
        "earliest": {"peer0": START, "peer1": START + 60, "peer2": START + 120},
        "latest": {"peer0": START + 60 * 300, "peer1": START + 60 * 247,
                   "peer2": START + 60 * 248},
        "body": {"peer0": "text 249", "peer1": "text 247", "peer2": "text 248"},
    }
    assert archive.summary("juliet", {"with": "peer1", "end": START + 60 * 4}) == {
        "counts": {"peer1": 2}, "earliest": {"peer1": START + 60},
        "latest": {"peer1": START + 240}, "body": {"peer1": "text 4"}}


def test_dates_are_the_days_with_items(archive):
    for when in (0, 5, DAY - 0.000001, DAY, 10 * DAY + 7, 10 * DAY + 8, -1):
        archive.append("juliet", None, message("x"), when, "x")
    assert archive.dates("juliet") == ["1969-12-31", "1970-01-01", "1970-01-02", "1970-01-11"]


def test_users_are_those_with_items(archive):
    names = {f"user{n}" for n in range(30)} | {"é", "lone \udc80"}
    for name in names:
        for _ in range(2):
            key = archive.append(name, None, message("x"), START, "x")
    archive.append(None, None, message("x"), START, "x")
    archive.append("gone", "k", message("x"), START, "x")
    archive.delete("gone")
    assert sorted(archive.users()) == sorted(names)
    assert key


def test_times_are_kept_to_a_microsecond(archive):
    archive.append("juliet", "k", message("x"), 1700000000.123456, "x")
    assert archive.get("juliet", "k")[1] == 1700000000.123456


@pytest.mark.parametrize(("key", "value", "when", "with_"), [
    ("nul\0", message("x"), START, "x"), ("x" * 10000, message("x"), START, "x"),
    (None, message("x"), START, "lone \udc80"), (None, message("x"), START, None),
    (None, "text", START, "x"), (None, message("x"), float("inf"), "x"),
    (None, message("x"), 1e300, "x"), (None, message("x"), "now", "x"), (5, message("x"), 1, "x"),
])
def test_an_item_that_cannot_be_kept_is_refused(archive, key, value, when, with_):
    with pytest.raises(StorageError) as caught:
        archive.append("juliet", key, value, when, with_)
    assert caught.value.condition == "bad-request"
    assert list(archive.find("juliet")[0]) == []


def test_an_item_that_cannot_be_read_does_not_hide_the_others(archive, caplog):
    bad = ["a><b", "x", "a></item><item", "/a"]
    for name in ["good", *bad, "better"]:
        archive.append("juliet", None, Stanza(name), START, "x")
    assert [item[1].name for item in archive.find("juliet")[0]] == ["good", "x", "better"]
    assert "cannot be read" in caplog.text


def test_a_full_archive_refuses_more(make_storage):
    archive = make_storage(archive_item_limit=3).open("localhost", "archive", "archive")
    assert archive.caps["quota"] == 3
    for key in ("a", "b", "c", "b"):
        archive.append("juliet", key, message("x"), START, "x")
    with pytest.raises(StorageError) as caught:
        archive.append("juliet", "d", message("x"), START, "x")
    assert caught.value.condition == "quota-limit"
    archive.append("romeo", "d", message("x"), START, "x")
    archive.delete("juliet", {"key": "a"})
    archive.append("juliet", "d", message("x"), START, "x")
    assert [item[0] for item in archive.find("juliet")[0]] == ["c", "b", "d"]


def test_a_full_archive_loses_the_oldest_items_if_it_is_to_be_trimmed(make_storage):
    storage = make_storage(archive_item_limit=3, archive_trim=True)
    archive = storage.open("localhost", "archive", "archive")
    for n in range(6):
        archive.append("juliet", str(n), message("x"), START + n, "x")
    archive.append("juliet", "4", message("x"), START + 9, "x")
    items, total = archive.find("juliet", {"total": True})
    assert [item[0] for item in items] == ["3", "5", "4"]
    assert total == 3


def test_items_that_come_during_an_iteration_do_not_disturb_it(archive, ids):
    items, _ = archive.find("juliet", {"end": START + 60 * 249})
    seen = [next(items)[0] for _ in range(30)]
    archive.append("juliet", None, message("new"), START + 60 * 50, "x")
    archive.delete("juliet", {"before": ids[20]})
    seen += [item[0] for item in items]
    assert [key for key in seen if key in ids] == ids


def test_purge_deletes_the_archives_of_a_user(storage, archive, ids):
    storage.purge("localhost", "juliet")
    assert list(archive.users()) == ["romeo"]


# -- by the id that a message was sent with --------------------------------------------------


def sent_with(archive, id, with_="peer", user="juliet"):
    """Return the keys of what is found."""
    items = archive.said(user, with_, id)
    assert all(item[1].attr["id"] == id and item[3] == with_ for item in items)
    return [item[0] for item in items]


def test_messages_are_found_by_the_id_that_they_were_sent_with(archive):
    archive.append("juliet", "before", message("x"), START, "peer")
    archive.index_ids()
    for key, id, with_, user in (("1", "a'<&>\u00e4\U0001f600", "peer", "juliet"),
                                 ("2", "x", "peer", "juliet"), ("3", "x", "peer", "juliet"),
                                 ("4", "x", "other", "juliet"), ("5", "x", "peer", "romeo")):
        archive.append(user, key, message(id), START, with_)
    archive.append("juliet", "none", Stanza("message").body("x"), START, "peer")
    assert sent_with(archive, "a'<&>\u00e4\U0001f600") == ["1"]
    assert sent_with(archive, "x") == ["3", "2"]
    assert sent_with(archive, "x", "other") == ["4"] and sent_with(archive, "x", user="romeo") == [
        "5"]
    assert sent_with(archive, "nothing") == [] and sent_with(archive, "x", user="nobody") == []


def test_what_is_changed_or_gone_is_found_as_it_is(archive):
    archive.index_ids()
    for key in ("1", "2", "3"):
        archive.append("juliet", key, message("x"), START, "peer")
    archive.set("juliet", "1", Stanza("message", {"id": "x"}))
    archive.delete("juliet", {"key": "2"})
    archive.append("juliet", "3", message("y"), START, "peer")
    assert sent_with(archive, "x") == ["1"] and sent_with(archive, "y") == ["3"]
    archive.delete("juliet")
    assert sent_with(archive, "x") == sent_with(archive, "y") == []


def test_many_messages_with_the_same_id_are_not_all_looked_at(archive):
    archive.index_ids()
    for number in range(30):
        archive.append("juliet", str(number), message("x"), START, "peer")
    assert sent_with(archive, "x") == [str(number) for number in range(29, 9, -1)]
