"""Who is told what about whom: the presence of occupants; mixed into Room.

Everybody sees an occupant's presence in one of two forms: with the real addresses (moderators,
and all where anyone may know them) and without. Each form becomes text once, only the `to`
differs; for newcomers both are kept until the occupant changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prosody_py.api import Event, Stanza, jid
from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.router.to_many import send_to_many

from .hats import hats_of
from .occupant import USER, Occupant

SELF, BUILD, BROADCAST = "110", "muc-build-occupant-presence", "muc-broadcast-presence"


def parts_of(x: Any) -> tuple[list, list]:
    """Return what an <x/> holds for all and, of {base: <x/>, self: <x/>}, for its own sessions."""
    if x is None:
        return [], []
    if isinstance(x, Stanza):
        return list(x.children), []
    base, own = x.get("base"), x.get("self")
    return list(base.children) if base else [], list(own.children) if own else []


class Description:
    """What there is to tell about an occupant; makes the forms of it."""

    def __init__(self, room: Any, occupant: Occupant, event: Any, shown: list):
        self.stanza = event.stanza
        self.shown, self.nick, self.reason = shown, event.nick, event.reason
        self.role = occupant.role or "none"
        self.affiliation = room.get_affiliation(occupant.bare_jid) or "none"
        self.addresses = list(occupant.sessions) or ([occupant.jid] if occupant.jid else [])
        if occupant.jid in occupant.sessions:  # the one that speaks for all comes first
            self.addresses.remove(occupant.jid)
            self.addresses.insert(0, occupant.jid)
        self.actor_nick = self.actor_jid = None
        if isinstance(event.actor, str):
            nick = event.actor if event.actor in room._occupants else room._jid_nick.get(
                event.actor)
            self.actor_nick = jid.resource(nick) if nick else None
            self.actor_jid = None if nick == event.actor else jid.bare(event.actor)

    def item(self, address: str | None) -> Stanza:
        """Return an <item/>, with an address where the receiver may know it."""
        attr = {"affiliation": self.affiliation, "role": self.role}
        if address is not None:
            attr["jid"] = address
        if self.nick is not None:
            attr["nick"] = self.nick
        item = Stanza("item", attr)
        if self.actor_nick is not None:
            item.tag("actor", nick=self.actor_nick).up()
        elif self.actor_jid is not None and address is not None:
            item.tag("actor", jid=self.actor_jid).up()
        return item.text_tag("reason", self.reason).reset() if self.reason else item

    def form(self, with_addresses: bool, own: list | None = None) -> OneToMany:
        """Return the presence; with `own` as the occupant's own sessions see it."""
        if with_addresses and self.addresses:
            items = [self.item(address) for address in self.addresses]
        else:
            items = [self.item(None)]
        x = Stanza("x", {"xmlns": USER})
        x.children = [*self.shown, *items]
        if own is not None:
            x.children += [*own, Stanza("status", {"code": SELF})]
        presence = Stanza("presence", dict(self.stanza.attr))
        presence.children = [*self.stanza.children, x]
        return OneToMany(presence)


