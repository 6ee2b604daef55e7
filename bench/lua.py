"""What the Lua border costs: python bench/lua.py [lua54|luajit21].

Prints, in microseconds: an entry; what one Lua handler that reads two attributes and a child adds
to the way of a message, up to its serialised form; what answering an iq with three children costs
in Lua and in Python. All are measured in turn, and the best of many rounds counts: what else runs
on the machine makes rounds longer, never shorter. A round is under a millisecond, so that some fit
between two switches of tasks on a busy machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from prosody_py.config.config import Config
from prosody_py.events.bus import StanzaEvent
from prosody_py.hosts.server import Server
from prosody_py.lua.events import LuaHandler
from prosody_py.lua.runtime import Runtime
from prosody_py.sessions.session import Session
from prosody_py.xmpp import builders
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
REPLY = """
local st = require "util.stanza";
return function (event)
    event.origin.send(st.reply(event.stanza)
        :tag("a", { xmlns = "urn:x" }):up():tag("b"):up():tag("c", { n = "1" }):up());
    return true;
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


def request() -> Stanza:
    """Return an iq with a payload."""
    stanza = Stanza("iq", {"to": "example.com", "from": "alice@example.com/phone",
                           "type": "get", "id": "a1b2c3d4"})
    stanza.children = [Stanza("query", {"xmlns": "urn:x"})]
    return stanza


def reply_in_python(event: StanzaEvent) -> bool:
    """Answer as REPLY does."""
    event.origin.send(builders.reply(event.stanza).tag("a", xmlns="urn:x").up().tag("b").up()
                      .tag("c", n="1").up())
    return True


def best(functions: dict[str, Callable[[], object]], count: int = 50,
         rounds: int = 600) -> dict[str, float]:
    """Return the microseconds of a call of each function."""
    times = dict.fromkeys(functions, float("inf"))
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            for _ in range(count):
                function()
            times[name] = min(times[name], (time.perf_counter() - start) / count * 1e6)
    return times


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

    nothing, reader, replier = lua("return function () end"), handler(READ), handler(REPLY)

    def on_its_way(*handlers: Callable[[StanzaEvent], object]) -> Callable[[], None]:
        def run() -> None:
            stanza = message()
            event = StanzaEvent(session, stanza)
            for one in handlers:
                one(event)
            stanza.attr.get("to")
            serialize(stanza)
        return run

    took = best({
        "entry": lambda: border.driver.call(nothing),
        "made": lambda: StanzaEvent(session, request()),
        "plain": on_its_way(), "one": on_its_way(reader), "two": on_its_way(reader, reader),
        "lua": lambda: replier(StanzaEvent(session, request())),
        "python": lambda: reply_in_python(StanzaEvent(session, request()))})
    in_lua, in_python = took["lua"] - took["made"], took["python"] - took["made"]
    for what, value in (
            ("an entry without arguments", took["entry"]),
            ("a message in Python alone", took["plain"]),
            ("one reading Lua handler adds", took["one"] - took["plain"]),
            ("a second one adds", took["two"] - took["one"]),
            ("answering with three children", in_lua), ("the same in Python", in_python),
            ("ratio", in_lua / in_python)):
        print(f"{kind}: {what:31}{value:6.2f}{'' if what == 'ratio' else ' us'}")
    del proxy


if __name__ == "__main__":
    for name in sys.argv[1:] or ("lua54", "luajit21"):
        main(name)
