"""A roster as data: its stored form, and the lists that follow from it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.hosts.roster_items import MAX_KEPT_STANZAS, Roster, RosterItem
from prosody_py.hosts.subscriptions import State
from prosody_py.storage.values import rows_of, value_of_whole, whole_text
from prosody_py.xmpp.builders import presence

texts = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.text("abcdefghij", min_size=1, max_size=6)
jids = st.builds("{}@{}.example".format, names, names)
items = st.builds(
    RosterItem, st.sampled_from(("none", "to", "from", "both")),
    st.sampled_from((None, "subscribe")), st.one_of(st.none(), texts.filter(bool)),
    st.lists(texts.filter(bool), max_size=3, unique=True), st.booleans(),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(("x", "y")), texts, min_size=1)))
requests = st.one_of(st.just(True), st.builds(
    lambda sender, status: presence({"from": sender, "type": "subscribe"}).text_tag(
        "status", status, {"http://www.w3.org/XML/1998/namespace\x01lang": "en"}), jids, texts))


def through_the_store(stored):
    """Return what a store gives back for a value."""
    return value_of_whole(whole_text(rows_of(stored)))


def loaded(stored):
    roster = Roster("me", "here.example")
    roster.fill(stored)
    return roster


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(jids, items, max_size=5), st.dictionaries(jids, requests, max_size=3),
       st.integers(0, 2**40))
def test_a_roster_survives_the_store(contacts, pending, version):
    roster = Roster("me", "here.example")
    roster.update(contacts)
    roster.pending.update(pending)
    roster.version = roster.counter = version
    again = loaded(through_the_store(roster.to_stored()))
    assert dict(again) == contacts
    assert again.version == version
    assert {jid: str(request) for jid, request in again.pending.items()} == {
        jid: str(request) for jid, request in pending.items()}


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(
            st.sampled_from(("subscription", "groups", "name", "attr", "pending", "version", "a@b",
                             "me@here.example")),
            st.just(False), st.integers(1, 2)), inner, max_size=4)), max_leaves=12)


@settings(max_examples=150, deadline=None)
@given(anything)
def test_stored_nonsense_never_breaks_a_roster(stored):
    roster = loaded(stored)
    assert "me@here.example" not in roster
    loaded(through_the_store(roster.to_stored()))


def test_the_stored_form_is_that_of_prosody():
    roster = loaded({
        "juliet@example.com": {"subscription": "from", "ask": "subscribe", "name": "Juliet",
                               "groups": {"Friends": True, "Verona": True}},
        "nurse@example.com": {"subscription": "none", "groups": {}, "approved": True},
        False: {"version": 7, "pending": {
            "paris@example.net": True,
            "tybalt@example.net": {"name": "presence", "attr": {"type": "subscribe"},
                                   1: {"name": "status", "attr": [], 1: "Ha"}}}},
    })
    juliet = roster["juliet@example.com"]
    assert (juliet.subscription, juliet.ask, juliet.name) == ("from", "subscribe", "Juliet")
    assert list(juliet.groups) == ["Friends", "Verona"]
    assert roster["nurse@example.com"].approved is True
    assert roster.version == 7
    assert roster.pending["paris@example.net"] is True
    assert str(roster.pending["tybalt@example.net"]) == (
        "<presence type='subscribe'><status>Ha</status></presence>")
    stored = roster.to_stored()
    assert stored["juliet@example.com"] == {
        "subscription": "from", "ask": "subscribe", "name": "Juliet",
        "groups": {"Friends": True, "Verona": True}}
    assert stored[False]["version"] == 7


def test_requests_at_the_old_place_are_found():
    roster = loaded({"pending": {"paris@example.net": True}, "a@b": {"subscription": "to"}})
    assert list(roster.pending) == ["paris@example.net"]
    assert list(roster) == ["a@b"]


def test_the_lists_of_contacts_follow_every_change():
    roster = Roster("me", "here.example")
    roster["a@b"] = RosterItem("both")
    roster["c@d"] = RosterItem("to")
    assert [contact.jid for contact in roster.subscribers] == ["a@b"]
    assert [contact.jid for contact in roster.subscribed_to] == ["a@b", "c@d"]
    roster["c@d"].subscription = "from"
    assert [contact.jid for contact in roster.subscribers] == ["a@b", "c@d"]
    del roster["a@b"]
    roster["e@f"] = {"subscription": "both", "groups": {}}
    assert [contact.jid for contact in roster.subscribers] == ["c@d", "e@f"]
    assert [contact.jid for contact in roster.subscribed_to] == ["e@f"]
    assert roster.subscribers[0].to == b" to='c@d'"


def test_the_address_of_a_contact_is_escaped_once_and_for_all():
    roster = Roster("me", "here.example")
    roster["o'neil@example.com"] = RosterItem("from")
    assert roster.subscribers[0].to == b" to='o&apos;neil@example.com'"


def test_everybody_sees_their_own_presence():
    roster = Roster("me", "here.example")
    assert roster.is_contact_subscribed("me@here.example")
    assert roster.is_user_subscribed("me@here.example")
    assert not roster.is_contact_subscribed("you@here.example")


def test_items_of_modules_are_not_stored():
    roster = Roster("me", "here.example")
    roster["team@example.com"] = {"subscription": "both", "persist": False}
    roster["a@b"] = RosterItem("to")
    assert list(roster.to_stored()) == ["a@b", False]


def test_only_small_requests_are_kept_and_not_too_many():
    roster = Roster("me", "here.example")
    small, large = presence({"type": "subscribe"}), presence().text_tag("status", "x" * 3000)
    deep = presence()
    for _ in range(80):
        deep.tag("a")
    assert roster.keep_request("a@b", small) is small
    assert roster.keep_request("a@b", large) is True
    assert roster.keep_request("a@b", deep) is True
    roster.pending.update({f"{number}@b": True for number in range(MAX_KEPT_STANZAS)})
    assert roster.keep_request("a@b", small) is True


def test_the_state_is_made_of_item_and_requests():
    roster = Roster("me", "here.example")
    roster["a@b"] = RosterItem("from", "subscribe")
    roster.pending["c@d"] = True
    assert roster.state("a@b") == State("from", True)
    assert roster.state("c@d") == State("none", False, True)
    assert roster.state("e@f") == State("none")


def test_a_new_roster_does_not_repeat_the_versions_of_an_old_one():
    roster = Roster("me", "here.example")
    first = roster.next_counter()
    assert first > 1_000_000_000
    roster.take_over(first, "a@b", RosterItem(), {})
    assert roster.version == first and roster.next_counter() == first + 1
