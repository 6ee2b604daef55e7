"""XEP-0352: what is not urgent waits while nobody looks at a client.

Data and owner: a client that says that it is inactive gets a `Held`, with a filter on what its
session sends. Presence (of each sender only the latest), states of chats (likewise), headlines and
notifications of nodes are held back; something important, too many of them, the end of the
connection or the client's becoming active let all of it go, in the order in which it came. After
something important the device is awake: what follows within `csi_resume_inactive_delay` goes out
with it. What is held has not been sent, so stream management does not count it.
"""

from __future__ import annotations

from prosody_py.api import Event, Options, hook, integer, period, set_, string
from prosody_py.concurrency.timer import Timer
from prosody_py.events import filters
from prosody_py.xmpp import importance

DEPENDS = ("csi",)
FIRST = 1000  # of the filters: what is held back has not been seen by the others
STANZAS = frozenset(("message", "presence", "iq"))
MUC_USER, MAM = "http://jabber.org/protocol/muc#user", "urn:xmpp:mam:2"
CHAT_STATES = "http://jabber.org/protocol/chatstates"
ASKED_FOR = frozenset((f"{{{MAM}}}result", f"{{{MAM}}}fin", "{http://jabber.org/protocol/ibb}data"))


class Config(Options):
    """What is important, and how much may wait."""

    csi_queue_size = integer(256, min=1, max=10_000,
                             doc="Stanzas that are held back for a client at most.")
    csi_important_payloads = set_(
        (), of=string(), doc='Payloads that make a message important, each as "{namespace}name".')
    csi_resume_inactive_delay = period(
        "5 seconds", min="0 seconds",
        doc="Time after something important in which nothing is held back.")


class Held:
    """What is held back for one session."""

    def __init__(self, module, session):
        self.module, self.session = module, session
        self.waiting: dict = {}      # what makes another one worthless, or a number -> stanza
        self.passing = False         # what is held goes out now
        self.awake: Timer | None = None
        session.extras["csi_counter"] = 0

    def take(self, element, session):
        """Hold a stanza back (None), or let it pass after all that was held."""
        if (self.passing or self.awake is not None or "xmlns" in element.attr
                or element.name not in STANZAS):
            return element
        event = Event(session=session, stanza=element, reason=None)
        if self.module.fire_event("csi-is-stanza-important", event) is not False:
            self.flush(event.reason or "important")
            self.stay_awake()
            return element
        key = replaces(element)
        if key is None:
            key = session.extras["csi_counter"], id(element)
        else:
            self.waiting.pop(key, None)
        self.waiting[key] = element.clone()  # whoever has sent it may go on with it
        session.extras["csi_counter"] = len(self.waiting)
        if len(self.waiting) >= self.module.options.csi_queue_size:
            self.flush("queue size")
        return None

    def flush(self, reason: str) -> None:
        """Send what is held back."""
        session = self.session
        if "csi-flushing" in self.module.events.index:
            self.module.fire_event("csi-flushing", Event(session=session, reason=reason))
        if not self.waiting:
            return
        session.log.debug("%d stanzas were held back and go out now: %s", len(self.waiting), reason)
        waiting, self.waiting = self.waiting, {}
        session.extras["csi_counter"] = 0
        self.passing = True
        try:
            for element in waiting.values():
                session.send(element)
        finally:
            self.passing = False

    def stay_awake(self) -> None:
        """Hold nothing back for a while."""
        delay = self.module.options.csi_resume_inactive_delay
        if delay > 0:
            self.session.extras["csi_counter"] = None
            self.awake = self.session.extras["csi_resume"] = Timer(delay, self.sleep)

    def sleep(self, _now: float) -> None:
        """Hold back again."""
        self.awake = None
        self.session.extras.pop("csi_resume", None)
        self.session.extras["csi_counter"] = 0

    def end(self, reason: str) -> None:
        """Send everything and hold nothing back any more."""
        session = self.session
        self.flush(reason)
        if self.awake is not None:
            self.awake.stop()
        filters.remove_filter(session, "stanzas/out", self.take)
        for name in ("csi_held", "csi_counter", "csi_resume"):
            session.extras.pop(name, None)


def replaces(element):
    """Return what an older stanza has in common that this one makes worthless; None for nothing."""
    attr = element.attr
    if element.name == "presence":
        return ("presence", attr.get("from"))
    if element.name == "message" and attr.get("type") != "headline" and all(
            child.attr.get("xmlns") == CHAT_STATES for child in element.tags):
        return ("state", attr.get("from"), attr.get("type"))
    return None


# -- what is important ---------------------------------------------------------------------


@hook("csi-is-stanza-important", priority=-1)
def judge(module, event):
    """Say whether a stanza is important, unless another module has."""
    important, event.reason = is_important(module, event.stanza)
    return important


def is_important(module, element) -> tuple[bool, str]:
    """Return whether a stanza should be sent at once, and why."""
    type = element.attr.get("type")
    if element.name == "iq":
        return True, "iq"
    if element.name == "presence":
        return presence_is_important(element, type)
    if importance.has_payload(element, module.options.csi_important_payloads):
        return True, "configured payload"
    if type == "headline":
        return False, "headline"
    if type == "error":
        return True, "delivery failure"
    if (copied := importance.carbon_of(element)) is not None:
        return is_important(module, copied)[0], "carbon"
    return importance.is_seen(element) or importance.has_payload(element, ASKED_FOR), "payload"


def presence_is_important(element, type: str | None) -> tuple[bool, str]:
    """Presence waits, except for questions, errors, and what becomes of the own place in a room."""
    if type not in (None, "unavailable"):
        return True, f"presence {type}"
    room = element.get_child("x", MUC_USER)
    own = room is not None and room.get_child_with_attr("status", MUC_USER, "code", "110")
    return bool(own), "own place in a room" if own else "presence"


# -- the client's state --------------------------------------------------------------------


@hook("csi-client-inactive")
def inactive(module, event):
    """Begin to hold back."""
    session = event.origin
    if session.type == "c2s" and "csi_held" not in session.extras:
        held = session.extras["csi_held"] = Held(module, session)
        filters.add_filter(session, "stanzas/out", held.take, FIRST)


@hook("csi-client-active")
def active(module, event):
    """Send what was held back (section 5: before anything that the client sends next)."""
    end(event.origin, "client is active")


@hook("pre-session-close", priority=1)
@hook("pre-resource-unbind", priority=1)
def closing(module, event):
    """Send what was held back, or let stream management keep it."""
    end(event.session, "end of the connection")


@hook("smacks-hibernation-start")
def hibernating(module, event):
    """Let stream management keep what was held back."""
    end(event.origin, "end of the connection")


def end(session, reason: str) -> None:
    """Hold nothing back for a session any more."""
    held = session.extras.get("csi_held")
    if held is not None:
        held.end(reason)


def restore(module, _saved):
    """Go on holding back for the clients of the instance before."""
    for session in held_sessions(module):
        held = session.extras["csi_held"]
        old, held.__class__, held.module = held.take, Held, module
        if held.awake is not None:
            held.awake.stop()
            held.sleep(0)
        filters.remove_filter(session, "stanzas/out", old)
        filters.add_filter(session, "stanzas/out", held.take, FIRST)


def unload(module):
    """Send everything that is held back; a reload keeps it."""
    if not module.reloading:
        for session in held_sessions(module):
            end(session, "module is unloaded")


def held_sessions(module) -> list:
    """Return the sessions of the host that something may be held back for."""
    return [session for session in list(module.server.full_sessions.values())
            if session.host == module.host and session.extras.get("csi_held") is not None]
