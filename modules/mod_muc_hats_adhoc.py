"""XEP-0317: owners and admins of a room make hats and hand them out, by commands (XEP-0050).

The hats that there are in a room stand in its settings, `room._data["hats"]`: URI to title and
hue. Who wears which is kept with the affiliations, see mod_muc_hats_api. Each command is one form,
which may also be sent filled in at once, so no state is kept between two steps.
"""

from __future__ import annotations

import secrets
from typing import Any

from prosody_py.api import Stanza, StanzaError, dataforms, hook, jid, stanza

DEPENDS = ("muc", "muc_hats_api")
COMMANDS, PREFIX = "http://jabber.org/protocol/commands", "urn:xmpp:hats:commands"
HATS = "urn:xmpp:hats:0"
MAX_HATS, MAX_TEXT = 100, 200  # in one room; characters
TITLES = {"create": "Create a hat", "destroy": "Destroy a hat", "list": "List the hats",
          "assign": "Assign a hat", "unassign": "Take a hat away",
          "list-assigned": "List who wears hats"}
TITLE, URI = {"name": "hats#title", "label": "Title"}, {"name": "hats#uri", "label": "URI"}
HUE, JID = {"name": "hats#hue", "label": "Hue"}, {"name": "hats#jid", "label": "Address"}


@hook("muc-disco#info")
def features(module, event):
    """Say that there are commands and hats."""
    for feature in (COMMANDS, HATS):
        event.reply.tag("feature", var=feature).up()


@hook(f"muc-disco#items/{COMMANDS}")
def commands(module, event):
    """List the commands of a room."""
    for name, title in TITLES.items():
        event.reply.tag("item", jid=event.room.jid, node=f"{PREFIX}:{name}", name=title).up()


@hook(f"iq-set/bare/{COMMANDS}:command")
def command(module, event):
    """Run a command."""
    request = event.stanza.tags[0]
    prefix, _, name = (request.attr.get("node") or "").rpartition(":")
    room = module.depends("muc").get_room_from_jid(event.stanza.attr["to"])
    if room is None or prefix != PREFIX or name not in TITLES:
        return None
    may(room, jid.bare(event.stanza.attr["from"]), name)
    session = request.attr.get("sessionid") or secrets.token_urlsafe(12)
    answer = stanza.stanza("command", xmlns=COMMANDS, node=f"{PREFIX}:{name}", sessionid=session)
    if request.attr.get("action") == "cancel":
        answer.attr["status"] = "canceled"
    elif name in LISTS:
        answer.attr["status"] = "completed"
        answer.add_child(LISTS[name](room))
    elif (x := dataforms.submitted(request)) is None:
        answer.attr["status"] = "executing"
        answer.tag("actions", execute="complete").tag("complete").up().up()
        answer.add_child(form(room, name).element())
    else:
        ACTIONS[name](module, room, form(room, name).read(x))
        answer.attr["status"] = "completed"
    event.origin.send(stanza.reply(event.stanza).add_child(answer.reset()))
    return True


def may(room: Any, who: str, name: str) -> None:
    """Raise StanzaError unless somebody may run a command."""
    affiliation = room.get_affiliation(who)
    if affiliation in ("owner", "admin"):
        return
    inside = any(occupant.bare_jid == who for _nick, occupant in room.each_occupant())
    if name == "list" and (inside or affiliation == "member"):
        return
    raise StanzaError("forbidden", "Owners and admins deal with hats")


def hats_of(room: Any) -> dict[str, dict]:
    """Return the hats of a room: URI to a dict with title and hue."""
    return room._data.get("hats") or {}


def form(room: Any, name: str) -> dataforms.Form:
    """Return the form of a command."""
    fields: list[dict] = [{"name": "FORM_TYPE", "type": "hidden", "value": PREFIX}]
    if name == "create":
        fields += [{**TITLE, "required": True}, {**URI, "required": True}, HUE]
    else:
        if name != "destroy":
            fields.append({**JID, "type": "jid-single", "required": True})
        fields.append({**URI, "type": "list-single", "required": True, "label": "Hat", "options": [
            {"value": uri, "label": hat.get("title") or uri}
            for uri, hat in hats_of(room).items()]})
    return dataforms.Form(fields, TITLES[name])


