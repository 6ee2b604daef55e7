"""Enable stream management, and let a session go on over another connection (sections 3 and 5).

`enable` and `resume` are what `do_enable` and `do_resume` of the module are made of. They return
a dict, or None with an error: a `Refusal`, which is the condition's name and knows the rest, and
its text. What is sent comes first, then `finish()` of the dict: it begins to count, or repeats
what the client has missed.
"""

from __future__ import annotations

import secrets

from prosody_py.api import Event, ns
from prosody_py.events import filters
from prosody_py.sessions import lifecycle
from prosody_py.xmpp.builders import stream_error
from prosody_py.xmpp.datetime import delay
from prosody_py.xmpp.errors import STANZA_ERROR_TYPES, StreamError
from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.smqueue import MASK
from prosody_py.xmpp.writer import serialize

from . import hibernation
from .tracking import Tracker

PATIENCE = 10  # seconds that the element in hand of the old connection may take
TRUE = ("true", "1")


class Refusal(str):
    """The condition of an error, with `type`, `condition`, `text` and, where known, `h`.

    `stream_error` is set where the stream is to be closed: what to send before. In Lua it is a
    table with the other fields, as one of util.error's is.
    """

    def __new__(cls, condition: str, text: str, h: int | None = None):
        self = super().__new__(cls, condition)
        self.condition, self.text, self.h = condition, text, h
        self.stream_error: bytes | None = None
        self.type = STANZA_ERROR_TYPES[condition]
        self.context = {} if h is None else {"h": h}
        return self

    def lua_face(self, border):
        """Return the table that this is in Lua."""
        return border.copy_to_lua({"type": self.type, "condition": self.condition,
                                   "text": self.text, "context": self.context})


def refuse(condition: str, text: str, h: int | None = None) -> tuple[None, Refusal, str]:
    """Return an error as functions that Lua may call return it."""
    return None, Refusal(condition, text, h), text


def number(text: str | None) -> int | None:
    """Return the number that an attribute `h` has, None for what is none (xs:unsignedInt)."""
    if text and text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MASK:
        return int(text)
    return None


def may_enable(session, advertise: bool = False):
    """Return the reason why a session has no stream management, None if it may have it."""
    if session.extras.get("smacks"):
        return refuse("unexpected-request", "Stream management is enabled already")
    if session.username is None or session.type not in ("c2s", "c2s_unbound"):
        return refuse("unexpected-request", "Log in first")
    if session.extras.get("bosh_version") is not None:
        return refuse("feature-not-implemented", "BOSH has its own acknowledgements")
    if not advertise and session.resource is None:
        return refuse("unexpected-request", "Bind a resource first")
    return None


def enable(module, session, element):
    """Begin to manage a stream; see the text of this file."""
    refused = may_enable(session)
    if refused is not None:
        return refused
    tracker = Tracker(module, session, element.attr.get("xmlns"))
    result = {"type": "enabled", "session": session}
    if element.attr.get("resume") in TRUE:
        wish = number(element.attr.get("max"))
        most = module.options.smacks_hibernation_time
        tracker.patience = min(most, wish) if wish else most
        tracker.token = secrets.token_urlsafe(18)
        result["id"], result["resume_max"] = tracker.token, str(int(tracker.patience))
    # Counting begins where <enable/> stands, sending where <enabled/> does.
    session.extras["smacks"] = tracker.xmlns
    session.handled_stanza_count = 0
    tracker.count()

    def finish() -> None:
        """Begin to queue: the answer is on its way."""
        if session.destroyed or not session.extras.get("smacks"):
            return
        tracker.begin()
        if tracker.token is not None:
            session.extras["resumption_token"] = tracker.token
            module.tokens[f"{session.bare_jid}/{tracker.token}"] = session

    result["finish"] = finish
    return result


