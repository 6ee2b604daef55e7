"""A thousand reloads of modules, with state and pending work, under 2,000 messages a second."""

import gc
import resource
import textwrap
import time
import weakref
from collections import Counter
from pathlib import Path

import gevent
import pytest
from gevent.server import StreamServer

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.client import Closed
from prosody_py.testing.server import TestServer

pytestmark = pytest.mark.slow

RELOADS = 1000
RATE = 2000              # messages a second, half of them each way
PER_RELOAD = 12          # messages that arrive, on average, between two reloads
TURN = 0.005             # seconds between two looks at the clock
PACKET = 50              # messages in one packet, at most
BEHIND = 4000            # messages on their way: more, and the machine is too slow for the rate
TURNS = ("state_lua", "state_python", "state_shared", "state_base")

# What the Lua modules have in common. `world.dead` has the generation of the instance that was
# replaced last, by host and name; `late` notes what comes to one that is gone.
PROLOGUE = """
    local async, http = require "util.async", require "net.http";
    local st = require "util.stanza";
    local world = module:shared("/*/world/world");
    local envs = package.loaded["test.environments"]
        or setmetatable({}, { __mode = "k" });
    package.loaded["test.environments"] = envs;
    envs[module.environment] = true;

    local function begin(self)
        local state = { generation = 1; seen = 0; dead = false };
        function self.save() return { generation = state.generation, seen = state.seen }; end
        function self.restore(saved)
            state.generation, state.seen = saved.generation + 1, saved.seen;
        end
        local function late(what)
            if state.generation <= (world.dead[self.host .. self.name] or 0) then
                world.late[#world.late + 1] = self.name .. ": " .. what;
            end
        end
        self:add_timer(0.001, function () late("timer"); return 0.003; end);
        self:hook("message/full", function (event)
            local stanza = event.stanza;
            if not stanza:get_child("body") then return; end
            state.seen = state.seen + 1;
            stanza:add_direct_child(st.stanza("seen", { by = self.name }));
        end, 5);
        return state, late;
    end
"""
LUA = PROLOGUE + """
    state, late = begin(module);
    local kept = module:shared("kept");
    kept.instances = (kept.instances or 0) + 1;
    module:hook("message/full", function (event)
        if event.stanza.attr.id and event.stanza.attr.id:match("00$") then async.sleep(0.002); end
    end, 1);
    module:add_timer(0, function ()
        http.request(world.url, nil, function () late("HTTP answer"); end);
        module:send_iq(st.iq({ type = "get", to = world.carol, id = "q" .. state.generation })
            :tag("ping", { xmlns = "urn:xmpp:ping" })):next(function () late("iq answer"); end,
            function () world.given_up = (world.given_up or 0) + 1; end);
    end);
    function module.unload() state.unloaded = true; end
"""
SHARED = PROLOGUE + """
    module:set_global();
    local total = { generation = 0 };
    function module.save() return total; end
    function module.restore(saved) total.generation = saved.generation + 1; end
    function module.add_host(host_module)
        envs[host_module.environment] = true;
        local state = begin(host_module);
        host_module.state = state;
    end
    generation = total;
"""
BASE = PROLOGUE + """
    state = begin(module);
    function generation_of() return state.generation; end
"""
USER = PROLOGUE + """
    local base = module:depends("state_base");
    state = begin(module);
    function generation_of_base() return base.generation_of(); end
"""
PYTHON = """
    import gevent

    from prosody_py.api import StanzaError, HttpError, hook, stanza

    def world(module):
        return module.shared("/*/world/world")

    def load(module):
        module.state = {"generation": 1, "seen": 0}
        module.add_timer(0.001, tick, module)
        module.add_timer(0, ask, module)
        module.add_timer(0, fetch, module)

    def save(module):
        return dict(module.state)

    def restore(module, saved):
        module.state = {"generation": saved["generation"] + 1, "seen": saved["seen"]}

    def late(module, what):
        if not module.loaded:
            world(module)["late"].append(f"{module.name}: {what}")

    def tick(_now, module):
        late(module, "timer")
        return 0.003

    def ask(_now, module):
        try:
            module.send_iq(stanza.iq(type="get", to=world(module)["carol"], id="p%d" %
                module.state["generation"]).tag("ping", xmlns="urn:xmpp:ping"))
            late(module, "iq answer")
        except StanzaError:
            world(module)["given_up"] = (world(module).get("given_up") or 0) + 1

    def fetch(_now, module):
        try:
            module.http.request(world(module)["url"])
            late(module, "HTTP answer")
        except HttpError:
            pass

    @hook("message/full", priority=5)
    def mark(module, event):
        if event.stanza.get_child("body") is not None:
            module.state["seen"] += 1
            event.stanza.add_direct_child(stanza.stanza("seen", by=module.name))
"""
LUA_MODULES = {"state_lua": LUA, "state_shared": SHARED, "state_base": BASE, "state_user": USER}
MARKS = sorted([*LUA_MODULES, "state_python"])


