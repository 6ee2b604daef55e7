"""XEP-0386: binding a resource as part of logging in (Bind 2).

The request is kept on the session (`sasl2_bind_request`) and carried out when the login has
succeeded; a session that was resumed in the same request is left alone. A client that says who it
is (the id of its user-agent) gets the same resource each time, made with a secret of the server, so
that nobody can tell the id from it; its earlier sessions end. What can be enabled along with the
binding other modules offer (`advertise-bind-features`) and enable (`enable-bind-features`); here
are message carbons and client state. If binding fails the client is told its bare address, and
the features offer it to bind as of old.

With an archive (mod_mam) the answer tells where that begins and ends, and offline messages that
are in it are deleted, not delivered; nor are later ones kept that the client has not acknowledged.
"""

from __future__ import annotations

import base64
import hmac
import secrets

from prosody_py.api import Event, StanzaError, datetime, hook, stanza
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import lifecycle

DEPENDS = ("sasl2",)
SASL2 = "urn:xmpp:sasl:2"
XMLNS = "urn:xmpp:bind:0"
CARBONS, CSI, MAM, SID = ("urn:xmpp:carbons:2", "urn:xmpp:csi:0", "urn:xmpp:mam:2",
                          "urn:xmpp:sid:0")
MAX_TAG = 256  # characters; a resource has room for 1023 bytes
BATCH = 200  # offline messages that are looked at and deleted at a time


# -- what is offered -----------------------------------------------------------------------


@hook("advertise-sasl-features")
def offer(module, event):
    """Offer binding, and what can be enabled along with it."""
    inline = stanza.stanza("inline")
    module.fire_event("advertise-bind-features", Event(origin=event.origin, features=inline))
    offered = stanza.stanza("bind", xmlns=XMLNS)
    if inline.children:
        offered.add_child(inline)
    event.features.add_child(offered)


@hook("advertise-bind-features")
def offer_features(module, event):
    """Offer carbons and client state where they are."""
    for name, feature in (("carbons", CARBONS), ("csi", CSI)):
        if name in module.host_object.modules:
            event.features.tag("feature", var=feature).up()


# -- binding -------------------------------------------------------------------------------


@hook(f"stanza/{SASL2}:authenticate", priority=100)
def note(module, event):
    """Keep what the client asks for until it has logged in."""
    event.origin.extras["sasl2_bind_request"] = event.stanza.get_child("bind", XMLNS)


@hook("sasl2/c2s/success", priority=100)
def bind(module, event):
    """Bind a resource and enable what is asked for."""
    session = event.session
    request = session.extras.pop("sasl2_bind_request", None)
    if request is None or session.resource:
        return
    try:
        bind_resource(module, session, request)
    except StanzaError as error:
        session.log.info("No resource was bound: %s", error)
        return
    bound = stanza.stanza("bound", xmlns=XMLNS)
    if "mam" in module.host_object.modules:
        bound.add_child(archive_metadata(module, session.username))
        forget_archived(module, session)
        session.extras["told_of_archive"] = True
    module.fire_event("enable-bind-features", Event(
        session=session, request=request, result=bound))
    event.success.add_child(bound)


def bind_resource(module, session, request) -> None:
    """Bind the client's own resource in place of its earlier session; raises StanzaError."""
    wanted = resource_for(module, session, request)

    def bind_it():
        lifecycle.bind_resource(session, wanted, lambda username, host: load_roster(
            module.server, username, host.host))

    try:
        bind_it()
    except StanzaError as error:
        if error.condition != "conflict" or not end_earlier(session, wanted):
            raise
        bind_it()
    end_earlier(session)


def resource_for(module, session, request) -> str:
    """Return TAG/ID as section 3.2.1 recommends it, or ID alone."""
    tag, client_id = request.get_child_text("tag") or "", session.extras.get("client_id")
    if len(tag) > MAX_TAG:
        tag = ""
    if client_id is None:
        name = secrets.token_bytes(9)
    else:
        key = module.server.secret(f"resources {module.host}")
        whole = "\0".join((session.username, client_id, tag))
        name = hmac.digest(key, whole.encode(), "sha256")[:9]
    own = base64.urlsafe_b64encode(name).decode()
    return f"{tag}/{own}" if tag else own


def end_earlier(session, resource: str | None = None) -> bool:
    """End other sessions of the same client (with this resource); return whether there was one."""
    client_id = session.extras.get("client_id")
    user = session.host_object.sessions.get(session.username)
    if client_id is None or user is None:
        return False
    earlier = [other for other in user.sessions.values() if other is not session
               and other.extras.get("client_id") == client_id
               and resource in (None, other.resource)]
    for other in earlier:
        other.close("conflict", "Replaced by a new connection of the same client")
    return bool(earlier)


# -- what is enabled -----------------------------------------------------------------------


@hook("enable-bind-features")
def enable(module, event):
    """Enable carbons, and begin in the state that the client is in."""
    session, request, modules = event.session, event.request, module.host_object.modules
    if "carbons" in modules and request.get_child("enable", CARBONS) is not None:
        session.extras["want_carbons"] = CARBONS
        event.result.add_child(stanza.stanza("enabled", xmlns=CARBONS))
    for state in ("active", "inactive") if "csi" in modules else ():
        if request.get_child(state, CSI) is not None:
            session.extras["state"] = state
            module.fire_event(f"csi-client-{state}", Event(origin=session))


# -- the archive ---------------------------------------------------------------------------


def archive_metadata(module, username: str):
    """Return where the user's archive begins and ends (XEP-0313 section 5)."""
    name = module.server.config.get(module.host, "archive_store") or "archive"
    store = module.open_store(name, "archive")
    metadata = stanza.stanza("metadata", xmlns=MAM)
    for end, backwards in (("start", False), ("end", True)):
        items, _total = store.find(username, {"limit": 1, "reverse": backwards})
        for id, _stanza, when, _with in items:
            metadata.tag(end, id=id, timestamp=datetime.format_datetime(int(when))).up()
    return metadata


def forget_archived(module, session) -> None:
    """Delete the offline messages that the client will find in the archive."""
    if "offline" not in module.host_object.modules:
        return
    store = module.open_store("offline", "archive")
    last = None
    while True:
        query = {"limit": BATCH} if last is None else {"limit": BATCH, "after": last}
        items = list(store.find(session.username, query)[0])
        archived = [id for id, element, _when, _with in items if any(
            mark.attr.get("by") == session.bare_jid
            for mark in element.childtags("stanza-id", SID))]
        kept = [id for id, *_rest in items if id not in archived]
        if archived:
            store.delete(session.username, {"ids": archived})
        if len(items) < BATCH:
            return
        last = kept[-1] if kept else last
