import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.config import values
from prosody_py.config.values import NEVER, Wrong

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.integers()),
)


@pytest.mark.parametrize("written, seconds", [
    (300, 300), ("300", 300), (0.5, 0.5), ("2 days", 172800), ("1w", 604800), ("1 W", 604800),
    ("5 minutes", 300), ("5mi", 300), ("1.5 hours", 5400), ("10 s", 10), ("2 months", 5356800),
    ("1 year", 365.2425 * 86400), ("never", NEVER), ("NEVER", NEVER), (False, NEVER), (0, 0),
])
def test_a_period_is_seconds_or_words(written, seconds):
    assert values.period(written) == seconds


@pytest.mark.parametrize("written", [
    True, -1, "-1", "", "soon", "5 parsecs", "5 minuets", None, [5], {}, math.nan, -math.inf,
    "1 day 2 hours", "9" * 400, "1" + "0" * 400 + " years",
])
def test_what_is_no_period_is_refused(written):
    with pytest.raises(Wrong):
        values.period(written)


def test_a_period_in_m_is_refused_because_it_is_ambiguous():
    with pytest.raises(Wrong, match="m may mean minutes or months"):
        values.period("5m")


@given(st.integers(0, 10**6), st.sampled_from(
    [("s", 1), (" seconds", 1), ("min", 60), (" hours", 3600), ("d", 86400), (" weeks", 604800)]))
@settings(max_examples=60)
def test_a_period_is_its_quantity_times_its_unit(quantity, unit):
    word, seconds = unit
    assert values.period(f"{quantity}{word}") == quantity * seconds
    assert values.period(f" {quantity}{word.upper()} ") == quantity * seconds


@pytest.mark.parametrize("written, size", [
    (4096, 4096), ("4096", 4096), ("256 KB", 262144), ("256k", 262144), ("256KiB", 262144),
    ("1.5 MB", 1572864), ("1 GB", 2**30), ("2 TB", 2**41), ("10 bytes", 10), ("10B", 10), (0, 0),
    (1.2, 2),
])
def test_a_size_is_bytes_in_steps_of_1024(written, size):
    assert values.size(written) == size


@given(st.integers(0, 2**30), st.sampled_from(["", "K", "M", "G", "T"]),
       st.sampled_from(["", "B", "iB"]))
@settings(max_examples=60)
def test_a_size_is_its_quantity_times_its_unit(quantity, prefix, suffix):
    if not prefix:
        suffix = suffix.replace("i", "")
    expected = quantity * 1024 ** " KMGT".index(prefix or " ")
    assert values.size(f"{quantity} {prefix}{suffix}") == expected


@pytest.mark.parametrize("written", ["10 KX", "ten", -1, True, None, [], "10 kb/s", "iB", "5 i"])
def test_what_is_no_size_is_refused(written):
    with pytest.raises(Wrong):
        values.size(written)


@pytest.mark.parametrize("written, expected", [
    ("10kb/s", 10_000), ("10 KB/s", 10_000), ("1.5 mb/s", 1_500_000), ("10 KiB/s", 10_240),
    (3000, 3000), ("3000", 3000), ("500 b/s", 500),
])
def test_a_rate_is_bytes_a_second_in_steps_of_1000(written, expected):
    assert values.rate(written) == expected


@pytest.mark.parametrize("written", ["10kb", "10kb/min", 0, -5, "fast", True, "/s"])
def test_what_is_no_rate_is_refused(written):
    with pytest.raises(Wrong):
        values.rate(written)


@pytest.mark.parametrize("written", [True, "true", "True", "yes", "on", 1, "1", 1.0])
def test_words_for_true(written):
    assert values.boolean(written) is True


@pytest.mark.parametrize("written", [False, "false", "no", "OFF", 0, "0"])
def test_words_for_false(written):
    assert values.boolean(written) is False


@pytest.mark.parametrize("written", ["maybe", 2, "", None, [], {}])
def test_what_is_no_boolean_is_refused(written):
    with pytest.raises(Wrong):
        values.boolean(written)


@pytest.mark.parametrize("written, number", [(5, 5), ("5", 5), ("-5.5", -5.5), ("1e3", 1000.0)])
def test_a_number_may_be_written_as_text(written, number):
    assert values.number(written) == number


@pytest.mark.parametrize("written", [
    True, "5 a", "", "1e999", math.inf, math.nan, "٣", "9" * 5000, [1],
])
def test_what_is_no_finite_number_is_refused(written):
    with pytest.raises(Wrong):
        values.number(written)


@given(ANYTHING)
@settings(max_examples=150)
def test_readers_give_a_good_value_or_say_wrong(value):
    for read in (values.period, values.size, values.rate, values.number, values.integer):
        try:
            result = read(value)
        except Wrong:
            continue
        assert isinstance(result, int | float) and not math.isnan(result)
        assert read in (values.number, values.integer) or result >= 0


@given(ANYTHING)
@settings(max_examples=80)
def test_a_value_is_described_without_its_text_when_secret(value):
    assert values.describe(value)
    if isinstance(value, str) and len(value) > 4:
        assert value not in values.describe(value, secret=True)


def test_relative_paths_start_at_the_base_and_absolute_ones_stay():
    assert values.resolve_path("/etc/x", "certs/../a") == "/etc/x/a"
    assert values.resolve_path("/etc/x", "/var/a") == "/var/a"
    assert values.resolve_path(None, "a") == "a"
