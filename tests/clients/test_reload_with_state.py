"""A thousand reloads of modules in both languages, with state and pending work, under messages."""

import gc
import textwrap
import weakref
from collections import Counter

import gevent
import pytest
from gevent.server import StreamServer

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.client import Closed
from prosody_py.testing.server import TestServer

pytestmark = pytest.mark.slow

RELOADS = 1000
PER_RELOAD = 8           # messages that arrive, on average, between two reloads
MESSAGES = RELOADS * PER_RELOAD // 2  # each way
WINDOW, BURST = 40, 10   # messages on their way, and in one packet
TURNS = ("state_lua", "state_python", "state_shared", "state_base")

# What the Lua modules have in common. `world.dead` has the instances that were replaced, by host,
# name and generation; `late` notes what comes to one of them.
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
            if world.dead[self.host .. self.name .. state.generation] then
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


class Talker:
    """A client that says numbered messages and notes what comes."""

    def __init__(self, client):
        self.client = client
        self.heard = []

    def say(self, peer):
        text = ""
        for number in range(MESSAGES):
            text += (f"<message to='{peer.client.jid}' type='chat' id='m{number}'>"
                     f"<body>{number}</body></message>")
            if number % BURST == BURST - 1:
                self.client.send(text)
                text = ""
                while number - len(peer.heard) > WINDOW:
                    gevent.sleep(0)

    def listen(self):
        while len(self.heard) < MESSAGES:
            element = self.client.receive()
            assert element.name == "message" and element.attr["type"] == "chat", str(element)
            self.heard.append(int(element.get_child_text("body")))
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
        self.generations, self.order, self.old = {}, [], []
        self.world = self.server.modules.get_module(
            "localhost", "state_python").shared("/*/world/world")
        for bus in (self.server.events, self.server.hosts["localhost"].events):
            bus.add_handler("module-reloaded", self.reloaded)

    def reloaded(self, event):
        key = event.host + event.module
        number = self.generations[key] = self.generations.get(key, 0) + 1
        self.world["dead"][f"{key}{number}"] = True
        self.order.append(event.module)

    def watch(self, name):
        """Note the instance that is about to go."""
        module = self.server.modules.get_module("localhost", name)
        self.old.append(weakref.ref(module))
        if module.code.language == "python":
            self.old.append(weakref.ref(module.code.namespace))

    def settle(self):
        """Let what has ended go; return Lua's memory in KiB, Python objects, environments."""
        lua = self.border.lua
        for _ in range(4):
            gevent.sleep(0.01)
            gc.collect()
            lua.execute(b"collectgarbage(); collectgarbage()")
        count = lua.eval(b"function () local n = 0; for _ in next, "
                         b"package.loaded['test.environments'] do n = n + 1; end return n; end")
        self.border.identities._sweep()  # which is due only now and then
        python = Counter(type(found).__name__ for found in gc.get_objects())
        python["ReferenceType"] -= len(self.old)
        return self.border.memory() / 1024, python, count()


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
    talkers = [Talker(running.client(user, "r").available()) for user in ("alice", "bob")]
    return carol, talkers, Witness(running)


def reload_often(running, witness, progress):
    """Reload in turn; return the sizes of what is alive after half of it and at the end."""
    sizes = []
    for turn in range(1, RELOADS + 1):
        while progress() < PER_RELOAD * (turn - 1):
            gevent.sleep(0)
        name = TURNS[turn % len(TURNS)]
        witness.watch(name)
        del witness.order[:]
        where = "*" if name == "state_shared" else "localhost"
        running.server.modules.reload(where, name)
        if name == "state_base":
            assert witness.order == ["state_base", "state_user"]
            assert module_of(running, "state_user").exports.generation_of_base() == \
                module_of(running, name).exports.generation_of()
        if turn in (RELOADS // 2, RELOADS):
            sizes.append(witness.settle())
    return sizes


def test_state_is_kept_and_nothing_of_old_instances_stays_or_fires(running, silent):
    url, connections = silent
    carol, talkers, witness = prepare(running, url)
    alice, bob = talkers
    answering = gevent.spawn(answer_late, carol)
    reloading = gevent.spawn(reload_often, running, witness,
                             lambda: len(alice.heard) + len(bob.heard))
    with gevent.Timeout(120):
        gevent.joinall([reloading, *(gevent.spawn(step, *args) for step, args in (
            (alice.say, [bob]), (bob.say, [alice]), (alice.listen, []), (bob.listen, [])))],
            raise_error=True)
    for talker in talkers:
        assert talker.heard == list(range(MESSAGES))
    world = witness.world
    assert world["late"] == []
    assert world["given_up"] > RELOADS // 10  # questions of instances that were gone were let go
    each = RELOADS // len(TURNS)
    assert module_of(running, "state_lua").shared("kept")["instances"] == each + 1
    for name in ("state_lua", "state_base", "state_user"):
        state = module_of(running, name).exports.state
        assert (state.generation, state.seen) == (each + 1, 2 * MESSAGES), name
    assert module_of(running, "state_python").state == {
        "generation": each + 1, "seen": 2 * MESSAGES}
    assert len(connections) <= 2
    (lua_half, python_half, _), (lua_end, python_end, _) = reloading.value
    assert lua_end - lua_half < 300
    assert (python_end - python_half).total() < 500, python_end - python_half
    environments = witness.settle()[2]
    assert environments == 5  # of four modules, one of which has one for the host as well
    assert [found for found in witness.old if found() is not None] == []
    answering.kill()
