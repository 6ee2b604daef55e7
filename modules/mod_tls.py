"""STARTTLS for clients (RFC 6120 section 5)."""

from __future__ import annotations

from prosody_py.api import hook, ns, stanza


def offered(session) -> bool:
    """Whether TLS can be started on this session."""
    return (not session.secure and session.type == "c2s_unauthed"
            and hasattr(session.conn, "starttls"))


@hook("stream-features", priority=500)
def features(module, event):
    """Announce STARTTLS, as required where logging in without it is refused."""
    if offered(event.origin):
        tag = stanza.stanza("starttls", xmlns=ns.TLS)
        if module.server.config.get(module.host, "c2s_require_encryption") is not False:
            tag.tag("required").up()
        event.features.add_child(tag)


@hook(f"stanza/{ns.TLS}:starttls")
def starttls(module, event):
    """Begin TLS."""
    session = event.origin
    if not offered(session):
        session.send(stanza.stanza("failure", xmlns=ns.TLS))
        session.close()
        return True
    context = module.server.tls.for_host(module.host)
    session.send(stanza.stanza("proceed", xmlns=ns.TLS))
    session.starttls(context)
    return True
