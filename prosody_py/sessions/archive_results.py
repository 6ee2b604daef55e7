"""Send a page of an archive to who has asked for it (XEP-0313 section 4.2)."""

from __future__ import annotations

from prosody_py.concurrency.turns import in_turns
from prosody_py.storage.archive_page import Page
from prosody_py.xmpp import mam
from prosody_py.xmpp.ns import CLIENT
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

MAX_BYTES = 1024 * 1024
"""A page ends after so many characters, so that it fits into a client's out-queue."""


def reads_archive(session) -> bool:
    """Whether a client looks into the archive for what it has missed.

    One that has asked for some of it (Prosody's field) does, and one that has bound by Bind 2,
    where it is told of the archive (XEP-0386 section 3.2).
    """
    extras = session.extras
    return bool(extras.get("mam_requested") or extras.get("told_of_archive"))


def send_page(session, request: Stanza, archive: str, query: mam.ArchiveQuery,
              page: Page) -> Stanza:
    """Send the messages of a page; return the <fin/> that belongs into the answer.

    Args:
        session: where the request has come from.
        request: the iq; results go to who has sent it.
        archive: the address of the archive.
    """
    to = request.attr["from"]
    packed, size = [], 0
    backwards = query.page.backwards
    for id, stanza, when, _with in in_turns(page.items[::-1] if backwards else page.items):
        message = mam.result_message(stanza, when, id, to, archive, query.queryid)
        text = serialize(message, CLIENT)
        size += len(text)
        if packed and size > MAX_BYTES:
            break
        packed.append((id, message, text))
    complete = page.complete and len(packed) == len(page.items)
    if backwards != query.flip:  # results are in order of time unless they are to be flipped
        packed.reverse()
    as_text = (session.type == "c2s" and session.filters is None
               and "send" not in session.extras)
    for _id, message, text in packed:
        if not session.send(text if as_text else message):
            break
    ids = [id for id, _message, _text in packed]
    index = page.index
    if query.flip:
        ids.reverse()
        index = None  # <first/> is the last of them
    elif backwards and index is not None:
        index += len(page.items) - len(packed)
    return mam.fin(ids[0] if ids else None, ids[-1] if ids else None, complete, page.count, index)
