"""Sessions that outlive the process: an orderly stop, and kill -9.

When a session begins to wait, the journal gets all that it is: resource, presence, counters, what
is unacknowledged. A stop lets all sessions that can be resumed wait; nobody is told that they are
unavailable. At the next start each of them is made again and waits for the rest of its time. What
was put down when it began to wait is exact also after kill -9: while a session waits it handles
nothing, and of what is queued later the messages are in the journal too.

A session that was connected when the process was killed cannot go on, for what it had handled is
not known. Messages that its client had not acknowledged are in the journal if it had been resumed,
or if somebody was told that they are taken care of (promises). They are *left over*: when the
client asks for its session in vain, it says what it has got; that is forgotten, and the rest is
given to whom comes first, or kept for later.

What is stored of a session: `resource`, `role`, `xmlns`, `h`, `tail`, `head`, `since`, `until`,
`patience`, `conntime`, `presence`, `priority`, `interested`, `directed`, `extras` (fields of other
modules that are plain data), `elements` (those that are elements); or, while it is
connected, `connected` and `numbers` (serial -> number).
"""

from __future__ import annotations

import re
import time

from prosody_py.api import Event, StanzaError
from prosody_py.api.role_definitions import roles_below
from prosody_py.api.roles import user_role
from prosody_py.hosts import users
from prosody_py.hosts.roster import load_roster
from prosody_py.sessions import lifecycle
from prosody_py.sessions.session import Session
from prosody_py.storage.interface import REMOVE, StorageError
from prosody_py.xmpp.datetime import delayed
from prosody_py.xmpp.errors import StreamError
from prosody_py.xmpp.parser import parse_fragment
from prosody_py.xmpp.smqueue import MASK
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

from . import hibernation, promises
from .tracking import Tracker, new_queue

SECRET = re.compile("token|secret|password|sasl|key|binding").search  # names of what stays here
MAX_FIELDS = 100  # entries of a field that is stored
# Fields of a session that mean nothing after a restart, or are made anew.
OWN = frozenset((*Session.__annotations__, "own_id", "timer", "closing", "in_hand", "moving",
                 "counting", "listener", "state", "smacks", "smacks_tracker", "smacks_moved",
                 "smacks_silent", "outgoing_stanza_queue", "awaiting_ack", "resumption_token",
                 "hibernating", "hibernating_watchdog"))


