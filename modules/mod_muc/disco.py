"""What a room tells about itself (XEP-0045 sections 6.3 to 6.6 and 7.12), and the list of rooms."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from prosody_py.api import Event, Stanza, StanzaError, dataforms, jid, rsm, stanza

from .occupant import MUC, OCCUPANT_ID
from .versions import MAV

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
ROOMINFO = MUC + "#roominfo"
FIELD = "muc#roominfo_"
STABLE_ID, SELF_PING = MUC + "#stable_id", MUC + "#self-ping-optimization"
TRAFFIC = MUC + "#traffic"
REGISTER, ADMIN_NODE = "jabber:iq:register", "x-roomuser-item"
OWN = "{http://prosody.im/protocol/muc}roomconfig_"


def info(module, room, event) -> Stanza | None:
    """Return the disco#info <query/> of a room; None when a handler has answered itself."""
    node = event.stanza.tags[0].attr.get("node") or None
    reply = stanza.reply(event.stanza).tag("query", xmlns=INFO, node=node)
    data = Event(room=room, stanza=event.stanza, reply=reply, form=[], formdata={})
    if node:
        name = f"muc-disco#info/{node}"
        if node == TRAFFIC and not room.hears(name):
            raise StanzaError("service-unavailable", "All namespaces are passed on")
        if not room.hears(name):
            raise StanzaError("item-not-found", "There is no such node")
        module.fire_event(name, data)
        return data.reply
    features = [
        MUC, STABLE_ID, SELF_PING, REGISTER, MAV, MUC + "#register", MUC + "#roomconfig", ROOMINFO,
        "muc_hidden" if room.get_hidden() else "muc_public",
        "muc_nonanonymous" if room.get_whois() == "anyone" else "muc_semianonymous",
        "muc_passwordprotected" if room.get_password() else "muc_unsecured",
        "muc_membersonly" if room.get_members_only() else "muc_open",
        "muc_moderated" if room.get_moderated() else "muc_unmoderated",
        "muc_persistent" if room.get_persistent() else "muc_temporary"]
    if room.get_moderated():
        features.append(MUC + "#request")
    if module.options.muc_occupant_id:
        features.append(OCCUPANT_ID)
    reply.tag("identity", category="conference", type="text",
              name=room.get_name() or room.node).up()
    for feature in features:
        reply.tag("feature", var=feature).up()
    data.form, data.formdata = room_form(room)
    module.fire_event("muc-disco#info", data)
    fields = [dict(field.items()) for field in data.form]
    data.reply.add_child(dataforms.Form(fields).element(dict(data.formdata.items()), "result"))
    return data.reply


def room_form(room) -> tuple[list, dict]:
    """Return fields and values of the extended information (section 15.5.4).

    Rooms have no groups of a directory. The addresses of owners are for those who are in the room.
    Where there are logs for everybody, the module that makes them tells where.
    """
    form = [
        {"name": "FORM_TYPE", "type": "hidden", "value": ROOMINFO},
        {"name": FIELD + "occupants", "label": "Number of occupants"},
        {"name": "muc#roomconfig_roomname", "label": "Title"},
        {"name": FIELD + "description", "label": "Description"},
        {"name": FIELD + "lang", "label": "Language"},
        {"name": FIELD + "subject", "label": "Subject"},
        {"name": FIELD + "subjectmod", "type": "boolean",
         "label": "Participants may set the subject"},
        {"name": "muc#roomconfig_changesubject", "type": "boolean"},
        {"name": OWN + "allowmemberinvites", "type": "boolean",
         "label": "Members may invite others"},
        {"name": "muc#roomconfig_allowinvites", "type": "boolean",
         "label": "Everybody may invite others"},
        {"name": "muc#roomconfig_pubsub", "label": "Publish-subscribe node of the room"},
        {"name": "muc#maxhistoryfetch", "label": "Most messages of history"},
    ]
    values = {
        FIELD + "occupants": str(len(room._occupants)),
        "muc#roomconfig_roomname": room.get_name() or "",
        FIELD + "description": room.get_description() or "",
        FIELD + "lang": room.get_language() or "",
        FIELD + "subjectmod": room.get_changesubject(),
        "muc#roomconfig_changesubject": room.get_changesubject(),
        OWN + "allowmemberinvites": room.get_allow_member_invites(),
        "muc#roomconfig_allowinvites": room.get_allow_member_invites()
        if room.get_members_only() else room.get_allow_invites(),
        "muc#maxhistoryfetch": str(room.get_historylength()),
    }
    if room.get_pubsub():
        values["muc#roomconfig_pubsub"] = room.get_pubsub()
    if room.get_public() and not room.get_members_only() and not room.get_password():
        values[FIELD + "subject"] = room.get_subject()[1]
    form = [field for field in form if field["name"] in values or field["name"] == "FORM_TYPE"]
    return form, values


def items(module, room, event) -> Stanza:
    """Return the disco#items of a room: who is in it, for those who are, or in public rooms."""
    node = event.stanza.tags[0].attr.get("node") or None
    reply = stanza.reply(event.stanza).tag("query", xmlns=ITEMS, node=node)
    if node:
        name = f"muc-disco#items/{node}"
        if not room.hears(name):
            raise StanzaError("item-not-found", "There is no such node")
        module.fire_event(name, Event(room=room, stanza=event.stanza, reply=reply))
        return reply
    asking = event.stanza.attr["from"]
    if room.get_occupant_by_real_jid(asking) is not None or room.get_affiliation(
            jid.bare(asking)) in ("owner", "admin"):
        for nick in room._occupants:
            reply.tag("item", jid=nick, name=jid.resource(nick)).up()
    return reply


def own_nickname(module, event):
    """Tell somebody the nickname that is reserved for it (section 7.12)."""
    nick = event.room.get_registered_nick(jid.bare(event.stanza.attr["from"]))
    if nick:
        event.reply.tag("identity", category="conference", type="text", name=nick).up()


def list_rooms(module, event):
    """List the public rooms (section 6.3), a page of them if that is asked for (XEP-0059)."""
    rooms = sorted(module.rooms.public().items())
    asked = rsm.page_request(event.stanza.tags[0])
    chosen = rooms
    if asked is not None:
        chosen, first = page_of(rooms, asked)
    for address, title in chosen:
        event.reply.tag("item", jid=address, name=title or jid.node(address)).up()
    if asked is not None:
        ends = (chosen[0][0], chosen[-1][0], len(rooms), first) if chosen else (
            None, None, len(rooms))
        event.reply.add_child(rsm.page(*ends))


def page_of(rooms: list, asked: rsm.PageRequest) -> tuple[list, int]:
    """Return a page of the rooms and where it begins."""
    addresses = [address for address, _title in rooms]
    start, end = 0, len(rooms)
    if asked.index is not None:
        start = min(asked.index, end)
    if asked.after is not None:
        start = bisect_right(addresses, asked.after)
    if asked.before:
        end = bisect_left(addresses, asked.before)
    if asked.max is not None:
        if asked.backwards:
            start = max(start, end - asked.max)
        else:
            end = min(end, start + asked.max)
    return rooms[start:end], start


def load(module):
    """Hook the events."""
    module.hook_own(f"muc-disco#info/{ADMIN_NODE}", own_nickname, 0)
    module.hook_own("host-disco-items", list_rooms, 0)
