"""XEP-0352: Client State Indication. Tells other modules whether anybody looks at a client.

Fires `csi-client-active` and `csi-client-inactive` with `origin`; what is done then is up to the
modules that hook them. The session's field `state` is "active" or "inactive".
"""

from __future__ import annotations

from prosody_py.api import Event, hook, stanza

XMLNS = "urn:xmpp:csi:0"


@hook("stream-features")
def features(module, event):
    """Announce the feature once the client has logged in."""
    if event.origin.username is not None:
        event.features.add_child(stanza.stanza("csi", xmlns=XMLNS))


@hook(f"stanza/{XMLNS}:active")
def active(module, event):
    """The client is looked at."""
    return changed(module, event.origin, "active")


@hook(f"stanza/{XMLNS}:inactive")
def inactive(module, event):
    """The client is in the background."""
    return changed(module, event.origin, "inactive")


@hook("smacks-hibernation-end")
def resumed(module, event):
    """A stream that is resumed begins as an active one (section 5.1)."""
    session = event.resumed
    if session is not None and session.extras.get("state") == "inactive":
        changed(module, session, "active")


def changed(module, session, state: str) -> bool:
    """Note a client's state and tell the others."""
    if session.username is not None:
        session.extras["state"] = state
        module.fire_event("csi-client-" + state, Event(origin=session))
    return True
