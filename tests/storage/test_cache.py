"""The cache beside reads and writes that overlap in every way."""

from prosody_py.storage.cache import WHOLE, RowCache

JULIET, ROMEO = (1, "juliet"), (1, "romeo")


def load(cache, owner=JULIET, text=b"1", part=WHOLE):
    cache.end_load(owner, cache.begin_load(owner), {part: text})


def kept(cache, owner=JULIET, part=WHOLE):
    return cache.get(owner, part, "unknown")


def test_what_was_read_is_kept_also_that_there_is_nothing():
    cache = RowCache(10_000)
    assert kept(cache) == "unknown"
    load(cache, text=None)
    load(cache, ROMEO, b"2", "key")
    assert kept(cache) is None
    assert kept(cache, ROMEO, "key") == b"2"
    assert kept(cache, ROMEO) == "unknown"


def test_a_read_that_began_before_a_write_ended_is_not_kept():
    for begin, end in (("before", "during"), ("before", "after"), ("during", "during"),
                       ("during", "after")):
        cache = RowCache(10_000)
        loading = cache.begin_load(JULIET) if begin == "before" else None
        cache.begin_write(JULIET)
        loading = loading or cache.begin_load(JULIET)
        if end == "during":
            cache.end_load(JULIET, loading, {WHOLE: b"old"})
        cache.end_write(JULIET)
        if end == "after":
            cache.end_load(JULIET, loading, {WHOLE: b"old"})
        assert kept(cache) == "unknown", (begin, end)
        load(cache, text=b"new")
        assert kept(cache) == b"new"


def test_a_read_after_a_write_is_kept_though_an_older_one_is_still_under_way():
    cache = RowCache(10_000)
    old = cache.begin_load(JULIET)
    cache.begin_write(JULIET)
    during = cache.begin_load(JULIET)
    cache.end_write(JULIET)
    new = cache.begin_load(JULIET)
    cache.end_load(JULIET, new, {WHOLE: b"new"})
    cache.end_load(JULIET, old, {WHOLE: b"old"})
    cache.end_load(JULIET, during, {WHOLE: b"old"})
    assert kept(cache) == b"new"


def test_nothing_is_kept_during_writes_and_the_last_one_decides():
    cache = RowCache(10_000)
    load(cache, text=b"old")
    cache.begin_write(JULIET)
    cache.begin_write(JULIET)
    assert kept(cache) == "unknown"
    cache.end_write(JULIET, b"first", known=True)
    assert kept(cache) == "unknown"
    load(cache, text=b"first")
    assert kept(cache) == "unknown"
    cache.end_write(JULIET, b"second", known=True)
    assert kept(cache) == b"second"
    cache.begin_write(JULIET)
    cache.end_write(JULIET)
    assert kept(cache) == "unknown"


def test_a_write_drops_all_parts_and_no_other_user():
    cache = RowCache(10_000)
    load(cache, part="a")
    load(cache, ROMEO)
    cache.begin_write(JULIET)
    cache.end_write(JULIET, b"new", known=True)
    assert kept(cache, part="a") == "unknown"
    assert kept(cache, ROMEO) == b"1"


def test_clear_forgets_what_is_being_read():
    cache = RowCache(10_000)
    load(cache, ROMEO)
    loading = cache.begin_load(JULIET)
    cache.clear()
    cache.end_load(JULIET, loading, {WHOLE: b"old"})
    assert kept(cache) == kept(cache, ROMEO) == "unknown"
    assert cache.size == 0


def test_the_least_recently_used_is_dropped_first_and_the_size_is_right():
    cache = RowCache(10_000)
    for n in range(100):
        load(cache, (1, str(n)), b"x" * 100)
        kept(cache, (1, "0"))
    assert kept(cache, (1, "0")) == b"x" * 100
    assert kept(cache, (1, "1")) == "unknown"
    assert 9_000 < cache.size <= 10_000
    load(cache, (1, "0"), b"x" * 5_000)
    assert kept(cache, (1, "0")) == "unknown"
    for n in range(100):
        cache.begin_write((1, str(n)))
        cache.end_write((1, str(n)))
    assert cache.size == 0