class Status:
    """What a room tells about its occupants."""

    def describe(self, occupant: Occupant, x: Any = None, nick: str | None = None,
                 actor: Any = None, reason: str | None = None, unavailable: bool = False,
                 broadcast: bool = False) -> tuple[Description, list]:
        """Return what there is to tell, and what of it is for the occupant's own sessions."""
        shown, own = parts_of(x)
        kept = occupant.get_presence()
        if kept is None or unavailable or (
                occupant.role is None and kept.attr.get("type") != "unavailable"):
            presence = Stanza("presence", {"from": occupant.nick, "type": "unavailable"})
        else:
            presence = Stanza("presence", dict(kept.attr))
            presence.children = list(kept.children)
            presence.attr.pop("id", None)
        if occupant.stable_id is not None:
            presence.children.append(self.occupant_id_element(occupant))
        presence.children.extend(hats_of(self, occupant))
        event = Event(room=self, stanza=presence, x=None, occupant=occupant, nick=nick,
                      actor=actor, reason=reason)
        if self.hears(BUILD) or broadcast and self.hears(BROADCAST):
            event.x = Stanza("x", {"xmlns": USER})
            event.x.children = shown
            self.module.fire_event(BUILD, event)
            if broadcast:
                self.module.fire_event(BROADCAST, event)
            shown = list(event.x.children)
        return Description(self, occupant, event, shown), own

    def publicise_occupant_status(self, occupant: Occupant, x: Any = None,
                                  nick: str | None = None, actor: Any = None,
                                  reason: str | None = None, prev_role: str | None = None,
                                  force_unavailable: bool = False,
                                  recipient: Occupant | None = None) -> None:
        """Tell the room how it is with an occupant, and last the occupant itself (section 7.2).

        Args:
            x: an <x/> with what is to be told, or {base: <x/>, self: <x/>}.
            nick: the new nickname of one who is going to be renamed.
            actor: who has done it: an occupant's or a session's address.
            prev_role: the role before, if it has changed.
            recipient: tell only this occupant.
        """
        description, own = self.describe(occupant, x, nick, actor, reason, force_unavailable,
                                         recipient is None)
        gone = occupant.role is None or description.stanza.attr.get("type") == "unavailable"
        told = self.get_presence_broadcast()
        visible = not gone and told[occupant.role]
        was_visible = gone and (told.get(prev_role or occupant.role or "", True)) or (
            prev_role is not None and told[prev_role])
        if recipient is not None:
            with_addresses = recipient is occupant or self.may_see_addresses(recipient)
            self._send(description.form(with_addresses, own if recipient is occupant else None),
                       self._sessions_of(recipient))
            return
        if visible or gone and was_visible:
            self._tell_others(occupant, description, visible)
        elif was_visible:
            self._tell_others(occupant, self.describe(occupant, x, nick, actor, reason, True)[0],
                              False)
        self._send(description.form(True, own), self._sessions_of(occupant))

    def may_see_addresses(self, occupant: Occupant) -> bool:
        """Whether an occupant is told the real addresses of others."""
        return occupant.role == "moderator" or self.get_whois() == "anyone"

    def _tell_others(self, occupant: Occupant, description: Description, stays: bool) -> None:
        mine = occupant.sessions
        if self.get_whois() == "anyone":
            self._send(description.form(True), [entry for entry in self.addresses.items()
                                                if entry[0] not in mine])
            return
        full, anonymous = [], []
        addresses = self.addresses
        for other in self._occupants.values():
            if other is not occupant:
                receivers = full if other.role == "moderator" else anonymous
                for address in other.sessions:
                    if address not in mine:
                        receivers.append(
                            (address, addresses.get(address) or self.address_text(address)))
        if full:
            self._send(description.form(True), full)
        if anonymous:
            form = description.form(False)
            if stays and not description.shown and not description.reason and (
                    description.actor_nick is None and not self.hears(BUILD)):
                occupant._shown = (None, form)
            self._send(form, anonymous)

    def _sessions_of(self, occupant: Occupant) -> Iterator[tuple[str, bytes]]:
        for address in list(occupant.sessions):
            yield address, self.address_text(address)

    def _send(self, form: OneToMany, receivers: Any) -> None:
        send_to_many(self.module.server, self.module.host_object, form, receivers)

    # -- what newcomers are told -----------------------------------------------------------

    def send_occupant_list(self, to: Occupant | str, filter: Any = None) -> None:
        """Tell an occupant, or one session by its address, who else is in the room."""
        if isinstance(to, str):
            occupant, addresses = self.get_occupant_by_real_jid(to), [to]
        else:
            occupant, addresses = to, list(to.sessions)
        if occupant is None:
            return
        with_addresses = self.may_see_addresses(occupant)
        told, hooked = self.get_presence_broadcast(), self.hears(BUILD)
        forms = [self._form_for_newcomers(other, with_addresses, hooked)
                 for other in list(self._occupants.values())
                 if other is not occupant and told[other.role]
                 and (filter is None or filter(other.nick, other))]
        for address in addresses:
            self.send_all(forms, address)

    def _form_for_newcomers(self, other: Occupant, with_addresses: bool,
                            hooked: bool) -> OneToMany:
        kept = other._shown
        if not hooked and kept is not None and kept[not with_addresses] is not None:
            return kept[not with_addresses]
        form = self.describe(other)[0].form(with_addresses)
        if not hooked:
            full, anonymous = kept or (None, None)
            other._shown = (form, anonymous) if with_addresses else (full, form)
        return form
