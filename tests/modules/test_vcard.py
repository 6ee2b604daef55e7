"""mod_vcard: XEP-0054."""

from __future__ import annotations

import hashlib

import pytest

from prosody_py.hosts import users
from prosody_py.xmpp import builders as stanza

pytestmark = pytest.mark.twins("vcard")

EMPTY = "<vCard xmlns='vcard-temp'/>"
NOTHING = ("service-unavailable", "item-not-found")  # the second one is what Debian's says
FULL = "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>"


def name_in(answer):
    assert answer.attr["type"] == "result", str(answer)
    return answer.get_child("vCard", "vcard-temp").get_child_text("FN")


def condition(answer):
    return answer.get_error()[1]


def test_own_card_is_written_and_everybody_reads_it(start_server):
    running = start_server(["vcard"])
    juliet = running.client("juliet")
    assert juliet.iq("set", FULL).attr["type"] == "result"
    assert name_in(juliet.iq("get", EMPTY)) == "Juliet"
    assert name_in(running.client("romeo").iq("get", EMPTY, "juliet@localhost")) == "Juliet"


def test_own_address_counts_as_own(start_server):
    juliet = start_server(["vcard"]).client("juliet")
    assert juliet.iq("set", FULL, "juliet@localhost").attr["type"] == "result"
    assert name_in(juliet.iq("get", EMPTY, "juliet@localhost")) == "Juliet"


@pytest.mark.parametrize("to", ["romeo@localhost", "nobody@localhost", "localhost"])
def test_cards_of_others_cannot_be_written(start_server, to):
    running = start_server(["vcard"])
    running.user("romeo")
    assert condition(running.client("juliet").iq("set", FULL, to)) == "forbidden"
    assert condition(running.client("romeo").iq("get", EMPTY)) == "item-not-found"


def test_an_account_without_a_card_looks_like_no_account(start_server):
    running = start_server(["vcard"])
    running.user("romeo")
    juliet = running.client("juliet")
    for name in ("romeo", "nobody"):
        assert condition(juliet.iq("get", EMPTY, f"{name}@localhost")) in NOTHING


def test_host_may_have_a_card(start_server):
    running = start_server(["vcard"])
    juliet = running.client("juliet")
    assert condition(juliet.iq("get", EMPTY, "localhost")) in NOTHING
    running.server.storage.open("localhost", "vcard", "keyval").set(
        None, {"name": "vCard", "attr": {"xmlns": "vcard-temp"},
               1: {"name": "FN", "attr": {}, 1: "The host"}})
    assert name_in(juliet.iq("get", EMPTY, "localhost")) == "The host"


@pytest.mark.ours_alone("Debian's fires no event")
def test_modules_hear_of_a_change_after_it_is_stored(start_server):
    running = start_server(["vcard"])
    seen = []
    store = running.server.storage.open("localhost", "vcard", "keyval")
    running.server.hosts["localhost"].events.add_handler(
        "vcard-updated", lambda event: seen.append(store.get(event.origin.username)["name"]))
    running.client("juliet").iq("set", FULL)
    assert seen == ["vCard"]


def test_nothing_is_left_of_an_account_that_is_removed(start_server):
    running = start_server(["vcard"])
    running.client("juliet").iq("set", FULL)
    users.delete_user(running.server, "juliet", "localhost")
    answer = running.client("romeo").iq("get", EMPTY, "juliet@localhost")
    assert condition(answer) in NOTHING


@pytest.mark.ours_alone("Debian's offers no function")
def test_avatar_hash_is_that_of_the_photo(start_server):
    running = start_server(["vcard"])
    avatar_hash = running.server.hosts["localhost"].modules["vcard"].exports.get_avatar_hash
    card = stanza.stanza("vCard", xmlns="vcard-temp")
    assert avatar_hash(card) is None
    card.tag("PHOTO").text_tag("BINVAL", "aGVs\nbG8=").up()
    assert avatar_hash(card) == hashlib.sha1(b"hello").hexdigest()
