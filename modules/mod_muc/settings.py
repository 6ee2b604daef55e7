"""What is configured about a room: getters and setters of Prosody's names, mixed into Room.

Values stand in `room._data` under the names of Prosody's store. A setter returns whether anything
has changed; nothing is saved by it.
"""

from __future__ import annotations

from typing import Any

ROLES = ("visitor", "participant", "moderator")
ALLOW_PM = ("anyone", "participants", "moderators", "none")


def flag(key: str, default: str, text: str) -> tuple[Any, Any]:
    """Return a getter and a setter of something that is on or off; `default` is an option's."""
    def get(self) -> bool:
        value = self._data.get(key)
        return getattr(self.module.options, default) if value is None else bool(value)

    def set(self, value: Any) -> bool:
        value = bool(value)
        if get(self) is value:
            return False
        self._data[key] = value
        return True

    get.__doc__, set.__doc__ = f"Return whether {text}.", f"Say whether {text}."
    return get, set


def _by_role(roles: Any) -> dict[str, bool]:
    """Return {role: true or false} of that, or of a list of roles."""
    if hasattr(roles, "items"):
        return {role: bool(roles.get(role)) for role in ROLES}
    roles = list(roles or ())
    return {role: role in roles for role in ROLES}


class Settings:
    """The settings of a room."""

    get_moderated, set_moderated = flag(
        "moderated", "muc_room_default_moderated", "voice has to be granted")
    get_members_only, set_members_only = flag(
        "members_only", "muc_room_default_members_only", "only members may enter")
    get_changesubject, set_changesubject = flag(
        "changesubject", "muc_room_default_change_subject", "participants may set the subject")
    get_allow_member_invites, set_allow_member_invites = flag(
        "allow_member_invites", "muc_room_default_allow_member_invites",
        "members may invite into a members-only room")
    get_allow_invites, set_allow_invites = flag(
        "allow_invites", "muc_room_default_allow_invites",
        "occupants may invite into a room that is open")
    get_allow_modpm, set_allow_modpm = flag(
        "allow_modpm", "muc_room_default_always_allow_moderator_pms",
        "moderators can always be written to privately")
    _get_persistent, _set_persistent = flag(
        "persistent", "muc_room_default_persistent", "the room outlives its last occupant")

    def get_persistent(self) -> bool:
        """Return whether the room outlives its last occupant."""
        return self._get_persistent()

    def set_persistent(self, value: Any) -> bool:
        """Say whether the room outlives its last occupant."""
        return self._set_persistent(value)

    is_members_only, is_moderated = get_members_only, get_moderated
    is_persistent = get_persistent

    # -- texts -----------------------------------------------------------------------------

    def get_name(self) -> str | None:
        """Return the room's title, None when it has none."""
        return self._data.get("name")

    def get_description(self) -> str | None:
        """Return what the room is about."""
        return self._data.get("description")

    def get_language(self) -> str | None:
        """Return the language tag."""
        return self._data.get("language") or self.module.options.muc_room_default_language

    def get_password(self) -> str | None:
        """Return the password that who enters must know, None for none."""
        return self._data.get("password")

    def get_password_protected(self) -> bool:
        """Return whether a password is needed."""
        return bool(self._data.get("password"))

    def set_password_protected(self, protected: Any) -> bool:
        """Remove the password if none is to be needed; setting it is what protects a room."""
        return not protected and self._set_text("password", None)

    def get_pubsub(self) -> str | None:
        """Return the xmpp: URI of the publish-subscribe node that belongs to the room."""
        return self._data.get("pubsub")

    def set_pubsub(self, uri: str | None) -> bool:
        """Set that URI."""
        return self._set_text("pubsub", uri)

    def _set_text(self, key: str, value: str | None) -> bool:
        value = value or None
        if self._data.get(key) == value:
            return False
        if value is None:
            self._data.pop(key, None)
        else:
            self._data[key] = value
        return True

    def set_name(self, name: str | None) -> bool:
        """Set the title."""
        return self._set_text("name", name)

    def set_description(self, text: str | None) -> bool:
        """Set what the room is about."""
        return self._set_text("description", text)

    def set_language(self, tag: str | None) -> bool:
        """Set the language tag."""
        return (tag or None) != self.get_language() and self._set_text("language", tag)

    def set_password(self, password: str | None) -> bool:
        """Set or (with None or "") remove the password."""
        return self._set_text("password", password)

    # -- lists and numbers -----------------------------------------------------------------

    def get_hidden(self) -> bool:
        """Return whether the room is not in public lists."""
        hidden = self._data.get("hidden")
        return not self.module.options.muc_room_default_public if hidden is None else bool(hidden)

    def set_hidden(self, hidden: Any) -> bool:
        """Take the room out of public lists, or put it in."""
        if self.get_hidden() is bool(hidden):
            return False
        self._data["hidden"] = bool(hidden)
        return True

    is_hidden = get_hidden

    def get_public(self) -> bool:
        """Return whether the room is in public lists."""
        return not self.get_hidden()

    is_public = get_public

    def set_public(self, public: Any) -> bool:
        """Put the room in public lists, or take it out."""
        return self.set_hidden(not public)

    def get_whois(self) -> str:
        """Return who may see occupants' addresses: "moderators" or "anyone"."""
        return self._data.get("whois") or (
            "anyone" if self.module.options.muc_room_default_public_jids else "moderators")

    def set_whois(self, whois: str) -> bool:
        """Say who may see occupants' addresses."""
        if whois not in ("moderators", "anyone") or self.get_whois() == whois:
            return False
        self._data["whois"] = whois
        return True

    def get_historylength(self) -> int:
        """Return how many messages are kept for who enters."""
        options = self.module.options
        length = self._data.get("history_length")
        return min(options.muc_room_default_history_length if length is None else int(length),
                   options.max_history_messages)

    def set_historylength(self, length: int | None) -> bool:
        """Say how many messages are kept; None for the default."""
        most = self.module.options.max_history_messages
        if length is not None:
            length = max(0, min(int(length), most))
        before = self.get_historylength()
        if length is None:
            self._data.pop("history_length", None)
        else:
            self._data["history_length"] = length
        return self.get_historylength() != before

    def get_defaulthistorymessages(self) -> int:
        """Return how many messages who enters gets without asking for a number."""
        count = self._data.get("default_history_messages")
        return self.get_historylength() if count is None else min(
            int(count), self.get_historylength())

    def set_defaulthistorymessages(self, count: int | None) -> bool:
        """Set that number; None for as many as are kept."""
        count = None if count is None else max(0, int(count))
        if self._data.get("default_history_messages") == count:
            return False
        if count is None:
            self._data.pop("default_history_messages", None)
        else:
            self._data["default_history_messages"] = count
        return True

    def get_max_occupants(self) -> int:
        """Return how many may be in the room, 0 for no limit."""
        most = self.module.options.muc_max_occupants
        count = int(self._data.get("max_occupants") or most)
        return min(count, most) if most else count

    def set_max_occupants(self, count: int | None) -> bool:
        """Say how many may be in the room, 0 or None for as many as the server allows."""
        before = self.get_max_occupants()
        if count:
            self._data["max_occupants"] = max(1, int(count))
        else:
            self._data.pop("max_occupants", None)
        return self.get_max_occupants() != before

    def get_allow_pm(self) -> str:
        """Return who may send private messages: anyone, participants, moderators, none."""
        return self._data.get("allow_pm") or self.module.options.muc_room_default_allow_pm

    def set_allow_pm(self, who: str) -> bool:
        """Say who may send private messages."""
        if who not in ALLOW_PM or self.get_allow_pm() == who:
            return False
        self._data["allow_pm"] = who
        return True

    def get_presence_broadcast(self) -> dict[str, bool]:
        """Return of which roles the presence is told to others: {role: true or false}."""
        kept = self._data.get("presence_broadcast")
        if kept is None:
            default = self.module.options.muc_room_default_presence_broadcast
            return {role: default.get(role, True) for role in ROLES}
        return {role: bool(kept.get(role)) for role in ROLES}

    def get_member_list_roles(self) -> dict[str, bool]:
        """Return who may read the lists where addresses are seen: {role: true or false}."""
        kept = self._data.get("member_list_roles")
        return {role: kept is None or bool(kept.get(role)) for role in ROLES}

    def set_member_list_roles(self, roles: Any) -> bool:
        """Set that: the roles as a list, or {role: true or false}."""
        wanted = _by_role(roles)
        if wanted == self.get_member_list_roles():
            return False
        self._data["member_list_roles"] = wanted
        return True

    def set_presence_broadcast(self, roles: Any) -> bool:
        """Set that: the roles as a list, or {role: true or false}."""
        wanted = _by_role(roles)
        if wanted == self.get_presence_broadcast():
            return False
        self._data["presence_broadcast"] = wanted
        return True
