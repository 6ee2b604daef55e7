"""Roles: what occupants may do as long as they are in a room; mixed into Room."""

from __future__ import annotations

from typing import Any

from prosody_py.api import Event, StanzaError, jid, stanza

from .affiliations import RANK
from .occupant import USER, Occupant

ROLES = ("moderator", "participant", "visitor", "none")
KICKED = "307"
VOICES, MOST_VOICES = "voices", 1000  # what moderators have given or taken, of how many accounts


class Roles:
    """Who may what now."""

    def get_role(self, nick: str) -> str | None:
        """Return the role of an occupant by its address, None when there is no such one."""
        occupant = self._occupants.get(nick)
        return None if occupant is None else occupant.role

    def check_role(self, actor: Any, occupant: Occupant, role: str | None) -> None:
        """Raise StanzaError when `actor` may not give an occupant a role (sections 8 and 9).

        `actor` is the address of an occupant or of a session in the room, or True.
        """
        if role is not None and role not in ROLES:
            raise StanzaError("not-acceptable", "There is no such role", type="modify")
        if actor is True:
            return
        actor_affiliation = RANK[self.get_affiliation(jid.bare(self._real_jid(actor))) or "none"]
        own = self._acting(actor)
        if (own is None or own.role != "moderator") and actor_affiliation < RANK["admin"]:
            raise StanzaError("forbidden")
        if own is occupant:
            return
        target = RANK[self.get_affiliation(occupant.bare_jid) or "none"]
        if role == "moderator" or occupant.role == "moderator" and role != "none":
            if actor_affiliation < RANK["admin"]:
                raise StanzaError("forbidden", "Only admins appoint and dismiss moderators")
        if target >= RANK["admin"] and role != "moderator" and (
                target > actor_affiliation or role != "none") or (
                target > actor_affiliation and role in ("none", "visitor", None)) or (
                # Section 8.4; those without an affiliation are at no level.
                role == "visitor" and RANK["none"] < target >= actor_affiliation):
            raise StanzaError("not-allowed", "The affiliation of this occupant stands against it",
                              type="cancel")

    def _acting(self, actor: str) -> Occupant | None:
        return self._occupants.get(actor) or self.get_occupant_by_real_jid(actor)

    def _real_jid(self, actor: str) -> str:
        occupant = self._occupants.get(actor)
        return actor if occupant is None else occupant.bare_jid

    def set_role(self, actor: Any, nick: str, role: str | None, reason: str | None = None) -> bool:
        """Give an occupant (by its address) a role and tell the room; raises StanzaError.

        None or "none" puts it out of the room.
        """
        occupant = self._occupants.get(nick)
        if occupant is None:
            raise StanzaError("item-not-found", "There is no such occupant")
        self.check_role(actor, occupant, role)
        role = None if role == "none" else role
        given = Event(room=self, actor=actor, occupant=occupant, role=role, allowed=True)
        result = self.module.fire_event("muc-pre-set-role", given)
        if result is False or given.allowed is False:
            error = getattr(given, "error", None)
            raise error if isinstance(error, StanzaError) else StanzaError("not-allowed")
        x = stanza.stanza("x", xmlns=USER)
        if role is None:
            x.tag("status", code=KICKED).up()
        was = occupant.role
        occupant.role = role
        occupant._shown = None
        if role is None:
            self.take_out(occupant)
        self.publicise_occupant_status(occupant, x, None, actor, reason, was)
        if role in ("visitor", "participant") and self.get_moderated():
            default = self.get_default_role(self.get_affiliation(occupant.bare_jid))
            self.keep_voice(occupant.bare_jid, role if role != default else None)
        if role == "moderator" and was != role and self.get_whois() == "moderators":
            self.send_occupant_list(occupant)
        if role is None:
            self.fire("muc-occupant-left", nick=occupant.nick, occupant=occupant)
        return True

    def keep_voice(self, account: str, role: str | None) -> None:
        """Note for the next visits whether an account has voice; None for the usual (section 5.1).

        It is kept with the settings; the one of longest ago makes place for a new one.
        """
        voices = dict(self._data.get(VOICES) or {})
        if voices.pop(account, None) == role:
            return
        if role is not None:
            voices[account] = role
            if len(voices) > MOST_VOICES:
                del voices[next(iter(voices))]
        self._data[VOICES] = voices
        self.save()

    def role_on_entering(self, account: str) -> str | None:
        """Return the role with which an account enters, None for one that may not."""
        default = self.get_default_role(self.get_affiliation(account))
        voices = self._data.get(VOICES)
        if voices and default in ("visitor", "participant") and self.get_moderated():
            return voices.get(account) or default
        return default
