"""XEP-0280: copies of a user's messages for the user's other clients.

A client asks for copies with <enable/>; its session then has `want_carbons`. A message that it is
eligible for (section 6) comes wrapped: as <sent/> if another client of the user has sent it, as
<received/> if it was for another one. The wrapper is written once, whoever gets it. A client never
gets a copy of what it sends, nor of what it gets anyway; copies go straight to the sessions, so
they are never copied again and an error about one goes nowhere.

Data and owner: `want_carbons` belongs to the session. Which of a user's messages were copied as
sent is noted with the user's sessions (the newest 256), since an error is copied if what it is
about was (section 6.1).

`carbons-should-copy` (session, stanza) lets others decide: true or false is the answer, and a
`reason` goes to the log.
"""

from __future__ import annotations

from functools import partial

from prosody_py.api import PASS, Event, Stanza, StanzaError, bystander, hook, iq, jid
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.sessions.lifecycle import top_resources

XMLNS = "urn:xmpp:carbons:2"
RULES = "urn:xmpp:carbons:rules:0"
FEATURES = (XMLNS, RULES)
FORWARD = "urn:xmpp:forward:0"
HINTS = "urn:xmpp:hints"
MUC_USER = "http://jabber.org/protocol/muc#user"
INVITATION = "jabber:x:conference"
# What instant messaging is made of beside bodies: receipts, states, markers, calls.
IM_PAYLOADS = frozenset((
    "urn:xmpp:receipts", "http://jabber.org/protocol/chatstates", "urn:xmpp:chat-markers:0",
    "urn:xmpp:jingle-message:0", "urn:xmpp:jingle-message:1",
))
NOTED = "carbons_sent"  # of a user's sessions: id -> address, of the newest messages copied
MAX_NOTED = 256


@iq("set", XMLNS, "enable", to="self")
def enable(module, event):
    """Give a client copies from now on; asking twice is no mistake (section 10.1)."""
    event.origin.extras["want_carbons"] = XMLNS


@iq("set", XMLNS, "disable", to="self")
def disable(module, event):
    """Give a client no more copies."""
    event.origin.extras["want_carbons"] = None


@iq("set", XMLNS, "enable", to="bare")
@iq("set", XMLNS, "disable", to="bare")
def refuse(module, event):
    """Let nobody switch copies of another account (sections 4.1 and 5.1)."""
    if event.to_self:
        return PASS
    raise StanzaError("not-allowed", "This account is somebody else's")


# -- which messages --------------------------------------------------------------------------


def is_eligible(element: Stanza, sent: bool, to_full: bool) -> bool:
    """Whether a message that is no error should be copied (section 6.1).

    Args:
        sent: a client of the user has sent it.
        to_full: it is addressed to a resource.
    """
    type = element.attr.get("type", "normal")
    if type in ("groupchat", "headline", "error"):
        return False
    found = type == "chat"
    room = invited = False
    for child in element.children:
        if isinstance(child, str):
            continue
        xmlns = child.attr.get("xmlns")
        if xmlns is None:
            found = found or child.name == "body"
        elif xmlns == XMLNS:
            return False  # <private/>, or a copy already
        elif xmlns == HINTS:
            if child.name == "no-copy":
                return False
        elif xmlns == MUC_USER and child.name == "x":
            room, invited = True, child.get_child("invite") is not None
        elif xmlns in IM_PAYLOADS or (xmlns == INVITATION and child.name == "x"):
            found = True
    if invited:
        return True
    if room and to_full and not sent:
        return False  # a private message in a room, which the room gives to each client
    return found


def should_copy(module, event, user, sent: bool) -> bool:
    """Whether the user's other clients are to see the message of an event."""
    element = event.stanza
    if "carbons-should-copy" in module.events.index:
        asked = Event(session=event.origin, stanza=element)
        result = module.fire_event("carbons-should-copy", asked)
        if result is not None:
            if not result:
                module.log("debug", "Not copied: %s", getattr(asked, "reason", None))
            return bool(result)
    if element.attr.get("type") == "error":
        return not sent and answers_copied(element, user)
    return is_eligible(element, sent, "/" in element.attr.get("to", ""))


