"""Every event of the core, as a Lua module sees it: when, with which fields, and what they mean."""

from __future__ import annotations

import pytest

from prosody_py.lua import guard
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.client import Client, wait_until
from prosody_py.testing.server import TestServer

HOST, QUIET = "localhost", "quiet.localhost"
STANZA = "origin:table stanza:table to_self:boolean"
HOST_EVENTS = {
    **{f"{pre}{name}/{kind}": STANZA for name in ("message", "presence", "iq")
       for kind in ("full", "bare", "host") for pre in ("", "pre-")},
    "message/self": STANZA, "presence/self": STANZA, "iq/self": STANZA, "pre-stanza": STANZA,
    "stanza/urn:demo:hello": STANZA,
    "iq-get/host/urn:demo:query": STANZA, "iq/host/urn:demo:query": STANZA,
    "iq-result/host/r1": STANZA,
    "route/remote": "from_host:string origin:table stanza:table to_host:string",
    "stream-features": "features:table origin:table stream:table",
    "authentication-success": "session:table",
    "authentication-failure": "condition:string session:table",
    "pre-resource-bind": "resource:string session:table",
    "resource-bind": "session:table",
    "pre-resource-unbind": "error:string session:table",
    "resource-unbind": "error:string session:table",
    "c2s-disconnected": "reason:string session:table",
    "c2s-session-updated": "from_session:table replaced_conn:table session:table",
    "presence/initial": "origin:table stanza:table",
    "roster-load": "host:string roster:table username:string",
    "user-deleted": "host:string username:string",
    "user-password-changed": "host:string username:string",
    "user-enabled": "host:string username:string",
    "user-disabled": "host:string meta:table username:string",
    "module-loaded": "host:string module:string",
    "module-reloaded": "host:string module:string",
    "module-unloaded": "host:string module:string",
    "module-status/updated": "name:string",
    "item-added/demo": "item:table source:table",
    "item-removed/demo": "item:table source:table",
    "store-opened": "host:string store:table store_name:string store_type:string",
    "message/offline/handle": "origin:table stanza:table username:string",
}
GLOBAL_EVENTS = {
    "hosts-activated": "*:table localhost:table quiet.localhost:table second.localhost:table",
    "server-started": "nil",
    "host-activated": "string", "host-deactivated": "string",
    "host-deactivating": "host:string host_session:table reason:string",
    "reloading-config": "nil",
    "config-reloaded": "config:table filename:string",
    "reopen-log-files": "nil", "logging-reloaded": "nil",
    "stats-update": "nil", "openmetrics-updated": "metric_registry:table",
    "user-deleted": "host:string username:string",
    "user-password-changed": "host:string username:string",
    "user-enabled": "host:string username:string",
    "user-disabled": "host:string meta:table username:string",
    "user-role-changed": "host:string role:table username:string",
    "user-role-added": "host:string role:table role_name:string username:string",
    "user-role-removed": "host:string role_name:string username:string",
    "server-stopping": "code:number reason:string",
    "server-cleanup": "nil", "server-stopped": "nil",
}
RECORDER = """
seen = {};
local function fields(data)
    if type(data) ~= "table" then return type(data); end
    local list = {};
    for name, value in pairs(data) do list[#list + 1] = tostring(name) .. ":" .. type(value); end
    table.sort(list);
    return table.concat(list, " ");
end
local function recorder(kind, name)
    return function (data)
        local key, text = kind .. " " .. name, fields(data);
        if not seen[key] or #text > #seen[key] then seen[key] = text; end
    end
end
function record(kind, name)
    local hook = module["hook" .. (kind == "global" and "_global" or "")];
    hook(module, name, recorder(kind, name), 1e6);
end
"""


def recorder() -> str:
    lines = [RECORDER]
    for kind, events in (("host", HOST_EVENTS), ("global", GLOBAL_EVENTS)):
        lines += [f'record("{kind}", "{name}");' for name in events]
    lines.append('module:hook("message/bare", function (event)\n'
                 '    if event.stanza.attr.type == "stop" then return true; end\nend, 5);')
    return "\n".join(lines)