@pytest.fixture(params=KINDS)
def running(tmp_path, request):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    for name, text in LUA_MODULES.items():
        (plugins / f"mod_{name}.lua").write_text(textwrap.dedent(text))
    (plugins / "mod_state_python.py").write_text(textwrap.dedent(PYTHON))
    running = TestServer(tmp_path, plugin_paths=[str(plugins)], lua_runtime=request.param,
                         log={"level": "warn"})
    yield running
    running.stop()


@pytest.fixture
def silent():
    """The address of an HTTP server that never answers, and what is connected to it."""
    open_now = set()

    def hold(sock, _address):
        open_now.add(sock)
        while sock.recv(65536):
            pass
        open_now.discard(sock)

    server = StreamServer(("127.0.0.1", 0), hold)
    server.start()
    yield f"http://127.0.0.1:{server.server_port}/", open_now
    server.stop()


class Schedule:
    """Says how much is to have been sent by now, whatever has arrived.

    Its clock stands while something is measured, and where the machine cannot keep up: when BEHIND
    messages are on their way, until half of them have arrived.
    """

    def __init__(self):
        self.talkers = []
        self.reasons = {"not begun"}  # why the clock stands
        self.run, self.since = 0.0, 0.0
        self.behind = 0.0  # seconds for which the clock stood because of the machine
        self.over = False

    def stand(self, reason):
        """Stop the clock until `go(reason)`."""
        self.run, self.since = self.elapsed(), time.monotonic()
        self.reasons.add(reason)

    def go(self, reason):
        """Let the clock go on, unless it stands for another reason too."""
        now = time.monotonic()
        if reason == "behind":
            self.behind += now - self.since
        self.reasons.discard(reason)
        self.since = now

    def elapsed(self):
        """Return the seconds that have gone by."""
        return self.run if self.reasons else self.run + time.monotonic() - self.since

    def due(self):
        """Return how many messages each of the talkers is to have sent."""
        return int(self.elapsed() * RATE / len(self.talkers))

    def on_the_way(self):
        return sum(talker.said - talker.heard for talker in self.talkers)

    def look_at_the_machine(self):
        if self.on_the_way() > BEHIND and not self.reasons:
            self.stand("behind")
        elif self.on_the_way() < BEHIND // 2 and "behind" in self.reasons:
            self.go("behind")

    def stillness(self):
        """Stop the clock, and wait until everything that was due has arrived."""
        self.stand("measured")
        while self.on_the_way() or any(talker.said < self.due() for talker in self.talkers):
            gevent.sleep(TURN)


class Talker:
    """A client that says numbered messages as the schedule asks for, and counts what comes."""

    def __init__(self, client, schedule):
        self.client, self.schedule = client, schedule
        self.said = self.heard = 0
        schedule.talkers.append(self)

    def say(self, peer):
        while not self.schedule.over:
            due = self.schedule.due()
            while self.said < due:
                numbers = range(self.said, min(due, self.said + PACKET))
                self.said = numbers.stop
                self.client.send("".join(
                    f"<message to='{peer.client.jid}' type='chat' id='m{number}'>"
                    f"<body>{number}</body></message>" for number in numbers))
            self.schedule.look_at_the_machine()
            gevent.sleep(TURN)
        self.client.send(f"<message to='{peer.client.jid}' id='end'/>")

    def listen(self):
        """Take what comes, which is each number once and in order, until the peer ends."""
        while (element := self.client.receive()).attr.get("id") != "end":
            assert element.name == "message" and element.attr["type"] == "chat", str(element)
            assert element.get_child_text("body") == str(self.heard)
            self.heard += 1
            marks = sorted(tag.attr["by"] for tag in element.tags if tag.name == "seen")
            assert marks == MARKS, "a message has missed a module, or met one twice"


def answer_late(client):
    """Answer each question when three more have come, often to an instance that is gone."""
    questions = []
    try:
        while True:
            element = client.receive_until(lambda one: one.name == "iq")
            if element.attr["type"] == "get":
                questions.append(element.attr)
            if len(questions) > 3:
                asked = questions.pop(0)
                client.send(f"<iq type='result' id='{asked['id']}' to='{asked['from']}'/>")
    except (Closed, OSError, gevent.GreenletExit):
        pass


