"""Reading one's archive: pages, filters, and what is refused (XEP-0313)."""

from __future__ import annotations

import pytest

from prosody_py.storage import archive_page
from prosody_py.testing.archives import Archive, form, page

pytestmark = pytest.mark.twins("mam")

MAM, DISCO = "urn:xmpp:mam:2", "http://jabber.org/protocol/disco#info"
EVERYTHING = [*(f"line {number}" for number in range(5)), "answer"]
OURS = pytest.mark.ours_alone("Debian's does not do this, or otherwise")


def test_everything_said_is_in_the_archive_of_both(talk):
    juliet, romeo = talk
    found = juliet.query()
    assert found.bodies == EVERYTHING == romeo.bodies()
    assert len(set(found.ids)) == 6 and found.complete and found.of_set("count") == "6"
    assert (found.of_set("first"), found.of_set("last")) == (found.ids[0], found.ids[-1])
    assert found.stamps == sorted(found.stamps)
    assert found.answer.attr.get("from", juliet.client.bare_jid) == juliet.client.bare_jid


def test_a_message_carries_the_id_that_it_has_in_the_archive(talk):
    juliet, romeo = talk
    romeo.say(juliet.client.bare_jid, "marked")
    live = juliet.client.receive_until(
        lambda element: element.get_child_text("body") == "marked")
    (mark,) = [tag for tag in live.tags if tag.name == "stanza-id"]
    assert mark.attr == {"xmlns": "urn:xmpp:sid:0", "by": juliet.client.bare_jid,
                         "id": juliet.query().ids[-1]}


def test_the_archive_is_read_page_by_page_in_both_directions(talk):
    juliet, _romeo = talk
    first = juliet.query(page("<max>2</max>"))
    assert first.bodies == ["line 0", "line 1"] and not first.complete
    second = juliet.query(page(f"<max>2</max><after>{first.ids[-1]}</after>"))
    assert second.bodies == ["line 2", "line 3"] and not second.complete
    third = juliet.query(page(f"<max>2</max><after>{second.ids[-1]}</after>"))
    assert third.bodies == ["line 4", "answer"] and third.complete
    nothing = juliet.query(page(f"<max>2</max><after>{third.ids[-1]}</after>"))
    assert nothing.ids == [] and nothing.complete and nothing.of_set("first") is None
    last = juliet.query(page("<max>2</max><before/>"))
    assert last.bodies == ["line 4", "answer"] and not last.complete
    before = juliet.query(page(f"<max>4</max><before>{last.ids[0]}</before>"))
    assert before.bodies == EVERYTHING[:4] and before.complete
    assert (before.of_set("first"), before.of_set("last")) == (before.ids[0], before.ids[-1])


def test_a_flipped_page_has_the_same_messages_newest_first(talk):
    juliet, _romeo = talk
    found = juliet.query("<flip-page/>" + page("<max>2</max>"))
    assert found.bodies == ["line 1", "line 0"]
    assert juliet.bodies("<flip-page/>" + page("<max>2</max><before/>")) == ["answer", "line 4"]


@pytest.mark.parametrize("set", ["<after>unknown</after>", "<before>unknown</before>"])
def test_a_page_beside_an_unknown_message_is_an_error(talk, set):
    assert talk[0].query(page(f"<max>2</max>{set}")).error == "item-not-found"


def test_the_archive_is_searched_by_partner(talk, people):
    juliet, romeo = talk
    assert juliet.bodies(form(with_=romeo.client.bare_jid)) == EVERYTHING
    assert juliet.bodies(form(with_=people.jid("nurse"))) == []
    mine = juliet.query(form(with_=romeo.client.bare_jid) + page("<max>1</max><before/>"))
    assert mine.bodies == ["answer"] and not mine.complete


@OURS
def test_the_archive_is_searched_by_full_address(talk, people):
    juliet, romeo = talk
    street = Archive(people.login("romeo", "street"))
    street.say(juliet.client.bare_jid, "from the street")
    assert juliet.bodies(form(with_=street.client.jid)) == ["from the street"]
    assert juliet.bodies(form(with_=romeo.client.jid)) == EVERYTHING
    page_of = juliet.query(form(with_=romeo.client.jid) + page("<max>2</max>"))
    assert page_of.bodies == EVERYTHING[:2] and not page_of.complete


@OURS
def test_a_search_that_looks_at_too_much_is_refused(talk, monkeypatch):
    juliet, romeo = talk
    monkeypatch.setattr(archive_page, "MAX_LOOKED_AT", 3)
    found = juliet.query(form(with_=romeo.client.bare_jid + "/elsewhere"))
    assert found.error == "resource-constraint"
    assert juliet.query(form(with_=romeo.client.jid) + page("<max>2</max>")).bodies == [
        "line 0", "line 1"]


