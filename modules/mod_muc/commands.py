"""Commands of administrators for rooms (prosody_py.api.commands): `muc ...`."""

from __future__ import annotations

from typing import Any

from prosody_py.api import CommandError, StanzaError, Table, command, jid, offer_commands
from prosody_py.api.commands import SECRET
from prosody_py.api.commands.forms import value_of

from .config_form import PREFIX, form_of

ROOM = "room:bare_jid"
FLAGS = {"value_params": {"name"}, "switches": {"persistent", "hidden", "members_only"}}


def room_of(module: Any, address: str) -> Any:
    """Return a room that is there; raises StanzaError."""
    room = module.rooms.get(address)
    if room is None or room._data.get("destroyed"):
        raise StanzaError("item-not-found", f"There is no room {address}")
    return room


@command("muc", "list", "host:host", help="Rooms")
def list_rooms(module, call, host):
    """List the rooms of a service."""
    rows = [(room["jid"], room["name"], room["occupants"], *(
        "yes" if room[what] else "no" for what in ("public", "persistent", "members_only")))
        for room in module.exports.list_rooms()]
    return Table(("room", "name", "occupants", "public", "persistent", "members only"),
                 sorted(rows))


@command("muc", "create", ROOM, flags=FLAGS)
def create(module, call, room, given):
    """Make a room."""
    config: dict[str, Any] = {name: True for name in ("persistent", "members_only")
                              if given.get(name)}
    if given.get("hidden"):
        config["public"] = False
    if given.get("name"):
        config["name"] = given["name"]
    module.exports.create_room(room, config)
    return f"The room {room} was made"


@command("muc", "destroy", ROOM, "reason:text?")
def destroy(module, call, room, reason):
    """End a room for good; who is in it is told the reason."""
    module.exports.destroy_room(room, reason)
    return f"The room {room} was destroyed"


@command("muc", "occupants", ROOM)
def occupants(module, call, room):
    """List who is in a room."""
    found = room_of(module, room)
    rows = [(occupant.nickname, occupant.bare_jid, occupant.role,
             found.get_affiliation(occupant.bare_jid) or "none", len(occupant.sessions))
            for _nick, occupant in found.each_occupant()]
    return Table(("nickname", "account", "role", "affiliation", "sessions"), sorted(rows))


@command("muc", "affiliations", ROOM, "affiliation:owner|admin|member|outcast?")
def affiliations(module, call, room, affiliation):
    """List what accounts are to a room, all or those of one affiliation."""
    rows = [(address, one, (data or {}).get("reason"))
            for address, one, data in room_of(module, room).each_affiliation(affiliation)]
    return Table(("account", "affiliation", "reason"), sorted(rows, key=lambda row: row[:2]))


@command("muc", "set-affiliation", ROOM, "account:jid",
         "affiliation:owner|admin|member|none|outcast", "reason:text?")
def set_affiliation(module, call, room, account, affiliation, reason):
    """Give an account an affiliation with a room."""
    module.exports.set_room_affiliation(room, jid.bare(account), affiliation, reason)
    return f"The affiliation of {jid.bare(account)} with {room} is {affiliation}"


def settings(module: Any, room: str) -> dict[str, Any]:
    """Return the fields of a room's form by their short names."""
    form = form_of(module, room_of(module, room), module.host)
    return {field["name"].rpartition("#roomconfig_")[2].rpartition("}")[2].removeprefix(
        "roomconfig_"): field for field in form.fields
        if field.get("name") and field.get("type") not in ("hidden", "fixed")}


@command("muc", "config", ROOM)
def config(module, call, room):
    """Show how a room is configured."""
    rows = []
    for name, field in sorted(settings(module, room).items()):
        value = field.get("value")
        if isinstance(value, list | tuple):
            value = ", ".join(sorted(map(str, value)))
        rows.append((name, SECRET if value and field["type"] == "text-private" else value))
    return Table(("what", "value"), rows)


@command("muc", "configure", ROOM, "setting:string", "value:text?")
def configure(module, call, room, setting, value):
    """Change one setting of a room; 'muc config' shows them."""
    field = settings(module, room).get(setting)
    if field is None:
        raise CommandError(f"Rooms have no setting {setting}", "item-not-found")
    if field["type"] == "text-private":
        raise CommandError("A password would be in the log; it is set with 'muc password'")
    module.exports.configure_room(room, {field["name"]: value_of(field, value or "")})
    return f"{setting} of {room} was changed"


@command("muc", "password", ROOM, "password:password?")
def password(module, call, room, password):
    """Let only those into a room who know a password, or everybody again."""
    module.exports.configure_room(room, {PREFIX + "roomsecret": password or ""})
    return f"The password of {room} was " + ("set" if password else "removed")


def load(module: Any) -> None:
    """Offer the commands."""
    offer_commands(module, list_rooms, create, destroy, occupants, affiliations, set_affiliation,
                   config, configure, password)
