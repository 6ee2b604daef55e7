"""Requests from occupant to occupant (XEP-0045 section 17.4), and to oneself (XEP-0410).

A request goes to the session that speaks for the other one, a vCard's to the account. Neither
side learns the other's address: the id of what is passed on begins with a code by which the
session that has asked is found when the answer comes.
"""

from __future__ import annotations

import base64
import hmac

from prosody_py.api import Stanza, StanzaError, jid, stanza

PING, VCARD = "urn:xmpp:ping", "vcard-temp"
_CODE = 16  # characters


def code_of(room, asking: str, asked: str) -> str:
    """Return the code of a pair of sessions."""
    digest = hmac.digest(room.get_salt().encode(), f"{asking}\0{asked}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:12]).decode()


def handle(module, room, event) -> bool:
    """Act on an iq to an address in a room."""
    element = event.stanza
    attr = element.attr
    sender = room.get_occupant_by_real_jid(attr["from"])
    receiver = room._occupants.get(attr["to"])
    if attr["type"] in ("result", "error"):
        if receiver is not None:
            answer(room, element, receiver)
        return True
    payload = element.tags[0]
    if sender is None:
        if payload.name == "query" and (payload.attr.get("xmlns") or "").startswith(
                "http://jabber.org/protocol/disco#"):
            raise StanzaError("bad-request", "You are not in this room")
        raise StanzaError("not-acceptable", "You are not in this room", type="cancel")
    if receiver is None:
        raise StanzaError("item-not-found", "There is nobody of this name in the room")
    if receiver is sender and payload.name == "ping" and payload.attr.get("xmlns") == PING:
        event.origin.send(stanza.reply(element))
        return True
    to = receiver.jid
    if payload.name == "vCard" and payload.attr.get("xmlns") == VCARD:
        if attr["type"] != "get":
            raise StanzaError("not-allowed", "Nobody writes the vCard of another")
        to = receiver.bare_jid
    passed = Stanza("iq", {**attr, "from": sender.nick, "to": to,
                           "id": code_of(room, attr["from"], to) + attr["id"]})
    passed.children = list(element.children)
    room.route_stanza(passed)  # in the room's name: the answer comes here
    return True


def answer(room, element: Stanza, receiver) -> None:
    """Hand an answer to the session that has asked; what nobody has asked for is dropped."""
    attr = element.attr
    sender = attr["from"]
    code, id = attr["id"][:_CODE], attr["id"][_CODE:]
    occupant = room.get_occupant_by_real_jid(sender)
    if occupant is None:
        occupant = next((one for one in room._occupants.values() if one.bare_jid == jid.bare(
            sender)), None)
    if occupant is None or not id:
        return
    for address in receiver.sessions:
        if hmac.compare_digest(code_of(room, address, sender), code):
            passed = Stanza("iq", {**attr, "from": occupant.nick, "to": address, "id": id})
            passed.children = list(element.children)
            room.route_stanza(passed)
            return