@OURS
def test_what_one_has_said_to_oneself_is_there_once(talk):
    juliet, _romeo = talk
    juliet.say(juliet.client.bare_jid, "to the account")
    juliet.say(juliet.client.jid, "to the client")
    told = ["to the account", "to the client"]
    assert juliet.bodies(form(with_=juliet.client.bare_jid)) == told
    assert juliet.bodies()[6:] == told


def test_the_archive_is_searched_by_time(talk):
    juliet, _romeo = talk
    stamps = juliet.query().stamps
    assert juliet.bodies(form(start="2099-01-01T00:00:00Z")) == []
    assert juliet.bodies(form(end="2001-01-01T00:00:00Z")) == []
    assert len(juliet.bodies(form(start="2001-01-01T00:00:00Z",
                                  end="2099-01-01T00:00:00Z"))) == 6
    assert "answer" in juliet.bodies(form(start=stamps[-1]))
    assert "line 0" in juliet.bodies(form(end=stamps[0]))


@OURS
def test_times_are_exact_and_inclusive(talk):
    juliet, _romeo = talk
    stamps = juliet.query().stamps
    assert juliet.bodies(form(start=stamps[4])) == EVERYTHING[4:]
    assert juliet.bodies(form(start=stamps[1], end=stamps[2])) == EVERYTHING[1:3]


def test_the_archive_is_searched_between_known_messages(talk):
    juliet, _romeo = talk
    ids = juliet.query().ids
    assert juliet.bodies(form(after_id=ids[3])) == EVERYTHING[4:]
    assert juliet.bodies(form(before_id=ids[2])) == EVERYTHING[:2]
    assert juliet.bodies(form(after_id=ids[0], before_id=ids[3])) == EVERYTHING[1:3]


@OURS
def test_pages_stay_between_known_messages(talk):
    juliet, _romeo = talk
    ids = juliet.query().ids
    between = form(after_id=ids[0], before_id=ids[5])
    assert juliet.bodies(between + page(f"<max>9</max><after>{ids[2]}</after>")) == [
        "line 3", "line 4"]
    found = juliet.query(between + page(f"<max>1</max><before>{ids[3]}</before>"))
    assert found.bodies == ["line 2"] and not found.complete


def test_messages_are_fetched_by_id(talk):
    juliet, _romeo = talk
    ids = juliet.query().ids
    assert juliet.bodies(form(ids=[ids[4], ids[1]])) == ["line 1", "line 4"]
    assert juliet.bodies(form(ids=ids[0])) == ["line 0"]


@pytest.mark.parametrize("field", ["before_id", "after_id"])
def test_a_search_beside_an_unknown_message_is_an_error(talk, field):
    assert talk[0].query(form(**{field: "unknown"})).error == "item-not-found"


@OURS
def test_fetching_an_unknown_message_is_an_error(talk):
    ids = talk[0].query().ids
    assert talk[0].query(form(ids=[ids[0], "unknown"])).error == "item-not-found"


@pytest.mark.parametrize(("query", "condition"), [
    (form(start="yesterday"), "bad-request"), (form(end="2020-13-01T00:00:00Z"), "bad-request"),
    (form(with_="@@"), "bad-request"),
    pytest.param(form(subject="x"), "feature-not-implemented", marks=OURS),
    pytest.param(form(include_groupchat="maybe"), "bad-request", marks=OURS),
    pytest.param(form().replace(MAM, "urn:x"), "bad-request", marks=OURS),
    pytest.param(form(ids=["x"] * 1001), "bad-request", marks=OURS),
    pytest.param(form(before_id="x" * 2000), "bad-request", marks=OURS),
    pytest.param(page("<max>many</max>"), "bad-request", marks=OURS),
    pytest.param(page("<max>-1</max>"), "bad-request", marks=OURS),
    pytest.param(page("<index>5</index>"), "feature-not-implemented", marks=OURS)])
def test_a_query_that_is_wrong_gets_an_error(talk, query, condition):
    juliet, _romeo = talk
    found = juliet.query(query)
    assert found.error == condition and found.ids == []
    assert juliet.bodies() == EVERYTHING


@OURS
def test_a_page_of_nothing_tells_how_many_there_are(talk):
    juliet, romeo = talk
    for inside, count in (("", "6"), (form(with_=romeo.client.bare_jid), "6"),
                          (form(with_="nobody@localhost"), "0")):
        found = juliet.query(inside + page("<max>0</max>"))
        assert found.ids == [] and found.of_set("count") == count
        assert found.complete == (count == "0")


