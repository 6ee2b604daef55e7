"""Stringprep profiles and IDNA."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.xmpp import prep
from prosody_py.xmpp.prep import (
    PrepError,
    idna_to_ascii,
    idna_to_unicode,
    nameprep,
    nodeprep,
    resourceprep,
    saslprep,
)

PROFILES = (nodeprep, nameprep, resourceprep, saslprep)

# Prepared text is mostly ASCII with a few hard characters; plain st.text() rarely meets them.
HARD = "\u00ad\u0130\u0345\u03a3\u05d0\u0661\u1e9b\u1fbc\u200b\u2100\u3002\u3371\uff20\U0001f600"
texts = st.text() | st.text(alphabet=st.sampled_from("aB1 .@/\\" + HARD), max_size=8)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("romeo", "romeo"),
        ("ROMEO.Montague-1", "romeo.montague-1"),
        ("", ""),
        ("Ju\u00adliet", "juliet"),  # soft hyphen goes
        ("Stra\u00dfe", "strasse"),
        ("\u0130", "i\u0307"),
        ("\u03a3", "\u03c3"),
        ("\uff32\uff4f\uff4d\uff45\uff4f", "romeo"),  # full width
        ("\u2167", "viii"),
    ],
)
def test_nodeprep_folds_and_normalises(text, prepared):
    assert nodeprep(text) == prepared


@pytest.mark.parametrize("char", list(" \"&'/:<>@\x00\x1f\x7f") + ["\u00a0", "\uff20", "\u2100"])
def test_nodeprep_refuses_separators_also_in_disguise(char):
    with pytest.raises(PrepError):
        nodeprep(f"a{char}b")


def test_case_pairs_completed_after_unicode_3_2_stay_as_they_are():
    assert nodeprep("\u10a0\u04c0\u2132\u13a0") == "\u10a0\u04c0\u2132\u13a0"


def test_nameprep_folds_but_leaves_ascii_rules_to_others():
    assert nameprep("MONTAGUE.Example_1") == "montague.example_1"
    assert nameprep("B\u00dcCHER") == "b\u00fccher"


def test_resourceprep_keeps_case_and_inner_spaces():
    assert resourceprep("Balcony 12/\u00c4") == "Balcony 12/\u00c4"
    assert resourceprep("\u2168") == "IX"


@pytest.mark.parametrize("text", ["a\nb", "\u1680", "\u200e", "\ue000", "\ufffd", "\U0010ffff"])
def test_resourceprep_refuses_what_is_not_text(text):
    with pytest.raises(PrepError):
        resourceprep(text)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"), ("\u2168", "IX"),
     ("a\u00a0b", "a b")],
)
def test_saslprep_gives_the_examples_of_rfc_4013(text, prepared):
    assert saslprep(text) == prepared


@pytest.mark.parametrize("text", ["\x07", "\u06271", "\u0627a\u0627", "\u062a\u0628 x"])
def test_saslprep_refuses_controls_and_mixed_directions(text):
    with pytest.raises(PrepError):
        saslprep(text)


def test_right_to_left_text_with_numbers_inside_is_fine():
    assert saslprep("\u06271\u0628") == "\u06271\u0628"


def test_unassigned_code_points_are_refused_in_stored_strings_only():
    for profile in PROFILES:
        assert profile("\U0001f600", strict=False) == "\U0001f600"
        with pytest.raises(PrepError, match="Unicode 3.2"):
            profile("\U0001f600", strict=True)
    assert nodeprep("\U0001f600") == "\U0001f600"
    with pytest.raises(PrepError):
        saslprep("\U0001f600")


@pytest.mark.parametrize("profile", PROFILES)
def test_limit_is_1023_bytes_before_and_after(profile):
    assert len(profile("a" * 1023)) == 1023
    for text in ("a" * 1024, "A" * 1024, "\u00e9" * 512, "\u337f" * 300, "a" + "\u00ad" * 512):
        with pytest.raises(PrepError, match="longer than 1023"):
            profile(text)


@pytest.mark.parametrize("profile", PROFILES)
def test_lone_surrogates_are_refused(profile):
    with pytest.raises(PrepError):
        profile("a\ud800")


def test_errors_do_not_quote_the_text():
    with pytest.raises(PrepError) as caught:
        saslprep("geheim\x07")
    assert "geheim" not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PROFILES), texts)
def test_preparing_twice_changes_nothing(profile, text):
    try:
        once = profile(text)
    except PrepError:
        return
    assert profile(once) == once


@settings(max_examples=100)
@given(st.sampled_from(PROFILES), st.text(st.characters(max_codepoint=0x7F)))
def test_the_fast_path_agrees_with_the_full_algorithm(profile, text):
    full = {nodeprep: prep._NODE, nameprep: prep._NAME, resourceprep: prep._RESOURCE,
            saslprep: prep._SASL}[profile]
    try:
        expected = full.prepare(text, strict=True)
    except PrepError:
        with pytest.raises(PrepError):
            profile(text)
    else:
        assert profile(text) == expected


@pytest.mark.parametrize(
    ("text", "ascii_form"),
    [
        ("montague.example", "montague.example"),
        ("Montague.EXAMPLE.", "montague.example."),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER\u3002example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),  # IDNA2008, not strasse
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_domain_names_get_their_ascii_form(text, ascii_form):
    assert idna_to_ascii(text) == ascii_form
    assert idna_to_ascii(ascii_form) == ascii_form


def test_domain_names_get_their_readable_form():
    assert idna_to_unicode("xn--bcher-kva.example") == "b\u00fccher.example"
    assert idna_to_unicode("b\u00fccher.example") == "b\u00fccher.example"
    assert idna_to_unicode("Montague.example") == "montague.example"


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", ".a", "a b", "a_b.example", "-a.example", "a" * 64, "a." * 127 + "a",
     "xn--\u00e4", "xn--a", "a.xn--0", "a\ud800", "\u2100.example", "a/b", "x" * 300],
)
@pytest.mark.parametrize("convert", [idna_to_ascii, idna_to_unicode])
def test_what_is_no_domain_name_is_refused(convert, text):
    with pytest.raises(PrepError):
        convert(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_idna_raises_nothing_but_prep_error(text):
    for convert in (idna_to_ascii, idna_to_unicode):
        try:
            convert(text)
        except PrepError:
            pass
