"""XEP-0494: who has access to an account: its owner sees the clients and takes access from them.

Store "client_access", for each account a dict: the client's id here (made of the id of its user-
agent, so that it tells nothing) -> {"client_id", "first_seen", "last_seen", "mechanisms": {name:
when it was last used}, "role" (unless the account's own), "user_agent": {"software", "device"}};
times are seconds since 1970. A client is noted when it logs in and says who it is (SASL 2), and
seen until its session ends. Of clients that do not say it there are their sessions alone. With a
new password all others have to log in anew, so they are forgotten, but for the one that has set it.
`get_active_clients` and `revoke_client_access` are for other modules, `client_management/new-
client` is fired for a client that was not known.
"""

from __future__ import annotations

import hashlib
import time
from functools import partial

from gevent.lock import RLock

from prosody_py.api import (
    Event,
    Options,
    StanzaError,
    boolean,
    datetime,
    hook,
    integer,
    iq,
    period,
    permissions,
    stanza,
)
from prosody_py.storage.interface import REMOVE

XMLNS = "urn:xmpp:cam:0"
OLDER = "xmpp:prosody.im/protocol/manage-clients"  # the same elements, before there was a XEP
PASSWORD = ("PLAIN", "SCRAM-")  # what mechanisms by which a password is known begin with


class Config(Options):
    """What is kept of clients, and for how long (section 6 of XEP-0494)."""

    client_management_keep = period(
        "1 year", min="1 day", doc="Time after which a client that was not seen is forgotten.")
    client_management_user_agents = boolean(
        True, doc="Whether the names of software and device are kept.")
    client_management_limit = integer(
        100, min=1, max=10_000, doc="Clients of an account that are kept, the latest ones.")


def load(module):
    """Open the store; offer what other modules use."""
    module.store = module.open_store("client_access", "keyval+")
    module.changing = RLock()  # an account's clients are read, changed and written by one at a time
    module.exports.get_active_clients = partial(active_clients, module)
    module.exports.revoke_client_access = partial(revoke_access, module)
    permissions.default_permission(module, "prosody:user", ":manage-clients")


def own_id(client_id: str) -> str:
    """Return what a client is called here."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:24]


# -- noting clients ------------------------------------------------------------------------


@hook("authentication-success")
def note(module, event):
    """Note a client that has logged in."""
    session = event.session
    client_id, handler = session.extras.get("client_id"), session.sasl_handler
    if not client_id or handler is None or module.host_object.users.allows_anonymous():
        return
    now, id = int(time.time()), own_id(client_id)
    with module.changing:
        known = module.store.get(session.username) or {}
        client = known.get(id)
        is_new = client is None
        client = client or {"client_id": client_id, "first_seen": now, "mechanisms": {}}
        client["last_seen"] = client["mechanisms"][handler.selected] = now
        client["role"] = handler.role
        if module.options.client_management_user_agents:
            client["user_agent"] = session.extras.get("user_agent") or {}
        gone = superfluous(module, {**known, id: client}, now)
        module.store.set_keys(session.username, {**dict.fromkeys(gone, REMOVE), id: client})
    session.extras["client_management_info"] = {"id": id, **client}
    if is_new:
        module.fire_event("client_management/new-client", Event(
            client=session.extras["client_management_info"], session=session))


def superfluous(module, known: dict, now: float) -> list[str]:
    """Return the clients that are not kept any more."""
    latest = sorted(known, key=lambda id: known[id]["last_seen"], reverse=True)
    oldest = now - module.options.client_management_keep
    return [id for place, id in enumerate(latest)
            if place >= module.options.client_management_limit
            or known[id]["last_seen"] < oldest]


@hook("resource-unbind")
def seen(module, event):
    """Note when a client was there last."""
    session = event.session
    client_id = session.extras.get("client_id")
    if not client_id or session.username is None:
        return
    id = own_id(client_id)
    with module.changing:
        client = module.store.get_key(session.username, id)
        if client is not None:
            client["last_seen"] = int(time.time())
            module.store.set_key(session.username, id, client)


@hook("user-password-changed")
def password_changed(module, event):
    """Forget all but the client that has changed the password, which knows the new one."""
    user = module.host_object.sessions.get(event.username)
    changer = user.sessions.get(event.resource) if user is not None else None
    kept = own_id(changer.extras["client_id"]) if (
        changer is not None and changer.extras.get("client_id")) else None
    with module.changing:
        known = module.store.get(event.username) or {}
        gone = [id for id in known if id != kept]
        if gone:
            module.store.set_keys(event.username, dict.fromkeys(gone, REMOVE))


@hook("user-deleted")
def forget_user(module, event):
    """Keep nothing of an account that is gone."""
    module.store.set(event.username, None)


# -- telling -------------------------------------------------------------------------------


def active_clients(module, username: str) -> list[dict]:
    """Return the clients that have access, the latest first.

    Each is {"id", "type": "session", "connected", "first_seen", "last_seen", "user_agent",
    "active": {"password": ..., "fast": ...}, "permissions": {"status"}}; "full_jid" if it is
    connected.
    """
    user = module.host_object.sessions.get(username)
    sessions = list(user.sessions.values()) if user is not None else []
    by_client = {own_id(session.extras["client_id"]): session for session in sessions
                 if session.extras.get("client_id")}
    now, found = time.time(), []
    known = module.store.get(username) or {}
    gone = superfluous(module, known, now)
    for id, client in known.items():
        session = by_client.get(id)
        active = {"password": any(name.startswith(PASSWORD) for name in client["mechanisms"]),
                  "fast": is_fast(module, username, client["client_id"])}
        if session is None and (id in gone or not holds(client, active)):
            continue
        found.append(described(
            id, session, client["first_seen"], now if session else client["last_seen"], active,
            client.get("user_agent") or {}, client.get("role")))
    for session in sessions:
        if not session.extras.get("client_id"):
            since = int(session.conntime or now)
            found.append(described(own_id(session.full_jid), session, since, now, {
                "password": (session.extras.get("sasl_mechanism") or "").startswith(PASSWORD),
                "fast": False}, {}))
    return sorted(found, key=lambda client: client["last_seen"], reverse=True)


def described(id, session, first_seen, last_seen, active, user_agent, role=None) -> dict:
    """Return what is told of a client."""
    return {"id": id, "type": "session", "connected": session is not None,
            "full_jid": session.full_jid if session is not None else None,
            "first_seen": int(first_seen), "last_seen": int(last_seen), "active": active,
            "user_agent": user_agent,
            "permissions": {"status": "restricted" if role else "unrestricted"}}


def holds(client: dict, active: dict) -> bool:
    """Whether a client can come back: by what it knows, has, or is let in with elsewhere."""
    return any(active.values()) or any(not name.startswith("HT-") for name in client["mechanisms"])


def is_fast(module, username: str, client_id: str) -> bool:
    """Whether a client has a token (mod_sasl2_fast)."""
    fast = module.host_object.modules.get("sasl2_fast")
    return fast is not None and bool(fast.exports.is_client_fast(username, client_id))


def check(module, event) -> None:
    """Raise StanzaError unless the sender may see and manage the account's clients."""
    if not permissions.may(module, ":manage-clients", event):
        raise StanzaError("forbidden")