class Revival:
    """Puts down what sessions are, and makes them again."""

    def __init__(self, module):
        self.module, self.journal = module, module.journal
        self.left: dict[str, dict[str, dict]] = {}  # username -> token -> {key: entry}, meta at ""

    # -- putting down ----------------------------------------------------------------------

    def remember(self, tracker) -> None:
        """Put down a session that begins to wait, or all that it is now."""
        session, queue = tracker.session, tracker.queue
        tracker.stored = True
        entries = dict(self.journal.entry(tracker, *entry) for entry in queue.entries)
        self.journal.put(session.username, {tracker.token: describe(tracker), **entries})

    def go_on(self, tracker) -> None:
        """Put down that a session is resumed: its messages stay until they are acknowledged."""
        numbers, gone = {}, {}
        for number, _when, text in tracker.queue.entries:
            key = tracker.journaled.get(number)
            if key is None:
                continue
            if text.startswith(b"<message"):
                numbers[key.rpartition("/")[2]] = number
            else:
                gone[key] = REMOVE
                del tracker.journaled[number]
        tracker.stored = bool(numbers)
        state = {"connected": True, "numbers": numbers}
        self.journal.put(tracker.session.username, {
            **gone, tracker.token: state if numbers else REMOVE})

    def forget(self, tracker) -> None:
        """Forget a session that has ended."""
        changes = dict.fromkeys(tracker.journaled.values(), REMOVE)
        tracker.journaled.clear()
        if tracker.stored or changes:
            self.journal.put(tracker.session.username, {**changes, tracker.name: REMOVE})
        tracker.stored = False

    # -- making again ----------------------------------------------------------------------

    def revive(self) -> None:
        """Make the sessions again that the process before has put down."""
        for username in list(self.journal.users.users()):
            try:
                self.revive_user(username, self.journal.users.get(username) or {})
            except (StanzaError, StreamError, StorageError, KeyError, TypeError,
                    ValueError) as error:
                self.module.log("error", "What waited for clients of %s cannot be read: %s",
                                username, error)

    def revive_user(self, username: str, stored: dict) -> None:
        """Make a user's sessions again, or let what they had be left over."""
        if not users.user_exists(self.module.server, username, self.module.host):
            self.journal.put(username, dict.fromkeys(stored, REMOVE))
            return
        sessions: dict[str, dict] = {}
        for key, value in stored.items():
            token, _, serial = key.partition("/")
            sessions.setdefault(token, {})[serial and key] = value
        for token, entries in sessions.items():
            state = entries.get("")
            if state is None or state.get("connected") or not self.make(
                    username, token, state, entries):
                self.left.setdefault(username, {})[token] = entries
                if state is not None and "h" in state:
                    self.module.old_sessions.add(username, token, state["h"])
        if self.left.get(username):
            self.module.add_timer(self.module.options.smacks_hibernation_time, self.time_is_over,
                                  username)

    def time_is_over(self, _now: float, username: str) -> None:
        """Nobody has come for what is left over."""
        self.release(username)

    def make(self, username: str, token: str, state: dict, entries: dict) -> bool:
        """Make a session that waits; False if its time is over or there is no place for it."""
        module = self.module
        c2s = module.server.modules.get_module("*", "c2s")
        rest = state["until"] - time.time()
        if rest <= 0 or c2s is None:
            return False
        session = c2s.exports.ClientSession(None, c2s.listener)
        session.host, session.host_object = module.host, module.host_object
        lifecycle.make_authenticated(session, username, self.role_for(username, state))
        tracker = Tracker(module, session, state["xmlns"], new_queue(module, state["tail"]))
        tracker.token, tracker.patience = token, state["patience"]
        tracker.stored = tracker.suspended = True
        fill(tracker, state, entries)
        session.handled_stanza_count = state["h"]
        tracker.begin()
        session.extras.update(state.get("extras") or {})
        for name, text in (state.get("elements") or {}).items():
            session.extras[name] = parse_fragment(text)
        session.extras.update(smacks=tracker.xmlns, resumption_token=token,
                              hibernating=state["since"])
        try:
            lifecycle.bind_resource(session, state["resource"], lambda name, host: load_roster(
                module.server, name, host.host))
        except StanzaError as error:
            module.log("info", "The session %s of %s is not resumed: %s", token, username, error)
            return False
        dress(session, state)
        module.tokens[f"{session.bare_jid}/{token}"] = session
        hibernation.watch(module, session, rest)
        session.log.info("Waits for its client, as before the restart (%s)", session.full_jid)
        module.fire_event("smacks-session-revived", Event(session=session))
        return True

    def role_for(self, username: str, state: dict) -> str:
        """Return the role that a session had, if its account still may as much."""
        server, host = self.module.server, self.module.host
        current, stored = user_role(server, username, host), state.get("role")
        return stored if stored in (roles_below(server, host, current) or ()) else current

    # -- what is left over -----------------------------------------------------------------

    def reconcile(self, username: str, token: str, h: int) -> None:
        """Forget what a client says that it has got of a session that is over."""
        entries = self.left.get(username, {}).get(token)
        state = entries.get("") if entries else None
        if not state or not state.get("connected"):
            return
        numbers = state.get("numbers") or {}  # of what was there then; the rest came later
        gone = [key for key, entry in entries.items() if key and (
            h - numbers.get(key.rpartition("/")[2], entry["n"])) & MASK <= MASK // 2]
        for key in gone:
            del entries[key]
        if gone:
            self.journal.put(username, dict.fromkeys(gone, REMOVE))

    def release(self, username: str, session=None) -> None:
        """Give what is left over to the user's session that has come, or keep it for later.

        What was for the account and went to several of its clients is given once.
        """
        bare_jid, given = f"{username}@{self.module.host}", set()
        for token, entries in self.left.pop(username, {}).items():
            texts, keys = set(), sorted(
                filter(None, entries), key=lambda key: int(key.rpartition("/")[2]))
            for key in keys:
                entry = entries[key]
                element = parse_fragment(entry["text"])
                if element.name != "message" or entry["text"] in given:
                    continue
                if element.attr.get("to") == bare_jid:
                    texts.add(entry["text"])
                if session is None or session.destroyed:
                    hibernation.keep_for(self.module, username, element, entry["when"],
                                         entry.get("key") or key)
                    self.journal.put(username, {key: REMOVE})
                elif not promises.is_read(session, element):
                    session.send(delayed(element, entry["when"], self.module.host))
            given |= texts
            if session is not None and (tracker := session.extras.get("smacks_tracker")):
                promises.note(tracker)  # in one transaction with what follows
            self.journal.put(username, dict.fromkeys((*keys, token), REMOVE))


def describe(tracker) -> dict:
    """Return what is stored of a session that waits."""
    session, queue = tracker.session, tracker.queue
    since = session.extras["hibernating"]
    return {
        "resource": session.resource, "role": session.role.name if session.role else None,
        "xmlns": tracker.xmlns, "h": session.handled_stanza_count, "tail": queue.tail,
        "head": queue.head, "since": since, "patience": tracker.patience,
        "until": time.time() + hibernation.time_left(session),
        "conntime": session.conntime, "priority": session.priority,
        "interested": session.interested,
        "presence": serialize(session.presence) if session.presence is not None else None,
        "directed": list(session.directed or ()),
        "extras": {name: value for name, value in session.__dict__.items()
                   if name not in OWN and not SECRET(name) and is_data(value)},
        "elements": {name: serialize(value) for name, value in session.__dict__.items()
                     if name not in OWN and isinstance(value, Stanza)},
    }


def is_data(value, depth: int = 4) -> bool:
    """Whether a field of a session can be stored: text, numbers, and a few of them together."""
    if type(value) in (str, int, float, bool):
        return True
    if type(value) not in (dict, list) or depth == 0 or len(value) > MAX_FIELDS:
        return False
    if type(value) is dict and not all(type(key) is str for key in value):
        return False
    return all(is_data(item, depth - 1)
               for item in (value.values() if type(value) is dict else value))


def fill(tracker, state: dict, entries: dict) -> None:
    """Put the stanzas that are stored back into the queue."""
    queue = tracker.queue
    for key in sorted(filter(None, entries), key=lambda key: int(key.rpartition("/")[2])):
        entry, tracker.serial = entries[key], int(key.rpartition("/")[2])
        text = entry["text"].encode("utf-8", "surrogateescape")
        queue.restore(entry["n"], entry["when"], text)
        tracker.journaled[entry["n"]] = key
    queue.head = max(queue.head, state["head"])


def dress(session, state: dict) -> None:
    """Give a session that is bound again what it had besides."""
    session.conntime = state.get("conntime") or session.conntime
    session.interested = state.get("interested")
    if state.get("presence"):
        session.presence = parse_fragment(state["presence"])
        session.priority = state.get("priority") or 0
    if state.get("directed"):
        session.directed = dict.fromkeys(state["directed"], True)
