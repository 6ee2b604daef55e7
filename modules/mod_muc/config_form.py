"""The form in which an owner configures a room (XEP-0045 section 10), with Prosody's fields.

Others add to it by `muc-config-form` and get what was chosen by `muc-config-submitted/FIELD`.

All fields of the registry (section 15.5.3) are offered but two. `muc#maxhistoryfetch` is told in
the disco#info, and understood here, where Prosody's name is "historylength".
`muc#roomconfig_enablelogging` is about logs for everybody, outside of the room: modules that make
such logs offer it. mod_muc_mam's archive is for those who may enter, and has a field of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prosody_py.api import Event, StanzaError, dataforms, jid

from . import appointed
from .answers import ask
from .occupant import MUC
from .storing import plain

FORM_TYPE = MUC + "#roomconfig"
PREFIX = "muc#roomconfig_"
OWN = "{http://prosody.im/protocol/muc}roomconfig_"
CHANGED, NOW_PUBLIC, NOW_SEMI = "104", "172", "173"
REGISTERED = {"muc#maxhistoryfetch": PREFIX + "historylength"}
MAX_FIELDS, MAX_VALUE = 200, 10_000


class Setting:
    """One field: what it is called, how it is read and written."""

    def __init__(self, name: str, label: str, get: str, set: str, type: str = "boolean",
                 **more: Any):
        self.name, self.get, self.set = name, get, set
        self.write: Callable[[Any], Any] = more.pop("write", lambda value: value)
        self.only_if: Callable[[Any, str], bool] = more.pop("only_if", lambda room, actor: True)
        self.field = {"name": name, "type": type, "label": label, **more}


def _number(value: Any) -> int | None:
    return None if value in (None, "") else int(value)


def _choices(**texts: str) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in texts.items()]


_NUMBER = {"type": "text-single", "datatype": "xs:integer", "write": _number, "range_min": 0,
           "range_max": 1_000_000}
_ROLES = _choices(moderator="Moderators", participant="Participants", visitor="Visitors")


def _may_persist(room: Any, actor: str) -> bool:
    return room.module.options.muc_room_allow_persistent or room.module.is_admin(actor)


def _may_publish(room: Any, actor: str) -> bool:
    return room.module.options.muc_room_allow_public or room.module.is_admin(actor)


SETTINGS: tuple[Setting | str, ...] = (
    "Room information",
    Setting(PREFIX + "roomname", "Title", "get_name", "set_name", "text-single"),
    Setting(PREFIX + "roomdesc", "Description", "get_description", "set_description",
            "text-single", desc="What the room is about, in a sentence"),
    Setting(PREFIX + "lang", "Language (a tag such as en or pt-BR)", "get_language",
            "set_language", "text-single", datatype="xs:language"),
    Setting(PREFIX + "pubsub", "Publish-subscribe node that belongs to the room (xmpp: URI)",
            "get_pubsub", "set_pubsub", "text-single"),
    Setting(PREFIX + "persistentroom", "Persistent (stays when it is empty)", "get_persistent",
            "set_persistent", only_if=_may_persist),
    Setting(PREFIX + "publicroom", "Public (listed for everybody)", "get_public", "set_public",
            only_if=_may_publish),
    "Who may enter",
    Setting(PREFIX + "passwordprotectedroom", "A password is needed", "get_password_protected",
            "set_password_protected"),
    Setting(PREFIX + "roomsecret", "Password", "get_password", "set_password", "text-private"),
    Setting(PREFIX + "membersonly", "For members only", "get_members_only", "set_members_only"),
    Setting(PREFIX + "allowinvites", "Occupants may invite others", "get_allow_invites",
            "set_allow_invites"),
    Setting(OWN + "allowmemberinvites", "Members may invite others if it is for members only",
            "get_allow_member_invites",
            "set_allow_member_invites"),
    Setting(PREFIX + "maxusers", "Most occupants (0: no limit of the room's own)",
            "get_max_occupants", "set_max_occupants", **_NUMBER),
    "Who may do what",
    Setting(PREFIX + "changesubject", "Everybody may set the subject", "get_changesubject",
            "set_changesubject"),
    Setting(PREFIX + "moderatedroom", "Moderated (voice has to be granted)", "get_moderated",
            "set_moderated"),
    Setting(PREFIX + "whois", "Who sees the addresses of occupants", "get_whois", "set_whois",
            "list-single", options=_choices(moderators="Moderators only", anyone="Anyone")),
    Setting(PREFIX + "presencebroadcast", "Whose presence everybody is told of",
            "get_presence_broadcast", "set_presence_broadcast", "list-multi", options=_ROLES),
    Setting(PREFIX + "getmemberlist", "Who sees the list of members if all see addresses",
            "get_member_list_roles", "set_member_list_roles", "list-multi", options=_ROLES),
    Setting(PREFIX + "allowpm", "Who may send private messages", "get_allow_pm", "set_allow_pm",
            "list-single", options=_choices(
                anyone="Everybody", participants="Those with voice", moderators="Moderators only",
                none="Nobody")),
    Setting("{xmpp:prosody.im}muc#allow_modpm",
            "Private messages from and to moderators are always allowed",
            "get_allow_modpm", "set_allow_modpm"),
    "History",
    Setting(PREFIX + "historylength", "How many messages are kept for who enters",
            "get_historylength", "set_historylength", **_NUMBER),
    Setting(PREFIX + "defaulthistorymessages", "How many of them a client gets unasked",
            "get_defaulthistorymessages", "set_defaulthistorymessages", **_NUMBER),
)
_BY_NAME = {one.name: one for one in SETTINGS if isinstance(one, Setting)}


def form_of(module: Any, room: Any, actor: str) -> dataforms.Form:
    """Return the form with the values as they are."""
    layout: list[Any] = [{"name": "FORM_TYPE", "type": "hidden", "value": FORM_TYPE}]
    event = Event(room=room, actor=actor, form=layout)
    result = module.fire_event("muc-config-form", event)
    layout = event.form if result is None else result
    fields = [plain(field) for field in _fields(layout)]
    return dataforms.Form(fields, f"Configuration of {room.jid}",
                          "Fill in this form to configure the room.")


def _fields(layout: Any) -> list[Any]:
    """Return the fields of a layout, which may be a table of Lua."""
    if isinstance(layout, list | tuple):
        return list(layout)
    layout = layout.copy()
    if isinstance(layout, dict):  # it has a title beside its fields
        return [layout[key] for key in sorted(key for key in layout if isinstance(key, int))]
    return layout


def add_settings(module, event):
    """Add the room's own settings to the form."""
    room, form = event.room, event.form
    for setting in SETTINGS:
        if isinstance(setting, str):
            form.append({"type": "fixed", "value": setting})
        elif setting.only_if(room, event.actor):
            value = getattr(room, setting.get)()
            if setting.field["type"] == "list-multi":
                value = [role for role, shown in value.items() if shown]
            form.append({**setting.field, "value": value})