class Witness:
    """Knows which instances are gone, and what is alive."""

    def __init__(self, running):
        self.server = running.server
        self.border = running.server.lua
        self.order, self.old = [], []
        self.spent = 0.0  # seconds in reloads
        self.world = self.server.modules.get_module(
            "localhost", "state_python").shared("/*/world/world")
        for bus in (self.server.events, self.server.hosts["localhost"].events):
            bus.add_handler("module-reloaded", self.reloaded)

    def reloaded(self, event):
        key = event.host + event.module
        dead = self.world["dead"]
        dead[key] = dead.get(key, 0) + 1
        self.order.append(event.module)

    def watch(self, name):
        """Note the instance that is about to go."""
        module = self.server.modules.get_module("localhost", name)
        self.old.append(weakref.ref(module))
        if module.code.language == "python":
            self.old.append(weakref.ref(module.code.namespace))

    def settle(self):
        """Let what has ended go; return Lua's KiB, Python's objects, and the process's MiB."""
        lua = self.border.lua
        for _ in range(4):
            gevent.sleep(0.01)
            gc.collect()
            lua.execute(b"collectgarbage(); collectgarbage()")
        self.border.identities.sweep()  # which is due only now and then
        python = Counter(type(found).__name__ for found in gc.get_objects())
        python["ReferenceType"] -= len(self.old)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return self.border.memory() / 1024, python, pages * resource.getpagesize() / 2**20

    def environments(self):
        """Return how many environments of Lua modules are alive; to be called after `settle`."""
        return self.border.lua.eval(
            b"function () local n = 0; for _ in next, package.loaded['test.environments'] do "
            b"n = n + 1; end return n; end")()


def module_of(running, name):
    return running.server.modules.get_module("localhost", name)


def prepare(running, url):
    """Load the modules; return the clients that talk, and the witness."""
    carol = running.client("carol", "r").available()
    modules = running.server.modules
    holder = modules.shared_table(module_of(running, "ping"), "/*/world/world")
    holder.update(dead={}, late=[], url=url, carol=carol.jid)
    for name in ("state_lua", "state_python", "state_shared", "state_user"):
        modules.load("localhost", name)
    schedule = Schedule()
    for user in ("alice", "bob"):
        Talker(running.client(user, "r").available(), schedule)
    return carol, schedule, Witness(running)


def reload_often(running, witness, schedule):
    """Reload in turn; return what is alive after half of it and at the end."""
    sizes = []
    schedule.go("not begun")
    for turn in range(1, RELOADS + 1):
        while sum(talker.heard for talker in schedule.talkers) < PER_RELOAD * (turn - 1):
            gevent.sleep(0)
        name = TURNS[turn % len(TURNS)]
        witness.watch(name)
        del witness.order[:]
        where = "*" if name == "state_shared" else "localhost"
        begun = time.monotonic()
        running.server.modules.reload(where, name)
        witness.spent += time.monotonic() - begun
        if name == "state_base":
            assert witness.order == ["state_base", "state_user"]
            assert module_of(running, "state_user").exports.generation_of_base() == \
                module_of(running, name).exports.generation_of()
        if turn in (RELOADS // 2, RELOADS):
            schedule.stillness()
            sizes.append(witness.settle())
            if turn < RELOADS:
                schedule.go("measured")
    schedule.over = True
    return sizes


def test_state_is_kept_and_nothing_of_old_instances_stays_or_fires(running, silent):
    url, connections = silent
    carol, schedule, witness = prepare(running, url)
    alice, bob = schedule.talkers
    answering = gevent.spawn(answer_late, carol)
    reloading = gevent.spawn(reload_often, running, witness, schedule)
    with gevent.Timeout(400):
        gevent.joinall([reloading, *(gevent.spawn(step, *args) for step, args in (
            (alice.say, [bob]), (bob.say, [alice]), (alice.listen, []), (bob.listen, [])))],
            raise_error=True)
    messages = alice.heard + bob.heard
    assert (bob.heard, alice.heard) == (alice.said, bob.said)
    assert messages >= RATE * schedule.run - 2
    world = witness.world
    assert world["late"] == []
    assert world["given_up"] > RELOADS // 10  # questions of instances that were gone were let go
    each = RELOADS // len(TURNS)
    assert module_of(running, "state_lua").shared("kept")["instances"] == each + 1
    for name in ("state_lua", "state_base", "state_user"):
        state = module_of(running, name).exports.state
        assert (state.generation, state.seen) == (each + 1, messages), name
    assert module_of(running, "state_python").state == {
        "generation": each + 1, "seen": messages}
    assert len(connections) <= 2
    (lua, python, rss), (lua_end, python_end, rss_end) = reloading.value
    print(f"{RELOADS} reloads and {messages} messages in {schedule.run:.1f} s, and "
          f"{schedule.behind:.1f} s in which the clock stood because the machine was behind; "
          f"{1000 * witness.spent / RELOADS:.2f} ms for a reload; alive after half and at the "
          f"end: Lua {lua:.0f} and {lua_end:.0f} KiB, {python.total()} and {python_end.total()} "
          f"Python objects, {rss:.1f} and {rss_end:.1f} MiB of the process")
    # Idle coroutines and Lua's own tables come and go with the traffic; a module is several KiB.
    assert lua_end - lua < RELOADS // 2
    assert (python_end - python).total() < 500, python_end - python
    witness.settle()
    assert witness.environments() == 5  # of four modules, one of which has one for the host as well
    assert [found for found in witness.old if found() is not None] == []
    answering.kill()