def answers_copied(error: Stanza, user) -> bool:
    """Whether an error is about a message that was copied when it was sent."""
    noted = user.extras.get(NOTED)
    address = noted.get(error.attr.get("id")) if noted else None
    return address is not None and jid.bare(address) == jid.bare(error.attr.get("from"))


def note(element: Stanza, user) -> None:
    """Remember a message that was copied, for an error that it may get."""
    id = element.attr.get("id")
    if id is not None and len(id) <= 256:
        noted = user.extras.setdefault(NOTED, {})
        noted[id] = element.attr.get("to") or element.attr["from"]
        if len(noted) > MAX_NOTED:
            del noted[next(iter(noted))]


# -- who gets them ---------------------------------------------------------------------------


def wanting(user) -> list:
    """Return the sessions of a user that have asked for copies."""
    return [session for session in user.sessions.values()
            if session.extras.get("want_carbons")]


def receivers(module, user, element: Stanza, account: str) -> list:
    """Return the sessions that get a message itself (RFC 6121 section 8.5)."""
    to = element.attr.get("to")
    if to is not None and to != account:
        session = module.server.full_sessions.get(to)
        if session is not None:
            return [session]
    return [] if element.attr.get("type") == "error" else top_resources(user)


@hook("pre-message/full", priority=-0.5)
@hook("pre-message/bare", priority=-0.5)
@hook("pre-message/host", priority=-0.5)
def outgoing(module, event):
    """Copy what a client sends to the user's other clients (section 8)."""
    session = event.origin
    user = module.host_object.sessions.get(getattr(session, "username", None))
    sessions = [other for other in wanting(user) if other is not session] if user else []
    if not sessions:
        return
    account, to = session.bare_jid, event.stanza.attr.get("to")
    if to is None or jid.bare(to) == account:  # to oneself: who gets it needs no copy
        getting = receivers(module, user, event.stanza, account)
        sessions = [other for other in sessions if other not in getting]
    if sessions and should_copy(module, event, user, True):
        note(event.stanza, user)
        copies = wrapped(event.stanza, "sent", account)
        if getattr(session, "unfinished", None) is None:
            send(copies, sessions)
        else:  # what the message says of itself, such as its id in an archive, is not so yet
            session.finish_before_next(partial(send, copies, sessions))


def is_asked(module, account: str, peer: str) -> bool:
    """Whether other modules say what happens, also with messages that are nobody's business."""
    return "carbons-should-copy" in module.events.index


@hook("message/full", priority=-0.5)
@hook("message/bare", priority=-0.5)
@bystander("room", "headline", unless=is_asked)
def incoming(module, event):
    """Copy what is for one client or for the foremost to the others (section 7)."""
    element = event.stanza
    to = element.attr.get("to")
    if to is None:
        return  # to the own account: the others have it or got it as <sent/>
    account = to.partition("/")[0]
    user = module.server.bare_sessions.get(account)
    sessions = wanting(user) if user is not None else ()
    if not sessions or jid.bare(element.attr.get("from")) == account:
        return
    getting = receivers(module, user, element, account)
    sessions = [session for session in sessions if session not in getting]
    if sessions and should_copy(module, event, user, False):
        send(wrapped(element, "received", account), sessions)


@hook("message-bounced")
def bounced(module, event):
    """Copy an error that the server has given itself for a message that was copied."""
    session, element = event.session, event.stanza
    user = module.host_object.sessions.get(session.username)
    sessions = [other for other in wanting(user) if other is not session] if user else []
    if sessions and should_copy(module, Event(origin=session, stanza=element), user, False):
        send(wrapped(element, "received", session.bare_jid), sessions)


def wrapped(element: Stanza, direction: str, account: str) -> OneToMany:
    """Return a message as it is now in its wrapper (XEP-0297)."""
    inner = Stanza("message", {"xmlns": "jabber:client", **element.attr})
    inner.children = list(element.children)
    forwarded = Stanza("forwarded", {"xmlns": FORWARD})
    forwarded.children.append(inner)
    wrapper = Stanza(direction, {"xmlns": XMLNS})
    wrapper.children.append(forwarded)
    message = Stanza("message", {"from": account})
    if "type" in element.attr:
        message.attr["type"] = element.attr["type"]
    message.children.append(wrapper)
    return OneToMany(message)


def send(copies: OneToMany, sessions) -> None:
    """Give each session its copy."""
    for session in sessions:
        copies.send(session, session.full_jid)
