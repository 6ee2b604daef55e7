"""XEP-0377: Blocking Command Reports. Takes the reports that come with a block (XEP-0191).

Fires `spam_reporting/spam-report`, `spam_reporting/abuse-report` or
`spam_reporting/unknown-report` (origin, stanza, item, report, jid, reason, messages, processing)
for each; what is done then is up to the modules that hook them, such as mod_watch_spam_reports.
`messages` has (by, id) of the messages that are reported, and `processing` what the reporter
allows: "report-origin" and "third-party" to pass the report on to the server it came from, or to
others. Nobody may do that without it. Blocking is the work of mod_blocklist.
"""

from __future__ import annotations

from prosody_py.api import Event, hook, jid
from prosody_py.api.errors import LoadError

BLOCKING = "urn:xmpp:blocking"
XMLNS, XMLNS_0 = "urn:xmpp:reporting:1", "urn:xmpp:reporting:0"
FEATURES = (XMLNS, XMLNS_0)
KINDS = ("spam", "abuse")
PROCESSING = ("report-origin", "third-party")
STANZA_ID = "urn:xmpp:sid:0"
MOST = 20  # reports in one request; a flood of them would flood those who are told
MOST_MESSAGES = 100  # messages that one report names
MAX_TEXT = 4096  # characters of what the reporter says


def load(module):
    """Load mod_blocklist, if there is one: without it nobody carries the blocks out."""
    try:
        module.depends("blocklist")
    except LoadError as error:
        module.log("info", "Reports are passed on, but nobody carries the blocks out: %s", error)


@hook(f"iq-set/self/{BLOCKING}:block", priority=1)
def reported(module, event):
    """Tell the others what is reported; the request goes on to be carried out."""
    count = 0
    for item in event.stanza.tags[0].childtags("item"):
        report = item.get_child("report", XMLNS) or item.get_child("report", XMLNS_0)
        address = jid.prep(item.attr.get("jid") or "")
        if report is None or not address:
            continue
        count += 1
        if count > MOST:
            module.log("warn", "%s reports more than %d addresses at once; the rest is ignored",
                       event.origin.full_jid, MOST)
            break
        kind, reason = kind_of(report), text_of(report)
        module.log("info", "%s reports %s (%s): %r", event.origin.bare_jid, address, kind, reason)
        module.fire_event(f"spam_reporting/{kind}-report", Event(
            origin=event.origin, stanza=event.stanza, item=item, report=report, jid=address,
            reason=reason, messages=messages_of(report), processing=frozenset(
                name for name in PROCESSING if report.get_child(name) is not None)))


def kind_of(report) -> str:
    """Return "spam", "abuse" or "unknown"; version 0 has an element for it."""
    reason = report.attr.get("reason")
    for kind in KINDS:
        if reason == f"urn:xmpp:reporting:{kind}" or (
                reason is None and report.get_child(kind) is not None):
            return kind
    return "unknown"


def text_of(report) -> str | None:
    """Return what the reporter says about it."""
    return (report.get_child_text("text") or "").strip()[:MAX_TEXT] or None


def messages_of(report) -> list[tuple[str, str]]:
    """Return who has given the messages that are reported an id (XEP-0359), and the ids."""
    found = [(jid.prep(child.attr.get("by") or ""), child.attr.get("id"))
             for child in report.childtags("stanza-id", STANZA_ID)]
    return [(by, id) for by, id in found if by and id][:MOST_MESSAGES]
