"""What other modules do with invitations, by Prosody's names."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Mapping
from typing import Any

from prosody_py.api import StanzaError, jid
from prosody_py.hosts import users

from .invite import Invite, is_over

NAMES = ("get", "use", "create_account", "create_account_reset", "create_contact", "create_group",
         "delete_account_invite", "get_account_invite_info", "pending_account_invites")


def data_of(given: Any) -> dict[str, Any]:
    """Return what a caller says about an invitation as plain data; it may be a table of Lua."""
    if given is None:
        return {}
    return dict(given) if isinstance(given, Mapping) else given.copy()


def data_values(table: Any) -> list[Any]:
    """Return the entries of a list, or of a Lua table that is one."""
    found = table.copy() if hasattr(table, "copy") else table
    return list(found.values()) if isinstance(found, Mapping) else list(found)


class Pending:
    """What is iterated over in Python, and called again and again by the `for` of Lua."""

    def __init__(self, entries: list[tuple[str, Invite]]):
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[tuple[str, Invite]]:
        return self._entries

    def __call__(self, *_state: Any) -> tuple[str, Invite] | None:
        return next(self._entries, None)


class Functions:
    """The functions of one host."""

    def __init__(self, module):
        self._module = module

    def _create(self, type: str, address: str, allow_registration: bool, additional: Any,
                ttl: float | None, reusable: bool = False) -> Invite:
        """Make an invitation and tell the others; raises StanzaError when there are too many."""
        options, invites = self._module.options, self._module.invites
        fields = {"type": type, "jid": address, "allow_registration": bool(allow_registration),
                  "additional_data": data_of(additional), "reusable": reusable or None,
                  "expires": int(time.time() + (ttl or options.invite_expiry))}
        creator = Invite(fields, None).creator
        if len(invites) >= options.invites_max:
            invites.remove_expired()
        mine = sum(invite.creator == creator for invite in invites) if creator else 0
        if len(invites) >= options.invites_max or mine >= options.invites_per_user:
            raise StanzaError("resource-constraint", "There are too many open invitations")
        invite = invites.add(fields)
        self._module.log("info", "%s made an invitation (%s)", creator or "Somebody", type)
        self._module.fire_event("invite-created", invite)
        return invite

    def create_account(self, username: str | None = None, additional: Any = None,
                       ttl: float | None = None) -> Invite:
        """Invite somebody to make an account; with `username` that one.

        Args:
            additional: `roles`, `groups`, `source` and whatever modules want to find again.
            ttl: seconds in which the invitation can be taken up.
        """
        address = f"{username}@{self._module.host}" if username else self._module.host
        return self._create("register", address, True, additional, ttl)

    def create_account_reset(self, username: str, ttl: float | None = None) -> Invite:
        """Let somebody choose a new password for an account."""
        return self.create_account(username, {"allow_reset": username},
                                   ttl or self._module.options.invite_reset_expiry)

    def create_contact(self, username: str, allow_registration: bool = False,
                       additional: Any = None, ttl: float | None = None) -> Invite:
        """Invite somebody to become a contact of an account, and perhaps to make one here."""
        return self._create("roster", f"{username}@{self._module.host}", allow_registration,
                            additional, ttl)

    def create_group(self, groups: Any, additional: Any = None, ttl: float | None = None) -> Invite:
        """Invite any number of people to make accounts that are put into groups."""
        names = [groups] if isinstance(groups, str) else list(data_values(groups))
        return self._create("register", self._module.host, True,
                            {**data_of(additional), "groups": names}, ttl, reusable=True)

    def _find(self, token: str | None, username: str | None = None) -> Invite | str:
        """Return an invitation, or why there is none."""
        if not token:
            return "no token provided"
        invite = self._module.invites.get(token)
        if invite is None or not hmac.compare_digest(invite.token.encode(), token.encode()):
            return "token invalid"
        if is_over(invite, time.time()):
            self._module.invites.remove(token)
            return "token expired"
        if username is not None and jid.node(invite.jid) != username:
            return "token invalid"
        account = invite.additional_data.get("allow_reset") or (
            invite.inviter if invite.type == "roster" else None)
        if account and not users.user_exists(self._module.server, account, self._module.host):
            return "token invalid"
        return invite

    def get(self, token: str | None = None, username: str | None = None) -> Any:
        """Return the invitation of a token; with `username` only if it is about that account.

        When there is none, return None and a text that says why.
        """
        found = self._find(token, username)
        return found if isinstance(found, Invite) else (None, found)

    def use(self, token: str) -> bool:
        """Note that an invitation was taken up; false if it is not open."""
        invite = self._module.invites.get(token)
        return invite is not None and invite.use()

    def get_account_invite_info(self, token: str) -> Any:
        """Return the invitation to make an account that a token is for; None and why not."""
        found = self._find(token)
        if not isinstance(found, Invite):
            return None, found
        return found if found.type == "register" else (None, "not found")

    def delete_account_invite(self, token: str) -> Any:
        """Take an invitation to make an account back; None and why not when there is none."""
        found = self._find(token)
        if not isinstance(found, Invite) or found.type != "register":
            return None, "not found"
        return self._module.invites.remove(token)

    def pending_account_invites(self) -> Pending:
        """Iterate over the open invitations to make an account: (token, invitation)."""
        now = time.time()
        return Pending([(invite.token, invite) for invite in self._module.invites
                        if invite.type == "register" and not is_over(invite, now)])
