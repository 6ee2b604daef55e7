"""XEP-0033: Extended Stanza Addressing. One stanza to the host goes to all whom it names.

Each receiver gets it as if the sender had sent it alone, with all that other modules do about
stanzas of the sender (privacy, archives, directed presence). Receivers on other servers get a
stanza each; whether those servers could distribute it themselves is not asked.

Local users may use it; what comes from elsewhere is delivered on this host only, or not at all: the
server relays nothing for others.

Data and owner: `module.told` knows who was told by way of this module that somebody is available,
so that they hear of the end as well.
"""

from __future__ import annotations

from collections import OrderedDict

from prosody_py.api import Options, Stanza, StanzaError, hook, integer, jid

XMLNS = "http://jabber.org/protocol/address"
FEATURES = (XMLNS,)
RECEIVERS = ("to", "cc", "bcc")
TYPES = (*RECEIVERS, "replyto", "replyroom", "noreply", "ofrom")
MAY_SEND = ":send"
MAX_TOLD = 10_000  # senders of available presence that are remembered


class Config(Options):
    """How many."""

    addressing_max_receivers = integer(
        50, min=1, max=1000, doc="Addresses that one stanza may name (the XEP says 20 to 100).")


def load(module):
    """Let registered users of the host use it."""
    module.default_permission("prosody:registered", MAY_SEND)
    module.told = OrderedDict()


def save(module):
    """Keep who was told of whom."""
    return {"told": module.told}


def restore(module, saved):
    """Go on with it."""
    module.told.update(saved.get("told", {}))


@hook("message/host", priority=10)
def message(module, event):
    """Distribute a message that names receivers."""
    addresses = header(module, event.stanza)
    if addresses is None:
        return None
    receivers = checked(module, event, addresses)
    distribute(module, event, addresses, receivers)
    return True if receivers else None


@hook("presence/host", priority=10)
def presence(module, event):
    """Distribute presence; the end of it goes to all who have heard of the beginning."""
    element, sender = event.stanza, event.stanza.attr.get("from")
    type = element.attr.get("type")
    addresses = header(module, element)
    told = module.told.get(sender)
    if addresses is None and (told is None or type != "unavailable"):
        return None
    receivers = {}
    if addresses is not None:
        if type not in (None, "unavailable"):
            raise StanzaError("bad-request", "Only presence without a type, or of the type "
                                             "unavailable, goes to many")
        receivers = checked(module, event, addresses)
        distribute(module, event, addresses, receivers)
    if type is None:
        remember(module, sender, receivers)
    else:
        for to in module.told.pop(sender, ()):
            if to not in receivers:
                deliver(module, event, Stanza("presence", {
                    "from": sender, "to": to, "type": "unavailable"}))
    return True


def remember(module, sender: str, receivers) -> None:
    """Note who has heard that somebody is available."""
    if receivers:
        told = module.told.setdefault(sender, {})
        for to in receivers:
            if len(told) < module.options.addressing_max_receivers * 20:
                told[to] = True
        module.told.move_to_end(sender)
        if len(module.told) > MAX_TOLD:
            module.told.popitem(last=False)


@hook("resource-unbind", priority=10)
def leave(module, event):
    """Forget a session that has ended: mod_presence tells those who know of it."""
    module.told.pop(event.session.full_jid, None)


def header(module, element: Stanza) -> Stanza | None:
    """Return the <addresses/> of a stanza that is for this service to distribute."""
    if element.attr.get("to") != module.host or element.attr.get("type") == "error":
        return None
    return element.get_child("addresses", XMLNS)


def checked(module, event, addresses: Stanza) -> dict[str, str]:
    """Return the receivers with the type of each; raises StanzaError (section 8).

    Nobody gets anything unless all of them may have it.
    """
    entries = list(addresses.childtags("address"))
    if len(entries) > module.options.addressing_max_receivers:
        raise StanzaError("not-acceptable", "At most "
                          f"{module.options.addressing_max_receivers} addresses can be named")
    receivers: dict[str, str] = {}
    for entry in entries:
        address = address_of(entry)
        type = entry.attr["type"]
        if address is None or type not in RECEIVERS or entry.attr.get("delivered") == "true":
            continue
        if receivers.get(address, "bcc") == "bcc":
            receivers[address] = type
    receivers.pop(module.host, None)
    if not may_send(module, event, receivers):
        raise StanzaError("forbidden", "You may not send to these addresses from here")
    return receivers


def address_of(entry: Stanza) -> str | None:
    """Return the address of an <address/>, None for one without; raises StanzaError."""
    get = entry.attr.get
    type, address, uri = get("type"), get("jid"), get("uri")
    if type not in TYPES:
        raise StanzaError("bad-request", "An address has no type, or one that is not known")
    if uri is not None and (address is not None or get("node") is not None):
        raise StanzaError("bad-request", "An address has a uri and something else")
    if uri is not None:
        raise StanzaError("jid-malformed", "Addresses that are URIs are not supported")
    if address is None:
        if type != "noreply":
            raise StanzaError("bad-request", "An address has no jid")
        return None
    prepared = jid.prep(address)
    if prepared is None:
        raise StanzaError("jid-malformed", "An address is not valid")
    return prepared


def may_send(module, event, receivers) -> bool:
    """Whether the sender may have a stanza distributed to all of these."""
    origin = event.origin
    if getattr(origin, "type", None) == "c2s" and origin.host == module.host:
        return module.may(MAY_SEND, origin)
    return all(jid.host(to) == module.host for to in receivers)


def distribute(module, event, addresses: Stanza, receivers: dict[str, str]) -> None:
    """Send each receiver a copy; nobody sees a bcc but who is meant by it."""
    shown, hidden = Stanza("addresses", {"xmlns": XMLNS}), {}
    for entry in addresses.childtags("address"):
        kind = entry.attr["type"]
        if kind == "bcc":
            hidden.setdefault(jid.prep(entry.attr["jid"]), entry)
            continue
        if kind in RECEIVERS:
            entry = entry.shallow()
            entry.attr["delivered"] = "true"
        shown.children.append(entry)
    for to, type in receivers.items():
        head = shown
        if type == "bcc":
            head = shown.shallow()
            head.children = [*shown.children, hidden[to]]
        copy = event.stanza.shallow()
        copy.attr["to"] = to
        copy.children = [head if child is addresses else child for child in copy.children]
        deliver(module, event, copy)


def deliver(module, event, element: Stanza) -> None:
    """Send a copy on behalf of the sender."""
    origin = event.origin
    own = getattr(origin, "type", None) == "c2s"
    module.server.post_stanza(origin, element, own)
