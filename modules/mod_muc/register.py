"""Registering with a room: reserving a nickname there (XEP-0045 section 7.10).

Who registers becomes a member, unless the room is for members only: then its admins decide who is
one. With `muc_registration: approval` they decide in all rooms, when somebody asks (approval.py).
The form asks for a nickname alone: names, addresses and texts about oneself (section 15.5.1) are
for modules to ask for that make use of them. Modules add fields to the form by the item
"muc-registration-field" and act on what is filled in by `muc-registration-submitted`.
"""

from __future__ import annotations

from prosody_py.api import Event, StanzaError, dataforms, jid, stanza

from . import approval
from .occupant import MUC
from .storing import plain

REGISTER, FORM_TYPE = "jabber:iq:register", MUC + "#register"
NICK = "muc#register_roomnick"


def form_of(module) -> dataforms.Form:
    """Return the form, with the fields of other modules."""
    fields = [{"name": "FORM_TYPE", "type": "hidden", "value": FORM_TYPE},
              {"name": "roomnick", "var": NICK, "label": "Nickname", "required": True}]
    fields += [plain(item) for item in module.get_host_items("muc-registration-field")]
    return dataforms.Form(fields, "Registration")


def handle(module, room, event):
    """Answer a request for the form, one with the filled in form, and one to be forgotten."""
    element = event.stanza
    account = jid.bare(element.attr["from"])
    affiliation = room.get_affiliation(account)
    if affiliation == "outcast":
        raise StanzaError("forbidden")
    way = module.options.muc_registration
    if affiliation in (None, "none") and (
            way == "closed" or way == "open" and room.get_members_only()):
        raise StanzaError("not-allowed", "The room's admins decide who is a member")
    query = element.tags[0]
    if element.attr["type"] == "get":
        return requirements(module, room, account)
    if query.get_child("remove", REGISTER) is not None:
        forget(room, account, affiliation)
        return None
    x = dataforms.submitted(query)
    if x is None or dataforms.form_type(x) not in (FORM_TYPE, None):
        raise StanzaError("bad-request", "There is no form that was filled in")
    return reserve(module, room, event, account, affiliation, form_of(module).read(x))


def requirements(module, room, account: str):
    """Return the <query/> with what is registered, and the form."""
    query = stanza.stanza("query", xmlns=REGISTER)
    nick = room.get_registered_nick(account)
    if nick:
        query.tag("registered").up().text_tag("username", nick)
    return query.add_child(form_of(module).element({"roomnick": nick}))


def forget(room, account: str, affiliation: str | None) -> None:
    """Give a nickname back; a member by registration is none any more."""
    if approval.forget(room, account):
        return
    if affiliation in (None, "none") or not room.get_registered_nick(account):
        raise StanzaError("registration-required", "There is no registration")
    if affiliation == "member":
        room.set_affiliation(True, account, None)
    else:
        room.set_affiliation_data(account, "reserved_nickname", None)
        room.save()


def reserve(module, room, event, account: str, affiliation: str | None,
            fields) -> bool | None:
    """Reserve a nickname; raises StanzaError when it is somebody else's.

    Returns True when somebody else has answered.
    """
    nick = jid.resource(jid.prep(f"{room.jid}/{fields['roomnick']}"))
    if nick is None or len(nick) > module.options.muc_max_nick_length:
        raise StanzaError("not-acceptable", "This cannot be a nickname")
    holder = room.get_registered_jid(nick)
    occupant = room._occupants.get(f"{room.jid}/{nick}")
    if holder not in (None, account) or occupant is not None and occupant.bare_jid != account:
        raise StanzaError("conflict", "Somebody has this nickname")
    known = {**(room._affiliation_data.get(account) or {}), "reserved_nickname": nick}
    data = Event(room=room, origin=event.origin, stanza=event.stanza, submitted_data=fields,
                 affiliation_data=known)
    if module.fire_event("muc-registration-submitted", data):
        return True
    if affiliation in (None, "none") and module.options.muc_registration == "approval":
        approval.ask(room, account, data.affiliation_data)
        return None
    room.set_affiliation(True, account, "member" if affiliation in (None, "none") else affiliation,
                         None, plain(data.affiliation_data))
    return None


def own_nickname_only(module, event):
    """Refuse nicknames that are reserved for others."""
    room = event.room
    dest = getattr(event, "dest_occupant", None) or event.occupant
    holder = room.get_registered_jid(dest.nickname)
    if holder is not None and holder != jid.bare(event.stanza.attr["from"]):
        return module.refuse(event, room, "conflict", "The nickname is reserved for somebody else")
    return None


def locked_down(module, room, account: str) -> str | None:
    """Return the nickname that an account has to use in a room, None when it may choose."""
    if not module.options.enforce_registered_nickname:
        return None
    return room.get_registered_nick(account)


def let_in_as_registered(module, event):
    """Let who asks for another nickname in under its own (sections 7.2.3 and 7.10, code 210)."""
    room, account = event.room, jid.bare(event.stanza.attr["from"])
    own = locked_down(module, room, account)
    if own is None or own == event.occupant.nickname:
        return
    address = f"{room.jid}/{own}"
    there = room.get_occupant_by_nick(address)
    event.occupant = there or room.new_occupant(account, address)
    event.is_first_session = there is None


def no_other_than_registered(module, event):
    """Refuse to change to another nickname than one's own (section 7.6)."""
    own = locked_down(module, event.room, jid.bare(event.stanza.attr["from"]))
    if own is not None and own != event.dest_occupant.nickname:
        return module.refuse(event, event.room, "not-acceptable", f"Your nickname here is {own}")
    return None


def load(module):
    """Hook the events."""
    module.hook_own("muc-occupant-pre-join", let_in_as_registered, 3)
    module.hook_own("muc-occupant-pre-change", no_other_than_registered, 0)
    for name in ("muc-occupant-pre-join", "muc-occupant-pre-change"):
        module.hook_own(name, own_nickname_only, 0)