def submit(module: Any, room: Any, event: Any, x: Any) -> set[str] | None:
    """Configure a room as a filled in form says; see `apply` for the result."""
    actor = event.stanza.attr["from"]
    tags = x.tags
    if len(tags) > MAX_FIELDS or any(len(value.get_text()) > MAX_VALUE
                                     for field in tags for value in field.tags):
        raise StanzaError("resource-constraint", "The form is too large")
    form_type = dataforms.form_type(x)
    if form_type not in (FORM_TYPE, None):
        raise StanzaError("bad-request", "This is a form for something else")
    form = form_of(module, room, jid.bare(actor))
    x = in_our_words(form, x)
    tags = x.tags
    fields = form.read(x)
    fields.pop("FORM_TYPE", None)
    check_choices(form, fields)
    given = {field.attr.get("var") for field in tags}
    fields.update((name, "") for name in given & _BY_NAME.keys() - fields.keys()
                  if _BY_NAME[name].field["type"].startswith("text"))
    fields.update((name, []) for name in given & _BY_NAME.keys() - fields.keys()
                  if _BY_NAME[name].field["type"] == "list-multi")
    fields.update((name, []) for name in given.intersection(appointed.FIELDS.values())
                  if name not in fields)
    return apply(module, room, event, fields, actor)


def in_our_words(form: dataforms.Form, x: Any) -> Any:
    """Return a filled in form with what the registry has otherwise than our form.

    `muc#maxhistoryfetch` is how long the history is, and the most occupants may be "none".
    """
    offered = {field.get("name") for field in form.fields}
    given = {field.attr.get("var") for field in x.tags}
    x = x.clone()
    for field in x.tags:
        var = field.attr.get("var")
        meant = REGISTERED.get(var)
        if meant and var not in offered and meant not in given:
            field.attr["var"] = meant
        elif var == PREFIX + "maxusers" and field.get_child_text("value") == "none":
            field.get_child("value").children = ["0"]
    return x


