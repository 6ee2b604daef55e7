"""One invitation, and all that are open on a host."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from gevent.lock import RLock

from prosody_py.api import Event, jid

FIELDS = ("type", "jid", "allow_registration", "uri", "additional_data", "expires", "created_at",
          "token", "reusable")


class Invite(Event):
    """An invitation, with the fields of Prosody's; open, so that modules can add to it.

    `type` is "register" or "roster"; `jid` is the account to be made or the host, or whose contact
    one becomes; `inviter` and `username` are the local parts of these; `expires` and `created_at`
    are seconds since 1970; `additional_data` is what who made it has to say: `roles`, `groups`,
    `allow_reset`, `source`, `contact`. `landing_page` is put there by a module that has web pages.
    """

    def __init__(self, stored: Mapping[str, Any], use):
        super().__init__(**{name: stored.get(name) for name in FIELDS})
        self.additional_data = dict(stored.get("additional_data") or {})
        node, self.landing_page = jid.node(self.jid), None
        self.inviter = node if self.type == "roster" else self.additional_data.get("contact")
        self.username = node if self.type == "register" else None
        self.redeemed_by: Any = None  # the session that is making an account with it
        self._use = use

    def use(self) -> bool:
        """Note that the invitation has been taken up; it is good for nothing then.

        Return false if somebody was faster.
        """
        return self.reusable or self._use(self.token)

    @property
    def creator(self) -> str | None:
        """The bare JID of who asked for it."""
        if self.type == "roster":
            return self.jid
        return jid.bare(str(self.additional_data.get("source") or "")) or None

    def stored(self) -> dict[str, Any]:
        """Return what is stored of it."""
        return {name: self.__dict__[name] for name in FIELDS if self.__dict__[name] is not None}


class OpenInvites:
    """The invitations of a host that can still be taken up, in memory as they are in the store.

    The store "invite_token" has them under the host itself, by token, as Prosody's. `use(token)`
    is what invitations call when they are taken up: it outlives a reload, as they may.
    """

    def __init__(self, open_store, use: Callable[[str], bool]):
        self._store, self._use = open_store("invite_token", "map"), use
        self._lock = RLock()  # held while the store is read or written
        whole = open_store("invite_token").get(None) or {}
        self._invites = {token: self._made(token, stored)
                         for token, stored in whole.items() if isinstance(stored, Mapping)}

    def _made(self, token: str, stored: Mapping[str, Any]) -> Invite:
        return Invite({**stored, "token": token}, self._use)

    def add(self, fields: Mapping[str, Any]) -> Invite:
        """Make an invitation, with a token of 144 random bits; raises StorageError."""
        token = secrets.token_urlsafe(18)
        invite = self._made(token, {**fields, "created_at": int(time.time()),
                                    "uri": uri_of(fields, token)})
        self._store.set(None, token, invite.stored())
        self._invites[token] = invite
        return invite

    def remove(self, token: str) -> bool:
        """Take an invitation back; false if there is none. Raises StorageError."""
        with self._lock:
            invite = self.get(token)
            if invite is None:
                return False
            del self._invites[token]
            try:
                self._store.set(None, token, None)
            except BaseException:
                self._invites[token] = invite
                raise
        return True

    def get(self, token: str) -> Invite | None:
        """Return an invitation, also one whose time is over.

        The store is asked for one that is not known: the command line makes them beside the server.
        """
        invite = self._invites.get(token)
        if invite is not None:
            return invite
        with self._lock:
            stored = self._store.get(None, token)
            if isinstance(stored, Mapping) and stored.get("jid"):
                self._invites.setdefault(token, self._made(token, stored))
            return self._invites.get(token)

    def __iter__(self) -> Iterator[Invite]:
        return iter(list(self._invites.values()))

    def __len__(self) -> int:
        return len(self._invites)

    def remove_expired(self) -> int:
        """Take back those whose time is over; return how many."""
        now = time.time()
        return sum(self.remove(invite.token) for invite in self if is_over(invite, now))

    def for_username(self, username: str) -> list[Invite]:
        """Return those that reserve an account's name."""
        now = time.time()
        return [invite for invite in self if invite.username == username
                and not is_over(invite, now)]


def is_over(invite: Invite, now: float) -> bool:
    """Whether the time of an invitation is over."""
    return invite.expires is not None and invite.expires < now


def uri_of(fields: Mapping[str, Any], token: str) -> str:
    """Return the URI of an invitation (XEP-0401 sections 4.1 and 4.4)."""
    path = quote(fields["jid"], safe="@")
    if fields["type"] == "register":
        return f"xmpp:{path}?register;preauth={token}"
    return f"xmpp:{path}?roster;preauth={token}" + (
        ";ibr=y" if fields.get("allow_registration") else "")
