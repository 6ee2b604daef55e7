"""What the Lua border costs: python bench/lua_border.py [lua54|luajit21].

Prints the time of an entry, and what one Lua handler that reads two attributes and a child adds
to the way of a message, up to its serialised form.
"""

from __future__ import annotations

import sys
import time

from prosody_py.config.config import Config
from prosody_py.events.bus import StanzaEvent
from prosody_py.hosts.server import Server
from prosody_py.lua.events import LuaHandler
from prosody_py.lua.runtime import Runtime
from prosody_py.sessions.session import Session
from prosody_py.xmpp.stanza import Stanza
from prosody_py.xmpp.writer import serialize

READ = """
return function (event)
    local stanza = event.stanza;
    local to, kind = stanza.attr.to, stanza.attr.type;
    local body = stanza:get_child("body");
    if to == "nobody" and kind and body then return true; end
end
"""
STATES = "http://jabber.org/protocol/chatstates"


class Sink:
    """A connection that swallows what it is given."""

    def ip(self) -> str:
        """Return an address."""
        return "127.0.0.1"

    def write(self, data: bytes) -> bool:
        """Swallow `data`."""
        return True


def message() -> Stanza:
    """Return a message with a body and a chat state."""
    stanza = Stanza("message", {"to": "bob@example.com", "from": "alice@example.com/phone",
                                "type": "chat", "id": "a1b2c3d4"})
    body, active = Stanza("body"), Stanza("active", {"xmlns": STATES})
    body.children = ["Hello there, how are you?"]
    stanza.children = [body, active]
    return stanza


def best(function, count: int = 2000, rounds: int = 9) -> float:
    """Return the microseconds of a call, the best of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            function()
        times.append((time.perf_counter() - start) / count)
    return min(times) * 1e6


def main(kind: str) -> None:
    """Measure one runtime."""
    server = Server(Config("bench"))
    border = Runtime(server, kind)
    session = Session(Sink(), server)
    proxy = border.to_lua(session)  # as long as Lua holds it, it is found again

    def lua(source: str):
        return border.driver.call(border.compile(source.encode(), "bench", border.lua.globals()))

    def handler(source: str) -> LuaHandler:
        return LuaHandler(border, border.to_python(lua(source)))

    nothing = lua("return function () end")
    reader = handler(READ)
    replier = handler("local st = require 'util.stanza'; return function (event) "
                      "event.origin.send(st.reply(event.stanza):tag('x'):up()); return true; end")

    def without() -> None:
        stanza = message()
        StanzaEvent(session, stanza)
        stanza.attr.get("to")
        serialize(stanza)

    def with_reader() -> None:
        stanza = message()
        reader(StanzaEvent(session, stanza))
        stanza.attr.get("to")
        serialize(stanza)

    def with_second() -> None:
        stanza = message()
        event = StanzaEvent(session, stanza)
        reader(event)
        reader(event)
        stanza.attr.get("to")
        serialize(stanza)

    def with_reply() -> None:
        replier(StanzaEvent(session, message()))

    def at_all() -> None:
        StanzaEvent(session, message())

    entry = best(lambda: border.driver.call(nothing))
    print(f"{kind}: an entry without arguments   {entry:6.2f} us")
    plain, one, two = best(without), best(with_reader), best(with_second)
    print(f"{kind}: a message in Python alone     {plain:6.2f} us")
    print(f"{kind}: one reading Lua handler adds  {one - plain:6.2f} us")
    print(f"{kind}: a second one adds             {two - one:6.2f} us")
    print(f"{kind}: answering from Lua            {best(with_reply) - best(at_all):6.2f} us")
    del proxy


if __name__ == "__main__":
    for name in sys.argv[1:] or ("lua54", "luajit21"):
        main(name)