def check_choices(form: dataforms.Form, fields: dict[str, Any]) -> None:
    """Raise StanzaError for a value of a list that is none of its options (XEP-0004)."""
    for field in form.fields:
        value = fields.get(field.get("name"))
        if value is None or field.get("type") not in ("list-single", "list-multi"):
            continue
        known = {str(option["value"] if isinstance(option, Mapping) else option)
                 for option in field.get("options") or ()}
        chosen = value if isinstance(value, list) else [value]
        if known and not known.issuperset(chosen):
            raise StanzaError("not-acceptable", f"{field['name']}: this is none of the choices")


def apply(module: Any, room: Any, event: Any, fields: dict[str, Any],
          actor: Any) -> set[str] | None:
    """Change the settings named in `fields`; return the status codes of what has changed.

    None says that somebody has ended it, and has answered. Raises StanzaError for what cannot be,
    before anything is changed.
    """
    follow_the_rules(room, fields)
    changes = appointed.changes_of(room, fields, actor)
    codes: dict[str, bool] = {}
    data = Event(room=room, origin=event.origin, stanza=event.stanza, fields=fields,
                 status_codes=codes, actor=actor)
    data.update_option = updater(room, fields, codes)
    if module.fire_event("muc-config-submitted", data):
        return None
    appointed.appoint(room, changes, actor if actor != module.host else True)
    if codes:
        codes[CHANGED] = codes.get(CHANGED, True)
    return {str(code) for code, on in codes.items() if on}


def follow_the_rules(room: Any, fields: dict[str, Any]) -> None:
    """Bring fields that depend on each other together; raises StanzaError for what cannot be.

    A new password protects a room, whatever else is said. Where members alone may enter, it is
    they who invite, unless the field that says just that is there too.
    """
    protected, secret = fields.get(PREFIX + "passwordprotectedroom"), PREFIX + "roomsecret"
    given, before = fields.get(secret), room.get_password()
    if protected and not (before if given is None else given):
        raise StanzaError("not-acceptable", "A protected room needs a password")
    if protected is False and (given is None or given == before):
        fields[secret] = ""
    invites = fields.get(PREFIX + "allowinvites")
    if invites is not None and fields.get(PREFIX + "membersonly", room.get_members_only()):
        fields.setdefault(OWN + "allowmemberinvites", invites)
    if (uri := fields.get(PREFIX + "pubsub")) and not uri.startswith("xmpp:"):
        raise StanzaError("not-acceptable", "The address of a node is an xmpp: URI")


def updater(room: Any, fields: Any, codes: dict[str, bool]) -> Callable[..., bool]:
    """Return Prosody's `update_option(name, field[, also])`: set what a field of the form says."""
    def update_option(name: str, field: str, also: Any = None) -> bool:
        value = fields.get(field)
        if value is None:
            return False
        if not getattr(room, "set_" + name)(value):
            return False
        codes[CHANGED] = True
        for code in plain(also) or () if also is not None else ():
            codes[str(code)] = True
        return True
    return update_option


def each_field(module, event):
    """Fire an event for each field that was filled in."""
    for name, value in list(event.fields.items()):
        known = dict(event.__dict__)
        data = Event(**{**known, "field": name, "value": value})
        ask(module, f"muc-config-submitted/{name}", data)


def change(module, event, setting):
    """Set what one of the room's own fields says."""
    room, value, actor = event.room, event.value, event.actor
    if not setting.only_if(room, jid.bare(actor)):
        return
    if getattr(room, setting.set)(setting.write(value)):
        event.status_codes[CHANGED] = True
        if setting.set == "set_whois":
            event.status_codes[NOW_PUBLIC if value == "anyone" else NOW_SEMI] = True
            for occupant in room._occupants.values():
                occupant._shown = None


def load(module):
    """Hook the events."""
    module.hook_own("muc-config-form", add_settings, 100)
    module.hook_own("muc-config-submitted", each_field, -1)
    for setting in _BY_NAME.values():
        module.hook(f"muc-config-submitted/{setting.name}",
                    lambda event, setting=setting: change(module, event, setting))
