"""XEP-0045: Multi-User Chat. A component with rooms.

    components:
      rooms.example.com: {module: muc, name: "Rooms", muc_room_default_persistent: true}

Data and owner: `Rooms` (rooms.py) has the rooms, by address, in bounds; a `Room` (room.py, put
together from what it can do: settings, affiliations, roles, status, subject, occupant ids) has its
occupants and history. What happens to a room is a chain of Prosody's `muc-*` events; the rules of
the specification are handlers of them (entering.py, messages.py, locking.py, register.py ...), so
that modules stand between them by priority. What fails: a stanza is answered with the error that
the specification names; a store that fails leaves the room in memory as it was asked to be, and
who has asked gets an error.

What goes to everybody in a room is written as text once (status.py, prosody_py.router.to_many).
The files: coming and going (entering.py), iqs (requests.py), forms (config_form.py, owner.py),
lists (admin.py), what is stored (storing.py).

Also XEP-0410 (self-ping), XEP-0421 (occupant ids), XEP-0317 (hats, shown), XEP-0463 (versions of
the affiliations, versions.py), XEP-0249 (beside a mediated invitation), XEP-0486 (pictures of
rooms, avatar.py). Exported for other modules and for commands (exported.py): `rooms`,
`get_room_from_jid`, `create_room`, `each_room`, `live_rooms`, `all_rooms`, `has_room`,
`destroy_room`, `set_room_affiliation`, `configure_room`, `list_rooms`.
"""

from __future__ import annotations

from functools import partial

from prosody_py.api import (
    Options,
    boolean,
    enum,
    hook,
    integer,
    jid,
    mapping,
    period,
    size,
    stanza,
    string,
)
from prosody_py.config.option import Option
from prosody_py.config.values import Wrong
from prosody_py.hosts.users import is_admin

from . import (
    admission,
    announcing,
    answers,
    appointed,
    approval,
    avatar,
    commands,
    config_form,
    counting,
    disco,
    ending,
    exported,
    handing_over,
    history,
    invites,
    locking,
    messages,
    register,
    requests,
    restarting,
    subject,
    versions,
    voice,
)
from .occupant import MUC, OCCUPANT_ID
from .rooms import Rooms

DEPENDS = ("disco",)
FEATURES = (MUC, disco.STABLE_ID, disco.SELF_PING, avatar.VCARD)
PARTS = (requests, admission, ending, locking, register, approval, messages, history, subject,
         invites, voice, config_form, appointed, announcing, disco, avatar, versions,
         restarting, counting, commands)


def restriction(value):
    """Read restrict_room_creation: true, false or "local"."""
    if value is True or value is False or value == "local":
        return value
    raise Wrong


