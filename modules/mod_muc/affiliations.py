"""Affiliations: what accounts are to a room for good, and what is known of them; mixed into Room.

`room._affiliations` maps bare addresses (or domains) to owner, admin, member or outcast, what is
not in it is "none"; `room._affiliation_data` maps them to a dict such as
`{"reserved_nickname": ..., "reason": ...}`, as in Prosody's store.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.api import Event, StanzaError, jid, stanza
from prosody_py.hosts.users import is_admin

from .occupant import USER, Each
from .storing import plain, weight

RANK = {"outcast": -1, "none": 0, "member": 1, "admin": 2, "owner": 3}
BANNED, REMOVED, MADE_MEMBERS_ONLY = "301", "321", "322"
MOST_OF_ONE = 50_000  # characters that are known of one address


class Affiliations:
    """Who is what to a room."""

    # -- questions -------------------------------------------------------------------------

    def get_affiliation(self, address: str) -> str | None:
        """Return the affiliation of an address, None for none."""
        node, host, _resource = jid.split(address)
        bare = f"{node}@{host}" if node else host
        found = self._affiliations.get(bare)
        if found is None and node is not None and self._affiliations.get(host) == "outcast":
            found = "outcast"
        if found != "owner" and self.module.options.component_admins_as_room_owners and (
                bare is not None and is_admin(self.module.server, bare, self.module.host)):
            return "owner"
        return found

    def get_affiliation_data(self, address: str, key: str | None = None) -> Any:
        """Return what is known of an affiliated address, or one entry of it."""
        data = self._affiliation_data.get(jid.bare(address) or address)
        return data if key is None else (data or {}).get(key)

    def set_affiliation_data(self, address: str, key: str, value: Any) -> bool:
        """Note something about an affiliated address; None takes it away."""
        bare = jid.bare(address) or address
        if bare not in self._affiliations:
            raise StanzaError("item-not-found", "This address has no affiliation")
        if value is not None:
            self._bounded(bare, {**(self._affiliation_data.get(bare) or {}), key: plain(value)})
        before, data = self._weigh(bare), self._affiliation_data.setdefault(bare, {})
        old = data.get(key)
        if value is None:
            data.pop(key, None)
        else:
            data[key] = plain(value)
        if not data:
            del self._affiliation_data[bare]
        if self._size is not None:
            self._size += self._weigh(bare) - before
        self._reserved_nicks = None
        self.fire(f"muc-set-affiliation-data/{key}", jid=bare, key=key, value=value,
                  old_value=old)
        occupants = [occupant for occupant in self._occupants.values()
                     if occupant.bare_jid == bare]
        for occupant in occupants:
            occupant._shown = None
        return True

    def each_affiliation(self, affiliation: str | None = None) -> Each:
        """Iterate over (address, affiliation, data) of all, or of one affiliation."""
        return Each([(address, one, self._affiliation_data.get(address))
                     for address, one in self._affiliations.items()
                     if affiliation is None or one == affiliation])

    def get_default_role(self, affiliation: str | None) -> str | None:
        """Return the role with which an affiliation enters (XEP-0045 section 5.2.3)."""
        rank = RANK.get(affiliation or "none", 0)
        result = self.fire("muc-get-default-role", affiliation=affiliation, affiliation_rank=rank)
        if result is not None:
            return result or None
        if affiliation == "outcast":
            return None
        if rank >= RANK["admin"]:
            return "moderator"
        if affiliation == "member":
            return "participant"
        if self.get_members_only():
            return None
        return "visitor" if self.get_moderated() else "participant"

    # -- reserved nicknames ----------------------------------------------------------------

    def _reserved(self) -> dict[str, str]:
        """Return the account of each nickname that is reserved."""
        if self._reserved_nicks is None:
            self._reserved_nicks = {
                data["reserved_nickname"]: address
                for address, data in self._affiliation_data.items()
                if data.get("reserved_nickname") and self._affiliations.get(address) in (
                    "owner", "admin", "member")}
        return self._reserved_nicks

    def get_registered_nick(self, address: str) -> str | None:
        """Return the nickname that is reserved for an account."""
        return self.get_affiliation_data(address, "reserved_nickname")

    def get_registered_jid(self, nick: str) -> str | None:
        """Return the account for which a nickname is reserved."""
        return self._reserved().get(nick)

    # -- changes ---------------------------------------------------------------------------

    def check_affiliation(self, actor: Any, address: str, affiliation: str | None,
                          hands_on: bool = False) -> None:
        """Raise StanzaError when `actor` may not give `address` an affiliation.

        `actor` is an address, or True for the server itself (sections 9 and 10); with `hands_on`
        somebody else is going to be an owner before.
        """
        if affiliation not in RANK and affiliation is not None:
            raise StanzaError("not-acceptable", "There is no such affiliation", type="modify")
        target, new = self.get_affiliation(address), affiliation or "none"
        if actor is True:
            return
        own = jid.bare(actor)
        actor_is = self.get_affiliation(own) or "none"
        if actor_is == "owner":
            if own == address and new != "owner" and self._owners() <= 1 and not hands_on:
                raise StanzaError("conflict", "A room needs an owner")
            if own == address and new == "outcast":
                raise StanzaError("conflict", "Nobody bans himself")
            return
        if actor_is != "admin":
            raise StanzaError("forbidden")
        if own == address and new == "outcast":
            raise StanzaError("conflict", "Nobody bans himself")
        if new in ("owner", "admin") and new != target:
            raise StanzaError("forbidden", "Only owners appoint admins and owners")
        if RANK[target or "none"] >= RANK["admin"] and own != address:
            raise StanzaError("not-allowed", "An admin cannot change admins and owners",
                              type="cancel")

    def _owners(self) -> int:
        return sum(one == "owner" for one in self._affiliations.values())

    def set_affiliation(self, actor: Any, address: str, affiliation: str | None,
                        reason: str | None = None, data: Any = None) -> bool:
        """Give an address an affiliation, tell the room and save; raises StanzaError.

        `actor` is an address or True, `data` what is to be known of the address besides.
        """
        node, host, resource = jid.prepped_split(address)
        if host is None or resource:
            raise StanzaError("jid-malformed" if host is None else "bad-request",
                              "An affiliation belongs to an account or a domain", type="modify")
        address = f"{node}@{host}" if node else host
        self.check_affiliation(actor, address, affiliation)
        if affiliation == "none":
            affiliation = None
        if affiliation is not None:
            self._bounded(address, data)
        before, known = self._affiliations.get(address), self._affiliation_data.get(address)
        event = {"actor": actor, "jid": address, "affiliation": affiliation, "reason": reason,
                 "previous_affiliation": before, "data": known if data is None else data,
                 "previous_data": known}
        given = Event(room=self, allowed=True, **event)
        result = self.module.fire_event("muc-pre-set-affiliation", given)
        if result is False or given.allowed is False:
            error = getattr(given, "error", None)
            raise error if isinstance(error, StanzaError) else StanzaError("not-allowed")
        data = given.data
        self._note_affiliation(address, affiliation, data)
        if affiliation != before:
            self.versions.note(address)
            self.keep_voice(address, None)
        in_room = self._apply_affiliation(actor, address, affiliation, reason, before)
        self.save()
        self.fire("muc-set-affiliation", **{**event, "data": data, "in_room": in_room})
        return True

    def _bounded(self, address: str, data: Any) -> None:
        """Raise StanzaError when there is no place for what is to be known of an address."""
        known = self._affiliation_data.get(address)
        if address in self._affiliations and (data is None or data == known):
            return
        size = len(address) + weight(data)
        if size > MOST_OF_ONE:
            raise StanzaError("resource-constraint", "This is too much about one account")
        self.check_space([address], size)

    def check_space(self, addresses: Iterable[str], size: int) -> None:
        """Raise StanzaError if a room cannot know these addresses, and so much about them."""
        options = self.module.options
        most, count = options.muc_max_affiliations, len(self._affiliations)
        new = sum(one not in self._affiliations for one in addresses)
        if new and count + new > most:
            raise StanzaError("resource-constraint", f"A room has at most {most} affiliations")
        if self._size is None:
            self._size = sum(map(self._weigh, self._affiliations))
        if size and self._size + size > options.muc_max_affiliations_size:
            raise StanzaError("resource-constraint", "The room knows too much about accounts")

    def _weigh(self, address: str) -> int:
        """Return about how many characters are known of an address."""
        if address not in self._affiliations:
            return 0
        data = self._affiliation_data.get(address)
        return len(address) + (weight(data) if data else 0)

    def _note_affiliation(self, address: str, affiliation: str | None, data: Any) -> None:
        before = self._weigh(address)
        self._reserved_nicks = None
        self._affiliation_data.pop(address, None)
        if affiliation is None:
            self._affiliations.pop(address, None)
        else:
            self._affiliations[address] = affiliation
            if data:
                self._affiliation_data[address] = plain(data)
        if self._size is not None:
            self._size += self._weigh(address) - before

    def _apply_affiliation(self, actor: Any, address: str, affiliation: str | None,
                           reason: str | None, before: str | None) -> bool:
        """Change the roles of the occupants concerned and tell everybody; say whether any is."""
        host_only = "@" not in address
        touched = [occupant for occupant in list(self._occupants.values())
                   if occupant.bare_jid == address or host_only and affiliation == "outcast"
                   and jid.host(occupant.bare_jid) == address
                   and self.get_affiliation(occupant.bare_jid) == "outcast"]
        x = stanza.stanza("x", xmlns=USER)
        lost = before in ("owner", "admin", "member") and affiliation is None
        if affiliation == "outcast":
            x.tag("status", code=BANNED).up()
        elif lost and self.get_members_only():
            x.tag("status", code=REMOVED).up()
        if affiliation != before and (version := self.versions.last_change()) is not None:
            x.add_child(version)
        roles = [(occupant, occupant.role, self._role_after(occupant, affiliation, before))
                 for occupant in touched]
        for occupant, _was, role in roles:
            occupant.role = role
            if role is None:
                self.take_out(occupant)
            occupant._shown = None
        for occupant, was, role in roles:
            self.publicise_occupant_status(occupant, x, None, actor, reason, was)
            if role == "moderator" and was != "moderator" and self.get_whois() == "moderators":
                self.send_occupant_list(occupant)
            if role is None:
                self.fire("muc-occupant-left", nick=occupant.nick, occupant=occupant)
        return bool(touched)

    def _role_after(self, occupant: Any, affiliation: str | None, before: str | None) -> str | None:
        """Return the role that an occupant has with a new affiliation."""
        default = self.get_default_role(affiliation)
        if default is None or occupant.role is None:
            return default
        if RANK[affiliation or "none"] < RANK[before or "none"]:
            # Who was a moderator by affiliation is none any more; a visitor stays one.
            return default if occupant.role == "moderator" else occupant.role
        order = ("visitor", "participant", "moderator")
        return max(default, occupant.role, key=order.index)