def table(title: str, fields: list[dict], rows: list[tuple]) -> Stanza:
    """Return a form of type "result" with many rows (XEP-0004 section 3.4)."""
    x = Stanza("x", {"xmlns": dataforms.XMLNS, "type": "result"})
    x.text_tag("title", title).tag("reported")
    for field in fields:
        x.tag("field", var=field["name"], label=field["label"]).up()
    x.up()
    for row in rows:
        x.tag("item")
        for field, value in zip(fields, row, strict=True):
            x.tag("field", var=field["name"]).text_tag("value", value).up()
        x.up()
    return x.reset()


def list_hats(room: Any) -> Stanza:
    """Return the hats that there are."""
    return table("Hats", [TITLE, URI, HUE], [
        (hat.get("title"), uri, hat.get("hue")) for uri, hat in hats_of(room).items()])


def list_assigned(room: Any) -> Stanza:
    """Return who wears which."""
    rows = []
    for address, _affiliation, data in room.each_affiliation():
        rows += [(address, uri, hat.get("title"), hat.get("hue"))
                 for uri, hat in ((data or {}).get("hats") or {}).items() if hat.get("active")]
    return table("Hats that are worn", [JID, URI, TITLE, HUE], rows)


# -- what commands do ----------------------------------------------------------------------


def create(module, room: Any, values: dict) -> None:
    """Make a hat, or give one another title."""
    hats = dict(hats_of(room))
    uri, title, hue = (values.get(f"hats#{name}") for name in ("uri", "title", "hue"))
    if any(len(text or "") > MAX_TEXT for text in (uri, title, hue)) or hue and not is_hue(hue):
        raise StanzaError("not-acceptable", "This is too long, or the hue no angle below 360")
    if uri not in hats and len(hats) >= MAX_HATS:
        raise StanzaError("resource-constraint", f"A room has at most {MAX_HATS} hats")
    hats[uri] = {"title": title, **({"hue": hue} if hue else {})}
    room._data["hats"] = hats
    room.save()
    room.announce(("104",))


def is_hue(text: str) -> bool:
    """Whether a text is an angle in degrees."""
    whole, _, part = text.partition(".")
    return (whole + part).isdigit() and text.isascii() and 0 <= float(text) < 360


def known(room: Any, values: dict) -> str:
    """Return the URI of the hat that was chosen; raises StanzaError for none."""
    uri = values.get("hats#uri")
    if uri not in hats_of(room):
        raise StanzaError("item-not-found", "There is no such hat")
    return uri


def destroy(module, room: Any, values: dict) -> None:
    """Take a hat away from everybody, and out of the list."""
    uri = known(room, values)
    for address, _affiliation, data in room.each_affiliation():
        if uri in ((data or {}).get("hats") or {}):
            check(module.depends("muc_hats_api").remove_user_hat(address, room.jid, uri))
    room._data["hats"] = {other: hat for other, hat in hats_of(room).items() if other != uri}
    room.save()
    room.announce(("104",))


def assign(module, room: Any, values: dict) -> None:
    """Give somebody a hat."""
    uri = known(room, values)
    check(module.depends("muc_hats_api").add_user_hat(
        values["hats#jid"], room.jid, uri, {**hats_of(room)[uri], "active": True}))


def unassign(module, room: Any, values: dict) -> None:
    """Take a hat away from somebody."""
    check(module.depends("muc_hats_api").remove_user_hat(
        values["hats#jid"], room.jid, known(room, values)))


def check(result: Any) -> None:
    """Raise StanzaError for what mod_muc_hats_api answers when it refuses."""
    if result is not True:
        raise StanzaError(result[1], result[2])


LISTS = {"list": list_hats, "list-assigned": list_assigned}
ACTIONS = {"create": create, "destroy": destroy, "assign": assign, "unassign": unassign}