SAMPLE = """
module:add_item("demo", { name = "one" });
module:set_status("info", "loaded");
module:open_store("demo");
"""
ACCOUNTS = """
local users, hosts = require "core.usermanager", require "core.hostmanager";
local stats, modules = require "core.statsmanager", require "core.modulemanager";
local h = "localhost";
users.create_user("carol", "secret", h);
users.set_password("carol", "other", h);
users.disable_user("carol", h, { reason = "test" });
users.enable_user("carol", h);
users.set_user_role("carol", h, "prosody:admin");
users.add_user_secondary_role("carol", h, "prosody:operator");
users.remove_user_secondary_role("carol", h, "prosody:operator");
users.delete_user("carol", h);
assert(modules.load(h, "sample"));
assert(modules.reload(h, "sample"));
assert(modules.unload(h, "sample"));
assert(hosts.activate("second.localhost"));
assert(hosts.deactivate("second.localhost", "over"));
stats.collect();
require "core.loggingmanager".reload_logging();
assert(prosody.reload_config());
"""


def lua(running, code, *args):
    """Run Lua code in the server."""
    border = running.server.lua
    function = border.compile(code.encode(), "test", border.lua.globals())
    return border.to_python(border.driver.call(function, *map(border.to_lua, args)))


def talk(running) -> None:
    """Let clients do what they do."""
    alice, bob = (running.client(name, "r").available() for name in ("alice", "bob"))
    for to in (bob.jid, bob.bare_jid, HOST, alice.bare_jid, "eve@elsewhere.example"):
        alice.send(f"<message to='{to}'><body>Hello</body></message>")
        alice.send(f"<presence to='{to}'/>")
        alice.send(f"<iq type='get' id='q' to='{to}'><query xmlns='urn:demo'/></iq>")
    alice.send(f"<iq type='get' id='h' to='{HOST}'><query xmlns='urn:demo'/></iq>")
    alice.send(f"<iq type='result' id='r1' to='{HOST}'/>")
    alice.send("<message to='nobody@localhost'><body>Hello</body></message>")
    running.user("dora")
    alice.send("<message to='dora@localhost'><body>Hello</body></message>")
    alice.flush()
    quiet = running.client("alice", host=QUIET)  # nobody handles these there
    quiet.send(f"<message to='{quiet.bare_jid}'/><presence to='{quiet.bare_jid}'/>").flush()
    wrong = running.connect()
    wrong.open()
    wrong.sasl_auth("PLAIN", b"\0alice\0wrong")
    assert wrong.receive().name == "failure"
    strange = running.client("bob", "strange")
    strange.send("<hello xmlns='urn:demo'/>")
    strange.closed_with()
    server = running.server
    successor = running.client("bob", "successor")
    lua(running, """
        local to, from = ...;
        require "core.sessionmanager".update_session(to, from);
    """, server.full_sessions[bob.jid], server.full_sessions[successor.jid])
    alice.sock.close()
    wait_until(lambda: alice.jid not in server.full_sessions)


