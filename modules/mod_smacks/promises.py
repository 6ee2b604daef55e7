"""What was sent to clients that are there, and must outlive the process once it is acknowledged.

A message for a connected client is in its session's queue until the client has acknowledged it.
When its sender asks first, the server is about to take the responsibility over (XEP-0198
section 4), so before the <a/> goes out such a message is in the journal; it leaves it as
everything there does. Most receivers are quicker than their senders' next <r/>, and cost nothing
but an entry in a table. What was kept for a user and is being delivered is in the journal before
it is kept no more.

Which messages: those that would be kept for a client that is away. Not those that a client finds
in its archive, copies, what is for the moment (states, headlines, rooms, the hint no-store), and
not those whose sender has no stream management, who is never told anything. A client without
stream management says nothing of what it has got: what was written to its connection counts as
delivered. What is held back for a client that nobody looks at (mod_csi_simple: markers, receipts)
is not sent yet, and not in the journal.

Data and owner: `Tracker.reached` of a sender, the receivers since it has asked last; what comes
from elsewhere (a room's private messages, components) is in the shared table
"/*/smacks/reached", for whoever asks next. Both are bounded: a full table is worked off at once.
`Tracker.looked` of a receiver is the number up to which its queue has been looked at.
"""

from __future__ import annotations

import re

from prosody_py.sessions.archive_results import reads_archive
from prosody_py.xmpp import importance
from prosody_py.xmpp.hints import hints
from prosody_py.xmpp.parser import parse_fragment

MOST = 500  # receivers in a table
STANZA_ID = "urn:xmpp:sid:0"
_start = re.compile(rb"<message(?=[ />])[^>]*").match
_of_the_moment = re.compile(rb" type='(?:groupchat|headline|error)'").search


def reach(tracker, text: bytes) -> None:
    """Note for its sender that a message has been sent to a connected client."""
    end = text.find(b">")
    if text.find(b" type='groupchat'", 0, end) >= 0:
        return
    journal, start = tracker.module.journal, text.find(b" from='", 0, end) + 7
    session = journal.sessions.get(text[start:text.find(b"'", start)].decode())
    if session is None:
        reached = journal.reached
    elif (sender := session.__dict__.get("smacks_tracker")) is not None:
        reached = sender.reached
    else:
        return
    reached[tracker] = None
    if len(reached) > MOST:
        work_off(reached)


def work_off(reached: dict) -> None:
    """Note what the receivers in a table have not acknowledged. Never waits."""
    while reached:
        note(reached.popitem()[0])


def note(tracker, keys: dict[bytes, str] | None = None) -> None:
    """Put what a connected client has not acknowledged into the journal.

    `keys` are those by which others have kept messages, by their texts.
    """
    if tracker.suspended:
        return  # it is there already
    queue, entries = tracker.queue, []
    for entry in reversed(queue.entries):
        if entry[0] <= tracker.looked:
            break
        if is_promised(tracker.session, entry[2]):
            entries.append(entry)
    tracker.looked = queue.head
    if entries:
        tracker.module.journal.add_connected(tracker, reversed(entries), keys or {})


def is_promised(session, text: bytes) -> bool:
    """Whether a message is delivered later if the client does not get it now."""
    start = _start(text)
    if start is None or _of_the_moment(start[0]) is not None:
        return False
    element = parse_fragment(text)
    if (element.attr.get("type", "normal") not in ("chat", "normal")
            or not importance.matters_later(element) or "no-store" in hints(element)
            or element.get_child("result", "urn:xmpp:mam:2") is not None
            or importance.carbon_of(element) is not None):
        return False
    return not is_read(session, element)


def is_read(session, element) -> bool:
    """Whether a client finds a message in its archive, where it looks."""
    return reads_archive(session) and element.get_child_with_attr(
        "stanza-id", STANZA_ID, "by", session.bare_jid) is not None
