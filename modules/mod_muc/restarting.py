"""Rooms over a restart of the server: who can go on with its stream stays where it is.

When the server stops, all rooms with somebody in them are written down, those that are not
persistent too, after those who cannot resume their streams have left in the usual way. The next
start takes them up, as soon as sessions wait for their clients again (mod_smacks) and before
anybody can connect: who has no session is taken out, and the others are told; a room that is not
persistent ends if nobody is left. Sessions that nobody resumes end in time and leave the room as
ever, so there is nothing to clean up later. Users of other servers are taken to be there still,
unless the state is older than an hour: then they are told that they are out.

After kill -9 the state that is stored is that of rooms which were out of memory. Who waited for
its client in another room is not in it any more, and is told so with status code 332: it can enter
again when it resumes. Rooms whose host is not configured any more stay stored; when it comes back,
they are taken up as at any other start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from gevent.pool import Pool

from prosody_py.api import Stanza, jid, stanza

from .occupant import USER
from .storing import WRITTEN_AT, freeze_state, has_people

OLD = 3600  # seconds after which nobody knows about users of other servers
AT_ONCE = 200  # rooms that are written or read at a time
GONE = "Gone while the server was started anew"
SERVICE_ENDED = ("110", "332")


def for_each(module: Any, function: Callable[[Any], None], things: Iterable[Any]) -> None:
    """Call a function with each of many rooms or their names; those under way share commits.

    One that cannot be stored or read is no reason to lose the others.
    """
    def call(thing: Any) -> None:
        try:
            function(thing)
        except Exception as error:
            module.log("error", "%s is not taken over the restart: %s: %s", thing,
                       type(error).__name__, error)

    pool = Pool(AT_ONCE)
    for thing in things:
        pool.spawn(call, thing)
    pool.join()


def write_down(module: Any, event: Any) -> None:
    """Write down all rooms with somebody in them, and what was said last in those that are kept."""
    rooms = module.rooms
    for_each(module, lambda room: rooms.save(room, savestate=True), [
        room for room in rooms.live.values()
        if room.has_occupant() or room.jid in rooms.stored and freeze_state(room) is not None])


def take_up(module: Any) -> None:
    """Load the rooms in which somebody was, and see who is there still."""
    rooms = module.rooms
    for_each(module, partial(take_up_room, module),
             {*rooms.state.users(), *map(jid.node, rooms.temporary)})


def take_up_room(module: Any, node: str) -> None:
    """Load a room if somebody was in it, or if it has to be ended as nobody was."""
    rooms, server, address = module.rooms, module.server, f"{node}@{module.host}"
    if address in rooms.live:
        return
    if address not in rooms.stored:  # a crash has interrupted that it was forgotten
        rooms.config.set(node, None)
        rooms.state.set(node, None)
        return
    state = rooms.state.get(node)
    if not has_people(state) and address not in rooms.temporary:
        return  # it can wait until somebody asks for the room
    written = (state or {}).get(WRITTEN_AT)
    recent = not written or time.time() - float(written) < OLD
    rooms.restore(address, lambda one: one in server.full_sessions or (
        recent and jid.host(one) not in server.hosts), GONE)


def take_up_at_start(module: Any, event: Any) -> None:
    """Take the rooms up, and tell those sessions that go on what they are not in any more."""
    take_up(module)
    for real_jid, session in list(module.server.full_sessions.items()):
        for nick in list(session.directed or ()):
            node, host, nickname = jid.split(nick)
            if host != module.host or not node or not nickname:
                continue
            room = module.rooms.get(f"{node}@{host}")
            if room is None or room.get_occupant_by_real_jid(real_jid) is None:
                session.directed.pop(nick, None)
                module.server.post_stanza(module.host_object, out(nick, real_jid))


def out(nick: str, to: str) -> Stanza:
    """Return what tells a session that the room it was in has gone with the server."""
    presence = stanza.presence({"from": nick, "to": to, "type": "unavailable"})
    presence.tag("x", xmlns=USER).tag("item", affiliation="none", role="none").up()
    for code in SERVICE_ENDED:
        presence.tag("status", code=code).up()
    return presence.reset()


def load(module: Any) -> None:
    """Take rooms up when sessions are there again, and write them down when the server stops."""
    module.hook_global("server-stopping", lambda event: write_down(module, event), -300)
    if module.reloading:
        return
    if module.server.started:
        module.on_ready(lambda: take_up(module))
    else:
        module.hook_global("hosts-activated", lambda event: take_up_at_start(module, event), -10)
