"""Answers to those who read their archive (XEP-0313 sections 4 and 5)."""

from __future__ import annotations

from prosody_py.api import PASS, StanzaError, hook, iq, jid
from prosody_py.sessions.archive_results import send_page
from prosody_py.storage.archive_page import ends, read_page
from prosody_py.xmpp import mam, retraction, stanza_ids

from .preferences import uses_archive


def features(module) -> list[str]:
    """Return what to tell about the archives of this host."""
    found = [mam.XMLNS, mam.EXTENDED, mam.GROUPCHAT_FIELD, stanza_ids.XMLNS, retraction.XMLNS]
    if module.options.mam_tombstones:
        found.append(retraction.TOMBSTONE)
    if module.fulltext:
        found.append(mam.FULLTEXT)
    return found


@hook("account-disco-info")
def tell_features(module, event):
    """Say that an account has an archive (section 7)."""
    for feature in features(module):
        event.reply.tag("feature", var=feature).up()


@iq("set", mam.XMLNS, "query", to="self")
def query_archive(module, event):
    """Send a page of the user's own archive."""
    session, request = event.origin, event.stanza
    query = mam.parse_query(request.tags[0], module.fulltext)
    uses_archive(module, session.username)
    with_, keep = query.with_ and jid.bare(query.with_), None
    if with_ != query.with_:
        keep = has_address(query.with_)
    page = read_page(module.archive, session.username, query,
                     module.options.max_archive_query_results, with_=with_, keep=keep)
    if query.is_plain and query.page.max != 0:
        session.extras["mam_requested"] = True
    return send_page(session, request, session.bare_jid, query, page)


def has_address(address: str):
    """Return what tells whether an item was from or to a full address (section 4.1.1)."""
    return lambda item: address in (item[1].attr.get("from"), item[1].attr.get("to"))


@iq("get", mam.XMLNS, "query", to="self")
def tell_fields(module, event):
    """Tell the fields of a query (section 4.1.5)."""
    return mam.query_form(module.fulltext)


@iq("get", mam.XMLNS, "metadata", to="self")
def tell_metadata(module, event):
    """Tell where the archive begins and ends (section 5)."""
    uses_archive(module, event.origin.username)
    return mam.metadata(ends(module.archive, event.origin.username))


@iq("set", mam.XMLNS, "query", to="bare")
@iq("get", mam.XMLNS, "query", to="bare")
@iq("get", mam.XMLNS, "metadata", to="bare")
@iq("get", mam.XMLNS, "prefs", to="bare")
@iq("set", mam.XMLNS, "prefs", to="bare")
def refuse(module, event):
    """Keep an archive for its owner alone (section 8.1)."""
    if event.to_self:
        return PASS
    raise StanzaError("forbidden", "This archive is somebody else's")
