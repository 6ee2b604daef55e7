"""What an archive query says (XEP-0313), and what is written about archives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody_py.xmpp import mam, retraction, rsm, stanza_ids
from prosody_py.xmpp.errors import StanzaError
from prosody_py.xmpp.hints import hints
from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

FIELDS = ["FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids",
          "include-groupchat", mam.FULLTEXT_FIELD, "other"]
VALUES = st.sampled_from([mam.XMLNS, "a@b", "@", "2020-01-01T00:00:00Z", "1", "true", "",
                          "x" * 1001])


def query(fields, inside="", type="submit"):
    x = "".join(f"<field var='{name}'>" + "".join(f"<value>{value}</value>" for value in values)
                + "</field>" for name, values in fields)
    return parse_fragment(f"<query xmlns='{mam.XMLNS}'><x xmlns='jabber:x:data' type='{type}'>{x}"
                          f"</x>{inside}</query>")


def submitted(**fields):
    return query([("FORM_TYPE", [mam.XMLNS]), *((name.rstrip("_").replace("_", "-"), values)
                                                for name, values in fields.items())])


def test_a_query_without_a_form_asks_for_everything():
    found = mam.parse_query(Stanza("query", {"xmlns": mam.XMLNS, "queryid": "q"}))
    assert found == mam.ArchiveQuery(queryid="q") and found.is_plain


def test_every_field_is_understood():
    found = mam.parse_query(query(
        [("FORM_TYPE", [mam.XMLNS]), ("with", ["Juliet@Example.com"]),
         ("start", ["2020-01-01T00:00:00Z"]), ("end", ["2020-01-01T01:00:00+01:00"]),
         ("before-id", ["b"]), ("after-id", ["a"]), ("ids", ["1", "2", "1"]),
         ("include-groupchat", ["0"]), (mam.FULLTEXT_FIELD, ["words"])],
        f"<set xmlns='{rsm.XMLNS}'><max>5</max><before/></set><flip-page/>"), fulltext=True)
    assert found == mam.ArchiveQuery(
        "juliet@example.com", 1577836800.0, 1577836800.0, "b", "a", ("1", "2"), False, "words",
        rsm.PageRequest(max=5, before=""), True, None)
    assert not found.is_plain


@pytest.mark.parametrize(("fields", "plain"), [
    ({}, True), ({"start": ["2020-01-01T00:00:00Z"]}, True), ({"after_id": ["a"]}, True),
    ({"with_": ["a@b"]}, False), ({"end": ["2020-01-01T00:00:00Z"]}, False),
    ({"before_id": ["b"]}, False), ({"ids": ["b"]}, False)])
def test_a_plain_query_is_for_all_that_was_said_since(fields, plain):
    assert mam.parse_query(submitted(**fields)).is_plain is plain


@given(st.lists(st.tuples(st.sampled_from(FIELDS), st.lists(VALUES, max_size=3)), max_size=5),
       st.sampled_from(["submit", "form", "cancel"]), st.booleans())
def test_whatever_is_wrong_is_told_as_an_error(fields, type, fulltext):
    try:
        mam.parse_query(query(fields, type=type), fulltext)
    except StanzaError as error:
        assert error.condition in ("bad-request", "feature-not-implemented")


def test_the_wire_form_of_a_result_and_its_end():
    message = parse_fragment("<message from='a@b/c' to='d@e'><body>x</body></message>")
    result = mam.result_message(message, 1577836800.5, "id1", "d@e/f", "d@e", "q")
    assert serialize(result) == (
        "<message to='d@e/f' from='d@e'><result xmlns='urn:xmpp:mam:2' id='id1' queryid='q'>"
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' "
        "stamp='2020-01-01T00:00:00.500000Z'/><message xmlns='jabber:client' from='a@b/c' "
        "to='d@e'><body>x</body></message></forwarded></result></message>")
    assert serialize(mam.fin("id1", "id2", True, 2)) == (
        "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'>"
        "<first>id1</first><last>id2</last><count>2</count></set></fin>")
    assert "complete" not in mam.fin(None, None, False).attr


def test_ids_are_taken_away_by_who_has_given_them():
    message = Stanza("message").body("x")
    message.children += [stanza_ids.stanza_id("1", "a@b"), stanza_ids.stanza_id("2", "c@d"),
                         stanza_ids.stanza_id("3", "a@b"), "text"]
    assert stanza_ids.find_id(message, "a@b") == "1"
    stanza_ids.strip_ids(message, "a@b")
    assert stanza_ids.find_id(message, "a@b") is None
    assert stanza_ids.find_id(message, "c@d") == "2" and message.children[-1] == "text"


def test_an_error_has_no_hints():
    inside = "<x/><no-store xmlns='urn:xmpp:hints'/><store xmlns='urn:xmpp:hints'/>"
    assert hints(parse_fragment(f"<message>{inside}</message>")) == {"no-store", "store"}
    assert hints(parse_fragment(f"<message type='error'>{inside}</message>")) == set()


def test_a_tombstone_has_nothing_of_the_message_but_who_and_when():
    old = parse_fragment(
        "<message from='a@b/c' to='d@e' id='m1' type='groupchat'><body>x</body><x xmlns='urn:x'/>"
        "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='o1'/></message>")
    retraction_message = parse_fragment(
        f"<message id='m2'><retract xmlns='{retraction.XMLNS}' id='s1'><moderated "
        f"xmlns='{retraction.MODERATE}' by='r@m/n'/><reason>rude</reason><other xmlns='urn:y'/>"
        "</retract></message>")
    assert retraction.retracted_id(retraction_message) == "s1"
    assert retraction.retracted_id(old) is None
    grave = retraction.tombstone(old, 1577836800.7, retraction_message)
    assert retraction.is_tombstone(grave) and not retraction.is_tombstone(old)
    assert grave.attr == old.attr
    author, retracted = grave.children
    assert author.attr["id"] == "o1"
    assert retracted.attr == {"xmlns": retraction.XMLNS, "stamp": "2020-01-01T00:00:00Z",
                              "id": "m2"}
    moderated, reason = retracted.children
    assert moderated.attr["by"] == "r@m/n" and reason.get_text() == "rude"
