"""What is kept of a room in the stores "config" and "state": Prosody's format.

"config" of a room: `{"_jid": address, "_data": settings, "_affiliation_data": {...}, account:
affiliation ...}`; "state" is who is in it and what was said: `{address in the room: {"bare_jid",
"jid", "role"}, full address: its presence ..., "_last_message", "_last_message_at"}`. What Prosody
does not have: `_data.affiliation_versions` (XEP-0463, versions.py), `_data.creator` (counting.py)
and "_written_at" of a state, in seconds since the epoch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from prosody_py.api import Stanza, jid
from prosody_py.xmpp.preserialize import deserialize, preserialize

from .occupant import Occupant

VERSIONS, WRITTEN_AT = "affiliation_versions", "_written_at"
AFFILIATIONS = ("outcast", "member", "admin", "owner")


def plain(value: Any) -> Any:
    """Return a value such as stores take it; a table of Lua is copied."""
    if hasattr(value, "raw") and hasattr(value, "copy"):
        value = value.copy()
    if isinstance(value, Stanza):
        return preserialize(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool) else None


def weight(value: Any) -> int:
    """Return about how many bytes a stanza or a value of a store takes."""
    if type(value) is str:
        return len(value)
    if isinstance(value, Stanza):
        return 100 + sum(map(len, value.attr.values())) + sum(map(weight, value.children))
    if isinstance(value, Mapping):
        return sum(map(weight, value)) + sum(map(weight, value.values()))
    return sum(map(weight, value)) if isinstance(value, list | tuple) else 10


def freeze(room: Any) -> dict[str, Any]:
    """Return the configuration of a room as it is stored."""
    data = plain(room._data)
    if (versions := room.versions.freeze()) is not None:
        data[VERSIONS] = versions
    return {"_jid": room.jid, "_data": data,
            "_affiliation_data": plain(room._affiliation_data), **room._affiliations}


def freeze_state(room: Any) -> dict[str, Any] | None:
    """Return who is in a room as it is stored, None for an empty one."""
    state: dict[str, Any] = {}
    for nick, occupant in room._occupants.items():
        state[nick] = {"bare_jid": occupant.bare_jid, "jid": occupant.jid, "role": occupant.role}
        for address, presence in occupant.sessions.items():
            state[address] = preserialize(presence)
    if room._history:
        last = room._history[-1]
        state["_last_message"] = preserialize(last["stanza"])
        state["_last_message_at"] = int(last["timestamp"])
    return state or None


def dated(state: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a state with when it is written."""
    return None if state is None else {**state, WRITTEN_AT: int(time.time())}


def affiliations_of(stored: Mapping[str, Any]) -> tuple[dict, dict, dict]:
    """Return (settings, affiliations, their data) of what is stored, in the old form too."""
    data = stored.get("_data")
    settings = dict(data) if isinstance(data, Mapping) else {}
    known = stored.get("_affiliation_data")
    details = dict(known) if isinstance(known, Mapping) else {}
    if "_jid" in stored:
        # By value, too: there are accounts whose name begins with "_", and bans of them.
        entries = {key: value for key, value in stored.items() if isinstance(key, str)
                   and key != "_jid" and (not key.startswith("_") or value in AFFILIATIONS)}
    else:  # Prosody before 0.11
        entries = stored.get("_affiliations")
        entries = entries if isinstance(entries, Mapping) else {}
    return settings, {str(key): value for key, value in entries.items()
                      if isinstance(value, str)}, details


def sessions_of(room: Any) -> list[str]:
    """Return the full addresses of all sessions in a room."""
    return [address for occupant in room._occupants.values() for address in occupant.sessions]


def has_people(state: Any) -> bool:
    """Whether anybody was in a room when its state was written."""
    return isinstance(state, Mapping) and any(
        isinstance(kept, Mapping) and "bare_jid" in kept for kept in state.values())


def thaw_state(room: Any, state: Any) -> None:
    """Put those back into a room who were in it when its state was written."""
    if not isinstance(state, Mapping):
        return
    occupants: dict[str, Occupant] = {}
    for nick, kept in state.items():
        if isinstance(kept, Mapping) and "bare_jid" in kept and jid.bare(nick) == room.jid:
            occupant = Occupant(str(kept["bare_jid"]), nick)
            occupant.role, occupant.jid = kept.get("role"), kept.get("jid")
            occupants[nick] = occupant
    for address, kept in state.items():
        presence = deserialize(kept) if address not in occupants else None
        if presence is None or presence.name != "presence":
            continue
        occupant = occupants.get(presence.attr.get("from"))
        if occupant is not None:
            occupant.set_session(address, presence)
    for occupant in occupants.values():
        if occupant.jid not in occupant.sessions:
            occupant.choose_new_primary()
        room.get_occupant_id(occupant)
        room.save_occupant(occupant)
    last = deserialize(state.get("_last_message"))
    if last is not None and not room._history:
        last.maptags(lambda child: None if child.name == "delay" else child)
        room._history.append({"stanza": last, "timestamp": float(
            state.get("_last_message_at") or 0)})
