"""XEP-0092: Software Version of the server."""

from __future__ import annotations

import platform

from prosody_py.api import Options, boolean, iq, stanza

XMLNS = "jabber:iq:version"
FEATURES = (XMLNS,)


class Config(Options):
    """What is told."""

    hide_os_type = boolean(False, doc="Do not tell which operating system the server runs on.")


@iq("get", XMLNS, "query")
def version(module, event):
    """Tell name, version and operating system."""
    query = stanza.stanza("query", xmlns=XMLNS)
    query.text_tag("name", "prosody-py").text_tag("version", module.server.version)
    if not module.options.hide_os_type:
        query.text_tag("os", platform.system())
    return query