@pytest.fixture(scope="module", params=KINDS)
def seen(request, tmp_path_factory):
    """What the Lua module has recorded in the life of a server."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "mod_recorder.lua").write_text(recorder())
    (folder / "mod_sample.lua").write_text(SAMPLE)
    guard.install()
    running = TestServer(folder, ["recorder", "offline"], plugin_paths=[str(folder)],
                         lua_runtime=request.param, hosts={
                             HOST: {}, "second.localhost": {"enabled": False}, QUIET: {
                                 "modules_disabled": ["message", "presence", "roster"]}})
    try:
        running.user("alice")
        running.user("bob")
        talk(running)
        lua(running, ACCOUNTS)
        recorders = [running.server.modules.get_module(host, "recorder").exports.seen
                     for host in (QUIET, HOST)]
    finally:
        running.stop()
    guard.check()
    return {**recorders[0].copy(), **recorders[1].copy()}


@pytest.mark.parametrize(("kind", "name", "fields"), [
    *(("host", *row) for row in HOST_EVENTS.items()),
    *(("global", *row) for row in GLOBAL_EVENTS.items())])
def test_event_reaches_lua_with_its_fields(seen, kind, name, fields):
    assert seen.get(f"{kind} {name}") == fields


PRIORITIES = {
    "message/full": ("message", -1), "message/bare": ("message", -1),
    "iq/full": ("iq", -1), "iq/bare": ("iq", -1), "iq/self": ("iq", -1), "iq/host": ("iq", -1),
    "message/offline/handle": ("offline", -1),
    "presence/full": ("presence", 0), "presence/bare": ("presence", 0),
}


def test_the_servers_own_handlers_have_the_priorities_that_modules_count_on(start_server):
    running = start_server(["offline"])
    chains = running.server.hosts[HOST].events.describe()
    for event, (module, priority) in PRIORITIES.items():
        [(found, handler)] = chains[event]
        name = getattr(handler, "module", None) or handler.args[0]
        assert (name.name, found) == (module, priority), event


MEANINGS = """
module:hook("pre-message/bare", function (event)
    if event.stanza:get_child_text("body") == "stop" then return true; end
end);
module:hook("message/bare", function (event)
    if event.stanza:get_child_text("body") == "mine" then return true; end
    if event.stanza:get_child_text("body") == "false" then return false; end
end, 1);
module:hook("route/remote", function (event)
    if event.to_host == "away.example" then event.origin.send(
        require "util.stanza".reply(event.stanza):text_tag("body", "sent")); return true; end
end);
module:hook("pre-resource-bind", function (event)
    if event.resource == "refused" then
        event.error = require "util.error".new { type = "auth", condition = "forbidden" };
        return false;
    end
    if event.resource == "renamed" then event.resource = "chosen"; end
end);
module:hook("authentication-failure", function (event) event.text = "See you"; end);
module:hook_tag("urn:demo", "hello", function (session) session.send("<hi/>"); return true; end);
"""


@pytest.mark.parametrize("kind", KINDS)
def test_what_handlers_return_and_change_has_its_meaning(start_server, tmp_path, kind):
    (tmp_path / "mod_means.lua").write_text(MEANINGS)
    running = start_server(["means"], plugin_paths=[str(tmp_path)], lua_runtime=kind)
    alice, bob = (running.client(name, "renamed").available() for name in ("alice", "bob"))
    assert alice.jid == "alice@localhost/chosen"
    for body in ("stop", "mine", "false", "comes"):
        alice.send(f"<message to='{bob.bare_jid}'><body>{body}</body></message>")
    alice.send("<message to='x@away.example'><body>out</body></message>")
    alice.send("<message to='x@closed.example' id='c'><body>out</body></message>")
    answers = [element for element in alice.flush() if element.name == "message"]
    assert [answer.get_child_text("body") for answer in answers] == ["sent", None]
    assert answers[1].get_error()[1] == "not-allowed"
    assert [message.get_child_text("body") for message in bob.flush()] == ["comes"]
    alice.send("<hello xmlns='urn:demo'/>")
    assert alice.receive().name == "hi"
    refused = _authenticated(running, "carol")
    answer = refused.iq("set", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                               "<resource>refused</resource></bind>")
    assert answer.get_error()[:2] == ("auth", "forbidden")
    wrong = running.connect()
    wrong.open()
    wrong.sasl_auth("PLAIN", b"\0alice\0wrong")
    assert wrong.receive().get_child_text("text") == "See you"


def _authenticated(running, name) -> Client:
    running.user(name)
    client = running.connect()
    client.open()
    client.authenticate(name, "secret")
    client.open()
    return client