def resume(module, session, element):
    """Give the connection of `session` to the session that it names."""
    if session.username is None or session.type not in ("c2s_unbound", "c2s"):
        return refuse("unexpected-request", "Log in first")
    if session.full_jid is not None:
        return refuse("unexpected-request", "A resource is bound already")
    token, h = element.attr.get("previd"), number(element.attr.get("h"))
    if not token or h is None:
        return refuse("bad-request", "The attributes previd and h are needed")
    original = module.tokens.get(f"{session.bare_jid}/{token}")
    if original is None:
        return unknown(module, session, token, h)
    tracker = original.extras["smacks_tracker"]
    if tracker.queue.is_too_high(h):  # what it has is left alone: this is no client of ours
        refused = refuse("bad-request", "More is acknowledged than was sent")
        refused[1].stream_error = tracker.too_high(h)
        return refused
    with tracker.lock:
        result = take_over(module, session, original, tracker, h)
        if isinstance(result, tuple) and tracker.suspended and not original.destroyed:
            hibernation.watch(module, original, tracker.patience)
    return result


def unknown(module, session, token: str, h: int):
    """Refuse to resume a session that is over, with what is known of it."""
    module.revival.reconcile(session.username, token, h)
    handled = module.old_sessions.get(session.username, token)
    if handled is not None and not module.journal.wait():
        handled = None
    return refuse("item-not-found", "There is no such session", handled)


def take_over(module, session, original, tracker, h: int):
    """Do what `resume` is for; the lock of the tracker is held."""
    if hasattr(original, "finish_work") and not original.finish_work(PATIENCE):
        return refuse("resource-constraint", "What was sent before is still being worked off")
    original.moving = False
    if original.conn is not None:
        let_go(module, original)
    hibernation.call_off(original)
    old = tracker.queue.is_old(h)
    tracker.acknowledged(h)
    if old or not tracker.queue.resumable():
        return refuse("item-not-found", "Stanzas that were not received are not kept any more",
                      original.handled_stanza_count)
    tracker.renumber()
    module.revival.go_on(tracker)
    if not module.journal.wait(tracker):
        return refuse("internal-server-error", "The session cannot be stored")
    if original.destroyed or original.extras.get("resumption_token") != tracker.token:
        return refuse("item-not-found", "The session has ended meanwhile")
    if session.destroyed:
        return refuse("item-not-found", "The connection has ended meanwhile")
    original.extras["smacks_moved"] = True  # until finish(): first comes the answer
    for one in (session, original):
        if hasattr(one, "stop_timer"):
            one.stop_timer()
    original.role = session.role  # as the client has logged in now
    lifecycle.update(original, session)
    if hasattr(original, "bound"):
        original.bound()
    return {"type": "resumed", "session": original, "id": tracker.token,
            "finish": lambda: go_on(module, session, original, tracker)}


def let_go(module, original) -> None:
    """End the connection that a session still has; its client has another one."""
    conn = original.conn
    if original.filters is None:  # else it may speak something else than plain XML
        conn.write(serialize(stream_error(StreamError(
            "conflict", "Replaced by a new connection"))).encode() + b"</stream:stream>")
    hibernation.hibernate(module, original, "replaced by a new connection")
    conn.close("replaced by a new connection")


def go_on(module, session, original, tracker) -> None:
    """Repeat what the client has missed, and go on as before."""
    if original.destroyed or original.extras.pop("smacks_moved", None) is None:
        return
    original.extras.pop("hibernating", None)
    tracker.awaiting = tracker.delayed = False
    tracker.count()
    texts = [repeated(module, when, text) for _number, when, text in tracker.queue.entries]
    tracker.suspended = False
    filtered = original.filters is not None and "stanzas/out" in original.filters
    for text in texts:
        original.rawsend(refiltered(original, text) if filtered else text)
    original.log.info("Goes on; %d stanzas are sent again", len(texts))
    if "smacks-hibernation-end" in module.events.index:
        module.fire_event("smacks-hibernation-end", Event(
            origin=session, resumed=original, queue=tracker.queue.table()))
    tracker.ask_now()


def refiltered(session, text: bytes) -> str | bytes:
    """Return a stanza as it looks on the kind of stream that the session has now."""
    element = filters.run(session, "stanzas/out", parse_fragment(text))
    return serialize(element, ns.CLIENT) if element is not None else b""


def repeated(module, when: float, text: bytes) -> bytes:
    """Return a stanza as it is sent again: a message with the time when it was sent first."""
    if not (text.startswith(b"<message") and text.endswith(b"</message>")) \
            or b"urn:xmpp:delay" in text:
        return text
    stamp = serialize(delay(int(when), module.host)).encode()
    return text[:-len(b"</message>")] + stamp + b"</message>"