@OURS
@pytest.mark.parametrize(("inside", "index", "count"), [
    (page("<max>2</max>"), "0", "6"),
    (page("<max>2</max><before/>"), "4", "6"),
    (page("<max>10</max><before/>"), "0", "6"),
    (page("<max>2</max><before>{ids[2]}</before>"), "0", "6"),
    (page("<max>2</max><before>{ids[4]}</before>"), None, "6"),
    (page("<max>2</max><after>{ids[1]}</after>"), None, "6"),
    (page("<max>2</max><after>{ids[3]}</after>"), "4", "6"),
    (form(with_="romeo") + page("<max>2</max>"), "0", None),
    (form(with_="romeo") + page("<max>10</max>"), "0", "6"),
    (form(with_="romeo") + page("<max>2</max><before/>"), None, None),
    (form(after_id="{ids[1]}") + page("<max>2</max>"), "0", None),
    (form(after_id="{ids[1]}"), "0", "4"),
    (form(after_id="{ids[1]}") + page("<max>2</max><before/>"), None, None),
    (page("<max>2</max>") + "<flip-page/>", None, "6"),
])
def test_the_place_of_a_page_is_told_where_it_is_known(talk, inside, index, count):
    juliet, romeo = talk
    ids = juliet.query().ids
    found = juliet.query(inside.replace(
        ">romeo<", f">{romeo.client.bare_jid}<").format(ids=ids))
    assert found.index == index and found.of_set("count") == count


@OURS
def test_groupchat_is_asked_for_in_vain_but_rightly(talk):
    juliet, _romeo = talk
    for wanted in ("true", "false", "0", "1"):
        assert juliet.bodies(form(include_groupchat=wanted)) == EVERYTHING


@OURS
def test_nodes_have_no_archives(talk):
    answer = talk[0].client.iq("set", f"<query xmlns='{MAM}' node='urn:example:x'/>")
    assert answer.get_error()[1] == "feature-not-implemented"


def test_the_form_tells_the_fields(juliet):
    x = juliet.client.iq("get", f"<query xmlns='{MAM}'/>").tags[0].get_child("x", "jabber:x:data")
    fields = {field.attr["var"]: field.attr["type"] for field in x.tags}
    assert x.attr["type"] == "form" and fields["FORM_TYPE"] == "hidden"
    assert (fields["with"], fields["start"], fields["end"]) == (
        "jid-single", "text-single", "text-single")
    assert fields["ids"] == "list-multi" and {"before-id", "after-id"} <= set(fields)


def test_the_ends_of_the_archive_are_told(talk):
    juliet, _romeo = talk
    found = juliet.query()
    told = juliet.client.iq("get", f"<metadata xmlns='{MAM}'/>").get_child("metadata", MAM)
    assert [(tag.name, tag.attr["id"]) for tag in told.tags] == [
        ("start", found.ids[0]), ("end", found.ids[-1])]
    assert [tag.attr["timestamp"] for tag in told.tags] == [found.stamps[0], found.stamps[-1]]


def test_an_empty_archive_has_no_ends(juliet):
    told = juliet.client.iq("get", f"<metadata xmlns='{MAM}'/>").get_child("metadata", MAM)
    assert told.tags == []
    found = juliet.query()
    assert found.ids == [] and found.complete


@pytest.mark.parametrize("payload", ["query", "metadata", "prefs"])
def test_nobody_reads_the_archive_of_another(talk, payload):
    juliet, romeo = talk
    answer = romeo.client.iq("get", f"<{payload} xmlns='{MAM}'/>", juliet.client.bare_jid)
    assert answer.attr["type"] == "error"
    assert romeo.query(to=juliet.client.bare_jid).answer.attr["type"] == "error"


@OURS
def test_an_archive_of_another_is_forbidden_whether_it_is_there_or_not(talk):
    juliet, romeo = talk
    for address in (juliet.client.bare_jid, "nobody@localhost"):
        assert romeo.query(to=address).error == "forbidden"
    assert romeo.bodies(to=romeo.client.bare_jid) == EVERYTHING


def test_an_account_tells_that_it_has_an_archive(juliet):
    for to in (juliet.client.bare_jid, None):
        info = juliet.client.iq("get", f"<query xmlns='{DISCO}'/>", to)
        features = {tag.attr["var"] for tag in info.tags[0].tags if tag.name == "feature"}
        assert {MAM, f"{MAM}#extended", "urn:xmpp:sid:0"} <= features


def test_a_client_that_comes_later_reads_what_came_meanwhile(talk, people):
    juliet, romeo = talk
    last = juliet.query().ids[-1]
    juliet.client.send("</stream:stream>").closed_with()
    romeo.say(juliet.client.bare_jid, "later")
    again = Archive(people.login("juliet", "street", available=False))
    assert again.bodies(page("<max>1</max><before/>")) == ["later"]
    assert again.bodies(page(f"<after>{last}</after>")) == ["later"]
