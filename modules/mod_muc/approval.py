"""Registrations that an admin of the room has to approve (XEP-0045 sections 7.10 and 9.9).

With `muc_registration: approval` who registers is kept in the settings of the room, by its address,
under "registrations", until an owner or admin answers. Those who are in the room get the form at
once, others when they enter; each answer is for all of them. Who was approved is told by a message
with the status code 101 unless it is in the room. What fails: an answer about somebody who has not
asked, or has something to do with the room meanwhile, is an item-not-found.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import StanzaError, dataforms, jid, stanza

from .affiliations import RANK
from .announcing import tell_person
from .invites import known_account
from .occupant import MUC
from .storing import plain

KEY, FORM_TYPE, MOST = "registrations", MUC + "#register", 100
NICK = "muc#register_roomnick"
FORM = dataforms.Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": FORM_TYPE},
    {"name": "muc#jid", "type": "jid-single", "label": "Address of the user"},
    {"name": NICK, "type": "text-single", "label": "Desired nickname"},
    {"name": "muc#register_allow", "type": "boolean", "value": False,
     "label": "Allow this person to register with the room?"},
], "Registration request", "Somebody asks to be registered with the room.")


def is_admin(room: Any, account: str) -> bool:
    """Whether an account answers requests."""
    return RANK[room.get_affiliation(account) or "none"] >= RANK["admin"]


def ask(room: Any, account: str, data: dict[str, Any]) -> None:
    """Keep a request and ask the admins who are there; the same one is not asked about twice."""
    waiting = room._data.get(KEY) or {}
    data = plain(data)
    if waiting.get(account) == data:
        return
    if account not in waiting and len(waiting) >= MOST:
        raise StanzaError("resource-constraint", "Too many requests wait for an answer")
    room._data[KEY] = {**waiting, account: data}
    room.save()
    room.broadcast(request_of(room, account, data),
                   lambda _nick, occupant: is_admin(room, occupant.bare_jid))


def request_of(room: Any, account: str, data: dict[str, Any]):
    """Return the message that asks for an answer."""
    return stanza.message({"from": room.jid}).add_child(FORM.element({
        "muc#jid": account, NICK: data.get("reserved_nickname"), "muc#register_allow": False}))


def forget(room: Any, account: str) -> bool:
    """Drop the request of an account; return whether there was one."""
    waiting = room._data.get(KEY) or {}
    if account not in waiting:
        return False
    waiting = {one: data for one, data in waiting.items() if one != account}
    room._data.pop(KEY)
    if waiting:
        room._data[KEY] = waiting
    room.save()
    return True


def handle(module, room, event, form) -> bool | None:
    """Act on the form of an answer that was sent to the room."""
    if form.attr.get("type") != "submit" or dataforms.form_type(form) != FORM_TYPE:
        return None
    actor = jid.bare(event.stanza.attr["from"])
    if not is_admin(room, actor):
        raise StanzaError("forbidden", "Only admins decide who is registered")
    fields = FORM.read(form)
    waiting = room._data.get(KEY) or {}
    account = jid.bare(fields.get("muc#jid") or "") or next(
        (one for one, data in waiting.items() if data.get("reserved_nickname") == fields.get(NICK)),
        None)
    data = waiting.get(account)
    if data is None:
        raise StanzaError("item-not-found", "There is no such request")
    forget(room, account)
    if not fields.get("muc#register_allow"):
        return True
    if room.get_affiliation(account) is not None:
        raise StanzaError("item-not-found", "This user is known to the room already")
    known_account(module, account)
    if room.get_registered_jid(data.get("reserved_nickname")) not in (None, account):
        raise StanzaError("conflict", "The nickname is somebody else's meanwhile")
    room.set_affiliation(actor, account, "member", None, dict(data))
    if not module.options.muc_affiliation_messages and not any(
            occupant.bare_jid == account for occupant in room._occupants.values()):
        tell_person(room, account, "member", None)
    return True


def ask_who_enters(module, event):
    """Ask an admin who enters what waits for an answer."""
    room = event.room
    waiting = room._data.get(KEY)
    if waiting and is_admin(room, event.occupant.bare_jid):
        for account, data in list(waiting.items()):
            message = request_of(room, account, data)
            message.attr["to"] = event.jid
            room.route_stanza(message)


def load(module):
    """Hook the event."""
    module.hook_own("muc-occupant-session-new", ask_who_enters, 10)
