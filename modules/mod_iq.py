"""Turns an iq into the event of its payload (as Prosody's mod_iq does).

A get or set fires `iq/<kind>/<xmlns>:<name>`, then `iq-<type>/<kind>/<xmlns>:<name>`; a result or
error `iq-<type>/<kind>/<id>`; kind is "host", "bare" or "self". An iq to a full address goes to
that session.
"""

from __future__ import annotations

from prosody_py.api import hook


@hook("iq/full", priority=-1)
def to_session(module, event):
    """Hand an iq to the session that it is addressed to; one that is ending answers nothing."""
    session = module.server.full_sessions.get(event.stanza.attr["to"])
    return True if session is not None and session.send(event.stanza) else None


@hook("iq/host", priority=-1)
def to_host(module, event):
    """Fire the event of an iq to the host."""
    return fire(module, "host", event)


@hook("iq/bare", priority=-1)
def to_account(module, event):
    """Fire the event of an iq to an account; to the sender's own first as "self"."""
    return fire(module, "bare", event)


@hook("iq/self", priority=-1)
def to_own_account(module, event):
    """Fire the event of an iq to the sender's own account."""
    return fire(module, "self", event)


def fire(module, kind, event):
    """Fire the events of one iq; what a handler returns is the result."""
    stanza = event.stanza
    events = module.events
    type = stanza.attr.get("type")
    if type in ("result", "error"):
        return events.fire_event(f"iq-{type}/{kind}/{stanza.attr.get('id')}", event)
    child = stanza.tags[0]
    payload = f"{child.attr.get('xmlns')}:{child.name}"
    result = events.fire_event(f"iq/{kind}/{payload}", event)
    if result is None:
        result = events.fire_event(f"iq-{type}/{kind}/{payload}", event)
    return result