@iq("get", XMLNS, "list", to="self")
@iq("get", OLDER, "list", to="self")
def list_clients(module, event):
    """Answer with the clients (section 3.1)."""
    check(module, event)
    answer = stanza.stanza("clients", xmlns=event.stanza.tags[0].attr["xmlns"])
    for client in active_clients(module, event.origin.username):
        answer.tag("client", id=client["id"], type=client["type"],
                   connected="true" if client["connected"] else "false")
        for name in ("first-seen", "last-seen"):
            answer.text_tag(name, datetime.format_datetime(client[name.replace("-", "_")]))
        answer.tag("auth")
        for name, there in client["active"].items():
            if there:
                answer.tag(name).up()
        answer.up().tag("permission", status=client["permissions"]["status"]).up()
        if client["user_agent"]:
            answer.tag("user-agent")
            for name, text in client["user_agent"].items():
                answer.text_tag(name, text)
            answer.up()
        answer.up()
    return answer


# -- revoking ------------------------------------------------------------------------------


@iq("set", XMLNS, "revoke", to="self")
@iq("set", OLDER, "revoke", to="self")
def revoke(module, event):
    """Take access from a client (section 3.2)."""
    check(module, event)
    request = event.stanza.tags[0]
    if not request.attr.get("id"):
        raise StanzaError("bad-request", "The id of a client is needed")
    revoke_access(module, event.origin.username, request.attr["id"], request.attr["xmlns"])


def revoke_access(module, username: str, id: str, xmlns: str = XMLNS) -> bool:
    """Take a client's tokens and end its sessions; raises StanzaError where that is not enough."""
    client = next((client for client in active_clients(module, username)
                   if client["id"] == id), None)
    if client is None:
        raise StanzaError("item-not-found", "There is no such client")
    if client["active"]["password"]:
        raise StanzaError("service-unavailable", "It knows the password, which has to be changed",
                          extra=stanza.stanza("password-reset-required", xmlns=xmlns))
    with module.changing:
        known = module.store.get_key(username, id)
        if known is None or not client["active"]["fast"] or "EXTERNAL" in known["mechanisms"]:
            raise StanzaError("service-unavailable", "It is let in by others than this server")
        client_id = known["client_id"]
        module.host_object.modules["sasl2_fast"].exports.revoke_fast_tokens(username, client_id)
        module.store.set_key(username, id, None)
    user = module.host_object.sessions.get(username)
    for session in list(user.sessions.values()) if user is not None else ():
        if session.extras.get("client_id") == client_id:
            session.close("not-authorized", "The access of this client was revoked")
    return True
