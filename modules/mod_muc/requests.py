"""Stanzas that come for a room or somebody in it, handed to what deals with them."""

from __future__ import annotations

from functools import partial

from prosody_py.api import StanzaError, jid, stanza

from . import admin, avatar, disco, entering, ghosts, owner, register, relay
from .occupant import MUC
from .storing import weight


def presence_in_room(module, event):
    """Act on presence to an address in a room."""
    attr = event.stanza.attr
    type, address = attr.get("type"), jid.bare(attr["to"])
    if type not in (None, "unavailable"):
        room = module.rooms.get(address)
        if type == "probe" and room is not None:
            entering.probe(room, event)
        if type == "error" and room is not None:
            ghosts.from_the_dead(room, event)
        return True
    if type is None and weight(event.stanza) > module.options.muc_max_presence_size:
        raise StanzaError("policy-violation", "The presence is too large", type="modify")
    room = module.rooms.get(address, attr["from"] if type else None)
    if room is not None and module.rooms.is_tombstone(room):
        if type is None:
            module.rooms.answer_gone(event, room)
        return True
    room = module.rooms.get(address, attr["from"] if type else None)
    if was_replaced(module, event):
        return True
    if room is not None:
        entering.handle(module, room, event)
    elif type is None:
        if event.stanza.get_child("x", MUC) is None:
            event.origin.send(entering.not_in_room(attr["to"], attr["from"]))
        else:
            entering.create(module, event, address)
    return True


def was_replaced(module, event) -> bool:
    """Whether another instance is in service since the room was loaded; it gets the stanza then."""
    if module.loaded:
        return False
    module.server.post_stanza(event.origin, event.stanza)
    return True


def presence_to_room(module, event):
    """Refuse to let somebody in without a nickname (section 7.2.2); all else means nothing."""
    element = event.stanza
    if element.attr.get("type") is None:
        raise StanzaError("jid-malformed", "Say under which nickname you enter")
    if element.attr["type"] == "unavailable":
        room = module.rooms.live.get(element.attr["to"])
        own = room.get_occupant_by_real_jid(element.attr["from"]) if room else None
        if own is not None:
            entering.leave(room, own, element.attr["from"], element, event.origin)
    return True


def iq_to_room(answer, module, event):
    """Find the room of an iq and send the payload that `answer(module, room, event)` returns."""
    element = event.stanza
    room = module.rooms.find(event, element.attr["to"])
    if room is None or was_replaced(module, event):
        return True
    result = answer(module, room, event)
    if result is True:  # it was answered
        return True
    if result is not None and result.name == "iq":  # a whole answer
        event.origin.send(result)
        return True
    reply = stanza.reply(element)
    if result is not None:
        reply.add_child(result)
    event.origin.send(reply)
    return True


def iq_in_room(module, event):
    """Pass an iq to somebody in a room on."""
    element = event.stanza
    address = jid.bare(element.attr["to"])
    if module.rooms.get(address) is None and element.attr["type"] == "get" and (
            element.tags[0].attr.get("xmlns") == relay.PING):
        raise StanzaError("not-acceptable", "You are not in this room", type="cancel")
    room = module.rooms.find(event, address)
    return True if room is None else relay.handle(module, room, event)


def load(module):
    """Hook the events."""
    module.hook_own("presence/full", presence_in_room, -2)
    module.hook_own("presence/bare", presence_to_room, -2)
    module.hook_own("iq/full", iq_in_room, 0)
    for name, answer in ((f"iq-get/bare/{disco.INFO}:query", disco.info),
                         (f"iq-get/bare/{disco.ITEMS}:query", disco.items),
                         (f"iq-get/bare/{admin.ADMIN}:query", admin.get),
                         (f"iq-set/bare/{admin.ADMIN}:query", admin.set),
                         (f"iq-get/bare/{owner.OWNER}:query", owner.get),
                         (f"iq-set/bare/{owner.OWNER}:query", owner.set),
                         (f"iq-get/bare/{avatar.VCARD}:vCard", avatar.get),
                         (f"iq-set/bare/{avatar.VCARD}:vCard", avatar.set),
                         (f"iq/bare/{register.REGISTER}:query", register.handle)):
        handler = partial(iq_to_room, answer)
        module.hook(name, partial(_call, module, handler), -2)


def _call(module, handler, event):
    return handler(module, event)
