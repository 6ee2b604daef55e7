"""When stanzas may be given to sessions at once, past events that would change nothing.

A stanza to many passes the same handlers again and again. While those are only the ones whose work
the sender knows, the stanza can go to the sessions directly, as text that is written once.

A handler with an attribute `concerns(module, account, peer)` says by it whether it would do
anything about presence between an account of the events' host and somebody else; one of message/*,
about a headline that a service sends to the account. Everybody else's handlers see everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prosody_py.hosts.one_to_many import OneToMany
from prosody_py.xmpp.jid import prepped_split

_MESSAGES = "message"  # the module whose handlers a direct delivery of messages stands for


def nothing(_module, _account: str, _peer: str) -> bool:
    """Say that a handler does nothing about what takes a shortcut: its `concerns`."""
    return False


def passes_by(function: Callable) -> Callable:
    """Mark a handler that would do nothing about any stanza that takes a shortcut."""
    function.concerns = nothing
    return function


def others(events, owner: str, *names: str) -> list[tuple[Callable, Any]] | None:
    """Return who may stop these events beside the module `owner`.

    They are entries for `concerned`; None when somebody must see each of the events.
    """
    if events.wrapped or "pre-stanza" in events.index:
        return None
    found: list[tuple[Callable, Any]] = []
    for name in names:
        ours = 0
        for handler in events.index.get(name, ()):
            bound_to = getattr(handler, "args", None)
            concerns = getattr(getattr(handler, "func", None), "concerns", None)
            if bound_to and bound_to[0].name == owner:
                ours += 1
            elif bound_to and concerns is not None:
                if concerns is not nothing and (concerns, bound_to[0]) not in found:
                    found.append((concerns, bound_to[0]))
            else:
                return None
        if ours != 1:
            return None
    return found


def concerned(entries: list[tuple[Callable, Any]], account: str, peer: str) -> bool:
    """Whether one of `others` (of the account's host) has to see what is between these two."""
    for concerns, module in entries:
        if concerns(module, account, peer):
            return True
    return False


def send_to_many(server, origin, to_many: OneToMany, addresses: Iterable[str]) -> None:
    """Deliver a headline to full and bare JIDs, on behalf of `origin` (a host of ours).

    The events message/full and message/bare are fired where others than mod_message have to see
    them.
    """
    known: dict[tuple[str | None, str], list | None] = {}
    attr = to_many.stanza.attr
    sender, headline = attr.get("from"), attr.get("type") == "headline"
    for address in addresses:
        node, host_name, resource = prepped_split(address)
        event = "message/full" if resource else "message/bare"
        if (host_name, event) not in known:
            host = server.hosts.get(host_name)
            known[host_name, event] = others(host.events, _MESSAGES, event) if (
                headline and host is not None and host.type == "local") else None
        entries = known[host_name, event]
        if entries is None or not node or concerned(entries, f"{node}@{host_name}", sender):
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
