"""The only door for modules written in Python.

    from prosody_py.api import Options, hook, iq, period, stanza

A module is one file, `mod_x.py`. It may have: `class Config(Options)`; functions marked with
`@hook`, `@iq` and `@command`; the life-cycle functions `load(module)`, `unload(module)`,
`save(module)`, `restore(module, saved)`, `ready(module)`, `add_host(module)`,
`command(module, words)` (run by `prosody-py module command NAME WORDS`; its result is the exit
code); and the constants `GLOBAL` (the server's instead of a host's), `FEATURES` (for service
discovery) and `DEPENDS` (modules that it needs).
"""

from prosody_py.api import adhoc
from prosody_py.api.commands import CommandError, Table
from prosody_py.api.marks import PASS, command, hook, iq, offer_commands
from prosody_py.api.outgoing import DnsError, HttpError, MailError
from prosody_py.config.options import (
    Options,
    array,
    boolean,
    enum,
    inherited_set,
    integer,
    mapping,
    number,
    path,
    period,
    rate,
    scalar,
    set_,
    size,
    string,
)
from prosody_py.events.bus import Event, Events
from prosody_py.events.bystanders import bystander
from prosody_py.xmpp import builders as stanza
from prosody_py.xmpp import dataforms, datetime, jid, ns, rsm
from prosody_py.xmpp.errors import StanzaError, StreamError
from prosody_py.xmpp.stanza import Stanza

__all__ = [
    "CommandError", "DnsError", "Event", "Events", "HttpError", "MailError", "Options", "PASS",
    "Stanza", "StanzaError", "StreamError", "Table", "adhoc", "array", "boolean", "bystander",
    "command", "dataforms", "datetime", "enum", "hook", "inherited_set", "integer", "iq", "jid",
    "mapping", "ns", "number", "offer_commands", "path", "period", "rate", "rsm", "scalar", "set_",
    "size", "stanza", "string",
]
