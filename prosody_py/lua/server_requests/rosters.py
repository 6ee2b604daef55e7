"""Requests: rosters and subscriptions (core.rostermanager).

A roster is in Lua a table of bare JID to item, and of `false` to its version and the requests
that wait (prosody_py.lua.faces). A store that fails is `nil` or `false` and a text.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import load_roster, save_roster
from prosody_py.hosts.roster_items import Roster, RosterItem
from prosody_py.storage.interface import StorageError
from prosody_py.xmpp.errors import StanzaError

_STEPS = (
    "is_contact_subscribed", "is_user_subscribed", "is_contact_pending_in",
    "is_contact_pending_out", "is_contact_preapproved", "set_contact_pending_in",
    "set_contact_pending_out", "subscribed", "unsubscribed", "unsubscribe",
    "process_inbound_subscription_approval", "process_inbound_subscription_cancellation",
    "process_inbound_unsubscribe", "process_outbound_subscription_request",
    "process_outbound_subscription_approval",
)


# What add and remove answer then is made for a stanza error: type, condition and text.
_NOT_SAVED = (None, b"wait", b"internal-server-error", b"The roster could not be stored")


def _step(name: str, border, server, username: Any, host: Any, jid: Any, *more: Any) -> Any:
    """Run one of the functions of hosts.rostermanager that take a user and a contact."""
    function = getattr(rostermanager, name)
    try:
        return function(server, *map(border.to_python, (username, host, jid, *more)))
    except (StorageError, StanzaError) as error:
        return False, border.to_lua(str(error))


def load(border, server, raw_username: Any, raw_host: Any) -> Any:
    """Return a roster, or nil and why it cannot be had."""
    username, host = border.to_python(raw_username), border.to_python(raw_host)
    if not username or host not in server.hosts:
        return None, b"there is no such user"
    try:
        return border.to_lua(load_roster(server, username, host))
    except StorageError as error:
        return None, border.to_lua(str(error))


def save(border, server, raw_username: Any, raw_host: Any, raw_roster: Any = None,
         raw_jid: Any = None) -> Any:
    """Store what was changed in a roster; a table of a module's own replaces the content."""
    username, host = border.to_python(raw_username), border.to_python(raw_host)
    try:
        roster = border.to_python(raw_roster)
        if roster is not None and not isinstance(roster, Roster):
            roster = _replaced(load_roster(server, username, host), roster.copy())
        save_roster(server, username, host, roster, border.to_python(raw_jid))
    except StorageError as error:
        return False, border.to_lua(str(error))
    return True


def _replaced(roster: Roster, content: dict[Any, Any]) -> Roster:
    for jid in [jid for jid in roster if jid not in content]:
        del roster[jid]
    for jid, item in content.items():
        if isinstance(jid, str):
            roster[jid] = item
    return roster


def push(border, server, username: Any, host: Any, jid: Any) -> None:
    rostermanager.roster_push(server, *map(border.to_python, (username, host, jid)))


def add(border, server, session: Any, jid: Any, raw_item: Any) -> Any:
    """Set name and groups of a contact, as a client does."""
    item = border.to_python(raw_item)
    if not isinstance(item, RosterItem):
        item = RosterItem.from_stored(border.copy_to_python(raw_item))
    try:
        rostermanager.add_to_roster(server, border.to_python(session), border.to_python(jid), item)
    except StanzaError as error:
        return None, *map(border.to_lua, (error.type, error.condition, error.text))
    except StorageError:
        return _NOT_SAVED
    return True


def remove(border, server, session: Any, jid: Any) -> Any:
    try:
        found = rostermanager.remove_from_roster(server, border.to_python(session),
                                                 border.to_python(jid))
    except StorageError:
        return _NOT_SAVED
    return True if found is not None else (None, b"cancel", b"item-not-found", b"No such contact")


REQUESTS: dict[str, Callable[..., Any]] = {
    "load_roster": load, "save_roster": save, "roster_push": push, "add_to_roster": add,
    "remove_from_roster": remove, **{name: partial(_step, name) for name in _STEPS},
}