class Config(Options):
    """What rooms there may be, and how they begin."""

    name = string("Chatrooms", doc="The name of the service, for people.")
    restrict_room_creation = Option(
        "scalar", 'true, false or "local"', restriction, default="local",
        doc='Who makes rooms: users of the domain above ("local"; users of all domains here if '
            "that is none of them), everybody (false), admins alone (true). Admins always may.")
    muc_room_locking = boolean(True, doc="Let nobody into a new room until it is configured.")
    muc_room_lock_timeout = period("5 minutes", min="1 second",
                                   doc="After which a room that nobody configures is removed.")
    muc_tombstones = boolean(True, doc="Keep the names of destroyed rooms from being taken.")
    muc_tombstone_expiry = period("31 days", doc="For how long.")
    muc_room_cache_size = integer(100, min=1, doc="Rooms in memory; others are loaded when needed.")
    muc_room_allow_persistent = boolean(True, doc="Let all owners make rooms persistent.")
    muc_room_allow_public = boolean(True, doc="Let all owners make rooms public.")
    muc_max_rooms = integer(
        100_000, min=0, doc="Rooms that there may be in all; 0 for no limit. Administrators make "
        "rooms beyond it.")
    muc_max_rooms_per_owner = integer(
        100, min=0, doc="Rooms of one account: that it has made, whoever owns them now; 0 for no "
        "limit. As many of its destroyed rooms keep their names.")
    muc_max_occupants = integer(0, min=0, doc="Occupants of one room; 0 for no limit.")
    muc_max_nick_length = integer(100, min=1, max=1023, doc="Characters of a nickname.")
    muc_max_affiliations = integer(20000, min=1, doc="Accounts that a room may know.")
    muc_max_affiliations_size = size(
        "4 MB", min="1 KB", doc="About how much it may know of them in all: addresses, nicknames, "
        "reasons of bans.")
    muc_max_subject_length = integer(10_000, min=1, doc="Characters of a subject.")
    muc_max_presence_size = size(
        "32 KB", min="1 KB", doc="About how large a presence may be that is sent to a room; it is "
        "kept, and told to all.")
    max_history_messages = integer(50, min=0, max=5000, doc="Most messages that a room keeps.")
    max_history_size = size("1 MB", min=1000, doc="About how much memory they may take.")
    component_admins_as_room_owners = boolean(
        True, doc="Let the administrators of the service own all rooms.")
    enforce_registered_nickname = boolean(
        False, doc="Let who has reserved a nickname in a room use no other there: who asks for "
        "another enters under the own one.")
    muc_registration = enum(
        "open", "approval", "closed",
        doc="Who registers with a room: everybody, at once (in a room for members nobody), who is "
        "approved by an admin of the room, nobody.")
    muc_affiliation_messages = boolean(
        False, doc="Send those who are not in a room a message when its admins change what they "
        "are to it (status code 101).")
    muc_invite_new_members = boolean(
        False, doc="Invite those whom admins make members of a room for members. Most clients "
        "invite them themselves.")
    muc_occupant_id = boolean(True, doc="Show who is who under changing nicknames (XEP-0421).")
    muc_room_default_public = boolean(True, doc="List new rooms.")
    muc_room_default_persistent = boolean(False, doc="Keep new rooms when they are empty.")
    muc_room_default_members_only = boolean(False, doc="Let only members into new rooms.")
    muc_room_default_moderated = boolean(False, doc="Let visitors of new rooms have no voice.")
    muc_room_default_public_jids = boolean(False, doc="Show addresses to all in new rooms.")
    muc_room_default_change_subject = boolean(False, doc="Let all set the subject of new rooms.")
    muc_room_default_allow_member_invites = boolean(
        False, doc="Let members invite into new rooms for members.")
    muc_room_default_allow_invites = boolean(
        True, doc="Let participants invite into new rooms that are open.")
    muc_room_default_history_length = integer(20, min=0, doc="Messages that a new room keeps.")
    muc_room_default_language = string(None, doc="The language of new rooms.")
    muc_room_default_presence_broadcast = mapping(
        None, values_=boolean(True), doc="Of which roles the presence is told to others, such as "
        "{visitor: false}.")
    muc_room_default_allow_pm = enum("anyone", "participants", "moderators", "none",
                                     doc="Who sends private messages in new rooms.")
    muc_room_default_always_allow_moderator_pms = boolean(
        True, doc="Whether they can always be sent from and to moderators.")


def load(module):
    """Open the stores and hook everything."""
    module.hook_own = lambda name, function, priority=0: module.hook(
        name, partial(function, module), priority)
    module.refuse = answers.refuse
    module.gone_answer = partial(gone_answer, module)
    module.is_admin = lambda address: is_admin(module.server, jid.bare(address), module.host)
    module.rooms = Rooms(module)
    module.add_identity("conference", "text", module.options.name)
    if module.options.muc_occupant_id:
        module.add_feature(OCCUPANT_ID)
    for part in PARTS:
        part.load(module)
    exported.publish(module)


def save(module):
    """Return the rooms; what is in them is read when the next instance takes over."""
    return {"rooms": module.rooms}


def restore(module, saved):
    """Go on with them; nothing may wait here, so that nothing happens in between."""
    if saved.get("rooms") is not None:
        handing_over.take_over(module.rooms, handing_over.keep(saved["rooms"]))


@hook("user-deleted", on="global")
def forget_account(module, event):
    """Take what an account was to rooms from one that is gone: the next of its name is another.

    A ban stays.
    """
    address = f"{event.username}@{event.host}"
    for room in list(module.rooms.live.values()):
        approval.forget(room, address)
        room.keep_voice(address, None)
    for room in module.rooms.of_account(address):
        if room._affiliations.get(address) not in (None, "outcast"):
            room.set_affiliation(True, address, None)
    module.rooms.forget_maker(address)


def unload(module):
    """Tell everybody that the service ends, unless the next instance goes on."""
    if module.reloading or module.server.stopping:
        return
    x = stanza.stanza("x", xmlns=MUC + "#user").tag("status", code="332").up()
    for room in list(module.rooms.live.values()):
        room.destroying = True
        room.clear(x)


def gone_answer(module, element, newjid, reason):
    """Return the answer to a stanza for a room that was destroyed (section 10.9)."""
    answer = stanza.error_reply(element, "cancel", "gone", None, module.host)
    answer.reset()
    error = answer.get_child("error")
    if newjid:
        error.tags[0].text(f"xmpp:{newjid}?join")
    if reason:
        error.text_tag("text", reason, xmlns="urn:ietf:params:xml:ns:xmpp-stanzas")
    return answer
