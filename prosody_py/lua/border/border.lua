-- Puts the border together, in the order in which its parts need each other.

local run_file, scheduler, py, event_py, waiting = ...;
local real_debug = debug;

-- Most of what the border makes dies young.
-- LuaJIT has to go through each cycle in one step. Between two steps there would be userdata that is
-- dead and not yet finalized; if its object came to Lua again then, lupa would release the place of
-- the new userdata for the old one, and hand out another object from that place later.
if _VERSION == "Lua 5.4" then
	collectgarbage("generational");
else
	collectgarbage("setstepmul", 0);
end

-- Requests that carry events need the events, which need the proxies: the stubs ask late.
local events;
local function request(...) return events.request(...); end

scheduler.on_finalizer_error(function (text) waiting.log("lua", "error", text); end);
local finalizer = scheduler.finalizer;
local native_setmetatable = setmetatable;

-- Before anything takes `setmetatable` for its own: finalizers run under the time limit too.
function setmetatable(t, meta)
	if type(meta) == "table" then
		local f = rawget(meta, "__gc");
		if f ~= nil then rawset(meta, "__gc", finalizer(f)); end
	end
	return native_setmetatable(t, meta);
end

local additions = run_file("additions.lua");
local proxy = run_file("proxy.lua", run_file, py, request, additions);
events = run_file("event.lua", event_py, scheduler, proxy.hidden, proxy.proxies, additions);

for name, f in next, proxy.raw do
	if _G[name] then _G[name] = f; end
end
run_file("functions.lua", real_debug);
coroutine, xpcall = scheduler.coroutine, scheduler.xpcall;
for name, f in next, proxy.tables do table[name] = f; end
package.loaded.coroutine = coroutine;
unpack = table.unpack or unpack;
if not table.unpack then table.unpack = unpack; end
if not table.pack then
	function table.pack(...) return { n = select("#", ...), ... }; end
end

local limits = run_file("limits.lua", real_debug, py.get, waiting.log);

-- Modules may look at stacks; registry and metatables of others are not theirs.
debug = {
	traceback = real_debug.traceback; getinfo = real_debug.getinfo;
	getlocal = limits.getlocal; getupvalue = limits.getupvalue;
	setupvalue = limits.setupvalue; sethook = function () end; gethook = function () end;
	getmetatable = proxy.raw.getmetatable; setmetatable = proxy.raw.setmetatable;
	getregistry = function () return {}; end;
};
package.loaded.debug = debug;
package.loadlib = nil;

-- native.driver: what util.async, util.timer, util.promise and util.logger stand on.
local serial = 0;
local driver = {
	log = function (source, level, text) waiting.log(source, level, text); end;
	add_timer = function (seconds, f) return waiting.add_timer(seconds, f); end;
	cancel_timer = function (id) waiting.cancel_timer(id); end;
};

function driver.next_tick(f, ...)
	local count = select("#", ...);
	if count == 0 then
		waiting.add_timer(0, f);
	else
		local arguments = { ... };
		waiting.add_timer(0, function () f(unpack(arguments, 1, count)); end);
	end
end

function driver.wait(state)
	if state.woken then return; end
	serial = serial + 1;
	state.waiting_as = serial;
	request(waiting.wait, serial);
end

function driver.wake(state)
	state.woken = true;
	if state.waiting_as then waiting.wake(state.waiting_as); end
end

function driver.sleep(seconds) request(waiting.sleep, seconds); end

package.loaded["native.driver"] = driver;

py.format = require "util.format".format;
local st = require "util.stanza";
local identities = setmetatable({}, { __mode = "k" });
local stanza = run_file("stanza.lua", run_file, st, identities, proxy.hidden, proxy.native_next,
	events, scheduler.unwatched);
proxy.connect(stanza, st.stanza_mt);
local data = run_file("data.lua", identities, stanza.identity, st.stanza_mt, proxy, events.key_of);
require "util.import";

return {
	proxy = proxy; events = events; stanza = stanza; data = data; request = request;
	OBJECT = proxy.OBJECT; traceback = real_debug.traceback; getinfo = real_debug.getinfo;
	error_object = function (exception, type_, condition, text)
		local err = require "util.error".new({ type = type_, condition = condition, text = text });
		rawset(err, proxy.OBJECT, exception);
		return err;
	end;
	describe = function (f)
		local info = real_debug.getinfo(f, "S");
		return info.short_src .. ":" .. info.linedefined;
	end;
	tostring = tostring;
	can_request = scheduler.can_request; run_file = run_file;
};
