"""When stanzas may be given to sessions at once, past events that would change nothing.

A stanza to many passes the same handlers again and again. While those are only the ones whose work
the sender knows, the stanza can go to the sessions directly, as text that is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.xmpp.jid import prepped_split
from prosody_py.xmpp.stanza import Stanza

_MARK = "__prosody_passes_by__"
_MESSAGES = "message"  # the module whose handlers a direct delivery of messages stands for


def passes_by(function: Callable) -> Callable:
    """Mark a handler of presence or messages that need not see what takes a shortcut.

    That is presence which an account here sends to all its contacts here, and headlines that a
    service here sends to accounts here. The handler would do nothing about them.
    """
    setattr(function, _MARK, True)
    return function


def only_of(events, owner: str, *names: str) -> bool:
    """Whether these events have handlers of the module `owner`, and none that would be missed."""
    if events.wrapped or "pre-stanza" in events.index:
        return False
    for name in names:
        ours = False
        for handler in events.index.get(name, ()):
            bound_to = getattr(handler, "args", None)
            if bound_to and bound_to[0].name == owner:
                ours = True
            elif not getattr(getattr(handler, "func", None), _MARK, False):
                return False
        if not ours:
            return False
    return True


def send_to_many(server, origin, to_many: OneToMany, addresses: Iterable[str]) -> None:
    """Deliver a headline to full and bare JIDs, on behalf of `origin` (a host of ours).

    The events message/full and message/bare are fired where others than mod_message handle them.
    """
    free: dict[tuple[str, str], bool] = {}
    headline = to_many.stanza.attr.get("type") == "headline"
    for address in addresses:
        node, host_name, resource = prepped_split(address)
        event = "message/full" if resource else "message/bare"
        host = server.hosts.get(host_name)
        direct = free.get((host_name, event))
        if direct is None:
            direct = free[host_name, event] = (
                headline and host is not None and host.type == "local"
                and only_of(host.events, _MESSAGES, event))
        if not direct or not node:
            server.post_stanza(origin, to_many.element(address))
        elif resource:
            session = server.full_sessions.get(address)
            if session is not None:
                to_many.send(session, address)
        else:
            _to_account(server, to_many, address)


def _to_account(server, to_many: OneToMany, account: str) -> None:
    user = server.bare_sessions.get(account)
    for session in list(user.sessions.values()) if user is not None else ():
        if session.presence is not None and session.priority >= 0:
            to_many.send(session, account)


def message_to_many(server, origin, message: Stanza, addresses: Iterable[str]) -> None:
    """As `send_to_many`, for a message that is not kept."""
    send_to_many(server, origin, OneToMany(message), addresses)
