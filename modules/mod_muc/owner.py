"""What owners do: configure a room and destroy it (XEP-0045 section 10)."""

from __future__ import annotations

from prosody_py.api import Event, StanzaError, dataforms, jid, stanza

from .config_form import form_of, submit
from .ending import end_when_empty
from .locking import is_locked, unlock
from .occupant import MUC, USER

OWNER = MUC + "#owner"
MADE_MEMBERS_ONLY = "322"


def check(room, event) -> None:
    """Raise StanzaError for who is no owner."""
    if room.get_affiliation(jid.bare(event.stanza.attr["from"])) != "owner":
        raise StanzaError("forbidden", "Only owners configure a room")


def get(module, room, event):
    """Return the <query/> with the form."""
    check(room, event)
    form = form_of(module, room, jid.bare(event.stanza.attr["from"]))
    return stanza.stanza("query", xmlns=OWNER).add_child(form.element())


def set(module, room, event) -> bool | None:
    """Take the form back, or destroy the room; True when somebody has answered already."""
    check(room, event)
    query = event.stanza.tags[0]
    destroy = query.get_child("destroy", OWNER)
    if destroy is not None:
        newjid = destroy.attr.get("jid")
        if newjid is not None and (newjid := jid.prep(newjid)) is None:
            raise StanzaError("jid-malformed", "The alternative is no address", type="modify")
        room.destroy(newjid, destroy.get_child_text("reason", OWNER),
                     destroy.get_child_text("password", OWNER))
        return None
    x = query.get_child("x", dataforms.XMLNS)
    if x is None:
        raise StanzaError("bad-request", "There is no form")
    type = x.attr.get("type")
    if type == "cancel":
        if is_locked(room):
            room.destroy(None, "The configuration was cancelled")
        return None
    if type != "submit":
        raise StanzaError("bad-request", "The form is not filled in")
    codes = submit(module, room, event, x)
    if codes is None:
        room.save()
        return True
    finish(module, room, codes)
    return None


def finish(module, room, codes) -> None:
    """Make a new configuration take effect: save it, tell everybody, open the room."""
    unlock(room)
    was_stored = room.jid in module.rooms.stored
    room.save(True)
    if codes:
        room.announce(codes)
    if room.get_members_only():
        only_members_stay(room)
    module.fire_event("muc-room-configured", Event(room=room, status_codes=sorted(codes)))
    if was_stored and not room.get_persistent():
        end_when_empty(module, Event(room=room))  # nobody will leave it


def only_members_stay(room) -> None:
    """Put those out who may not be in a room that is for members only now (section 9.7)."""
    leaving = [occupant for occupant in room._occupants.values()
               if room.get_affiliation(occupant.bare_jid) in (None, "none")]
    x = stanza.stanza("x", xmlns=USER).tag("status", code=MADE_MEMBERS_ONLY).up()
    for occupant in leaving:
        was = occupant.role
        room.take_out(occupant)
        room.publicise_occupant_status(occupant, x, prev_role=was)
        room.fire("muc-occupant-left", nick=occupant.nick, occupant=occupant)
