"""XEP-0317: functions with which modules give hats to people in rooms and take them away.

A hat belongs to an affiliation, so who gets one must have one. mod_muc shows hats.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import StanzaError, jid, stanza

DEPENDS = ("muc",)


def load(module):
    """Export the functions."""
    module.exports.add_user_hat = lambda *given: change(module, *given)
    module.exports.remove_user_hat = lambda *given: change(module, *given[:3], remove=True)


def change(module, user_jid: str, room_jid: str, hat_id: str, options: Any = None, *,
           remove: bool = False) -> Any:
    """Give a hat or take it; returns True, or None and why it cannot be done.

    Args:
        hat_id: the hat's URI.
        options: its `title` and `hue`, whether it is `required`, whether `active` (the default).
    """
    room = module.depends("muc").get_room_from_jid(room_jid)
    if room is None:
        return None, "item-not-found", "no such room"
    account = jid.bare(jid.prep(user_jid))
    if account is None or room.get_affiliation(account) in (None, "none", "outcast"):
        return None, "item-not-found", "user not affiliated with room"
    hats = dict((room.get_affiliation_data(account) or {}).get("hats") or {})
    if remove:
        if hats.pop(hat_id, None) is None:
            return None, "item-not-found", "the user has no such hat"
    else:
        get = options.get if options is not None else {}.get
        active = get("active")
        hats[hat_id] = {"active": True if active is None else bool(active),
                        "required": bool(get("required")), "title": get("title") or "",
                        **({"hue": str(get("hue"))} if get("hue") else {})}
    try:
        room.set_affiliation_data(account, "hats", hats or None)
    except StanzaError as error:
        return None, error.condition, error.text
    room.save()
    x = stanza.stanza("x", xmlns="http://jabber.org/protocol/muc#user")
    for _nick, occupant in room.each_occupant():
        if occupant.bare_jid == account:
            room.publicise_occupant_status(occupant, x)
    return True
