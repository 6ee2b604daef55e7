"""The history of a room: what who enters is told of what was said (XEP-0045 section 7.2.13).

It is kept in memory, as many messages as the room says. An archive takes its place by handling
`muc-get-history` before: it puts a function into `event.next_stanza` that returns the messages one
by one, and returns True.
"""

from __future__ import annotations

import time

from prosody_py.api import Event, Stanza, datetime
from prosody_py.hosts.one_to_many import OneToMany

from .occupant import MUC
from .storing import weight


def number(text: str | None) -> int | None:
    """Return a number that is not negative, None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def wanted(room, presence: Stanza) -> tuple[int | None, int, float | None]:
    """Return (maxchars, maxstanzas, since) of a request to enter."""
    x = presence.get_child("x", MUC)
    history = x.get_child("history", MUC) if x is not None else None
    asked = history.attr.get if history is not None else (lambda _name: None)
    maxstanzas = number(asked("maxstanzas"))
    most = room.get_historylength()
    if maxstanzas is None:
        maxstanzas = room.get_defaulthistorymessages()
    since = datetime.parse_datetime(asked("since"))
    seconds = number(asked("seconds"))
    if seconds is not None:
        since = max(since or 0, time.time() - seconds)
    return number(asked("maxchars")), min(maxstanzas, most), since


def send(module, event):
    """Send the history to a session that has entered."""
    room, to = event.room, event.jid
    maxchars, maxstanzas, since = wanted(room, event.stanza)
    if maxchars == 0 or maxstanzas == 0:
        return
    data = Event(room=room, stanza=event.stanza, to=to, maxchars=maxchars, maxstanzas=maxstanzas,
                 since=since, next_stanza=None)
    module.fire_event("muc-get-history", data)
    following = data.next_stanza
    if callable(following):
        while (message := following()) is not None:
            message = message[0] if isinstance(message, tuple) else message
            message.attr["to"] = to
            room.route_stanza(message)
    elif following is not None:
        room.send_all(following, to)


def kept(module, event):
    """Choose from the kept messages; those that fit are sent in one piece."""
    chosen: list[OneToMany] = []
    chars = event.maxchars
    for entry in reversed(event.room._history):
        if len(chosen) >= event.maxstanzas or event.since and entry["timestamp"] < event.since:
            break
        text = delayed(event.room, entry)
        if chars is not None:
            chars -= sum(map(len, text.text()))
            if chars < 0:
                break
        chosen.append(text)
    chosen.reverse()
    event.next_stanza = chosen
    return True


def delayed(room, entry) -> OneToMany:
    """Return a kept message with the time when it was said, as text that is written once.

    What an owner has brought along from another conversation tells that itself (section 7.9).
    """
    text = entry.get("text")
    if text is None:
        message = entry["stanza"]
        copy = Stanza("message", dict(message.attr))
        copy.children = list(message.children)
        if not entry.get("brought"):
            copy.children.append(datetime.delay(int(entry["timestamp"]), room.jid))
        text = entry["text"] = OneToMany(copy)
    return text


def keep(module, event):
    """Let what is worth it be kept; ask others whether it is."""
    result = module.fire_event("muc-message-is-historic", event)
    if result:
        module.fire_event("muc-add-history", event)


def is_historic(module, event):
    """Say that messages with a body are worth keeping."""
    return event.stanza.get_child("body") is not None


def brought(room, element: Stanza) -> bool:
    """Whether a message was said elsewhere, and an owner of the room tells it here."""
    if element.get_child("delay", datetime.DELAY) is None:
        return False
    occupant = room.get_occupant_by_nick(element.attr.get("from"))
    return occupant is not None and room.get_affiliation(occupant.bare_jid) == "owner"


def add(module, event):
    """Keep a message."""
    room = event.room
    length = room.get_historylength()
    history = room._history
    if length:
        history.append({"stanza": event.stanza, "timestamp": time.time(),
                        "size": weight(event.stanza), "brought": brought(room, event.stanza)})
    if len(history) > length:
        del history[:len(history) - length]
    size = sum([entry.get("size", 0) for entry in history])
    while size > module.options.max_history_size and len(history) > 1:
        size -= history.pop(0).get("size", 0)
    return True


def load(module):
    """Hook the events."""
    module.hook_own("muc-occupant-session-new", send, 50)
    module.hook_own("muc-get-history", kept, -1)
    module.hook_own("muc-broadcast-message", keep, 0)
    module.hook_own("muc-message-is-historic", is_historic, -1)
    module.hook_own("muc-add-history", add, -1)
