"""Asking for voice, and what moderators answer (XEP-0045 sections 7.13 and 8.6)."""

from __future__ import annotations

from prosody_py.api import Event, StanzaError, dataforms, jid, stanza

from .occupant import MUC

REQUEST = MUC + "#request"
FORM = dataforms.Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": REQUEST},
    {"name": "muc#jid", "type": "jid-single", "label": "Address of the user"},
    {"name": "muc#roomnick", "type": "text-single", "label": "Nickname"},
    {"name": "muc#role", "type": "list-single", "label": "Role asked for",
     "options": ["none", "visitor", "participant", "moderator"]},
    {"name": "muc#request_allow", "type": "boolean", "label": "Grant voice?", "value": False},
], "Voice request", "Somebody asks for voice. Say yes to let everybody hear what it says.")


def handle(module, room, event, form) -> bool | None:
    """Act on a form that was sent to the room."""
    if form.attr.get("type") != "submit" or dataforms.form_type(form) != REQUEST:
        return None
    occupant = room.get_occupant_by_real_jid(event.stanza.attr["from"])
    if occupant is None:
        raise StanzaError("not-acceptable", "You are not in this room", type="cancel")
    data = Event(room=room, origin=event.origin, stanza=event.stanza, fields=FORM.read(form),
                 occupant=occupant)
    if occupant.role == "moderator":
        module.fire_event("muc-voice-response", data)
    else:
        module.fire_event("muc-voice-request", data)
    return True


def ask(module, event):
    """Ask the moderators."""
    room, occupant = event.room, event.occupant
    if not room.get_moderated():
        raise StanzaError("feature-not-implemented", "Everybody has voice in this room")
    if occupant.role == "participant":
        raise StanzaError("conflict", "You have voice already", type="cancel")
    if event.fields.get("muc#role") != "participant":
        raise StanzaError("not-acceptable", "Only the role of a participant can be asked for")
    message = stanza.message({"from": room.jid})
    message.add_child(FORM.element({
        "muc#jid": occupant.jid, "muc#roomnick": occupant.nickname, "muc#role": "participant",
        "muc#request_allow": False}))
    room.broadcast(message, lambda nick, other: other.role == "moderator")


def answer(module, event):
    """Do what a moderator says."""
    room, fields = event.room, event.fields
    if not fields.get("muc#request_allow"):
        return
    occupant = room.get_occupant_by_real_jid(fields.get("muc#jid") or "")
    if occupant is None:
        raise StanzaError("item-not-found", "The one who has asked is not here any more")
    if occupant.role != "visitor":
        raise StanzaError("conflict", "It has voice already", type="cancel")
    room.set_role(jid.prep(event.stanza.attr["from"]), occupant.nick, "participant")


def load(module):
    """Hook the events."""
    module.hook_own("muc-voice-request", ask, 0)
    module.hook_own("muc-voice-response", answer, 0)
