"""mod_spam_reporting: XEP-0377."""

from __future__ import annotations

import pytest

BLOCKING, ONE, ZERO = "urn:xmpp:blocking", "urn:xmpp:reporting:1", "urn:xmpp:reporting:0"


@pytest.fixture
def running(start_server):
    return start_server(["spam_reporting"])


@pytest.fixture
def reports(running):
    """Return the list of (kind, event) of all reports."""
    found = []
    for kind in ("spam", "abuse", "unknown"):
        running.server.hosts["localhost"].events.add_handler(
            f"spam_reporting/{kind}-report", lambda event, kind=kind: found.append((kind, event)))
    return found


def block(client, inside, jid="romeo@x.lit"):
    return client.iq("set", f"<block xmlns='{BLOCKING}'><item jid='{jid}'>{inside}</item></block>")


def test_the_feature_is_announced(running):
    info = running.client("juliet").iq(
        "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "localhost")
    assert {ONE, BLOCKING} <= {child.attr.get("var") for child in info.tags[0].tags}


@pytest.mark.parametrize(("report", "kind"), [
    (f"<report xmlns='{ONE}' reason='urn:xmpp:reporting:spam'/>", "spam"),
    (f"<report xmlns='{ONE}' reason='urn:xmpp:reporting:abuse'/>", "abuse"),
    (f"<report xmlns='{ONE}' reason='urn:example:else'/>", "unknown"),
    (f"<report xmlns='{ONE}'/>", "unknown"), (f"<report xmlns='{ZERO}'><spam/></report>", "spam"),
    (f"<report xmlns='{ZERO}'><abuse/></report>", "abuse")])
def test_a_report_is_passed_on_and_the_address_is_blocked(running, reports, report, kind):
    juliet = running.client("juliet")
    assert block(juliet, report).attr["type"] == "result"
    ((found, event),) = reports
    assert (found, event.jid, event.reason) == (kind, "romeo@x.lit", None)
    listed = juliet.iq("get", f"<blocklist xmlns='{BLOCKING}'/>").tags[0].tags
    assert [item.attr["jid"] for item in listed] == ["romeo@x.lit"]


def test_a_report_names_messages_and_says_what_may_be_done(running, reports):
    block(running.client("juliet"), f"""<report xmlns='{ONE}' reason='urn:xmpp:reporting:spam'>
        <stanza-id xmlns='urn:xmpp:sid:0' by='romeo@x.lit' id='1'/>
        <stanza-id xmlns='urn:xmpp:sid:0' by='romeo@x.lit' id='2'/>
        <stanza-id xmlns='urn:xmpp:sid:0' id='3'/>
        <text>
            Never came trouble to my house like this.
        </text><report-origin/></report>""")
    event = reports[0][1]
    assert event.messages == [("romeo@x.lit", "1"), ("romeo@x.lit", "2")]
    assert event.reason == "Never came trouble to my house like this."
    assert event.processing == {"report-origin"}


def test_without_a_word_nothing_may_be_passed_on(running, reports):
    block(running.client("juliet"), f"<report xmlns='{ONE}' reason='urn:xmpp:reporting:spam'/>")
    assert reports[0][1].processing == frozenset()


def test_a_wrong_request_fails_as_without_a_report(running, reports):
    juliet = running.client("juliet")
    report = f"<report xmlns='{ONE}' reason='urn:xmpp:reporting:spam'/>"
    assert block(juliet, report, "@").get_error()[1] == "jid-malformed"
    assert reports == []


def test_a_flood_of_reports_is_cut_short(running, reports):
    items = "".join(f"<item jid='{n}@x.lit'><report xmlns='{ONE}'/></item>" for n in range(30))
    answer = running.client("juliet").iq("set", f"<block xmlns='{BLOCKING}'>{items}</block>")
    assert answer.attr["type"] == "result" and len(reports) == 20
