-- What the code of modules sees: the locked globals, `prosody` and its kin, and an environment
-- for each module instance that falls back to them.

local border, py, server, version, platform = ...;
local request = border.request;
local promise = require "util.promise";
local logger = require "util.logger";
local type, setmetatable, rawset, rawget, error, tostring = type, setmetatable, rawset, rawget, error, tostring;
local getinfo = border.getinfo;
local globals = _G;

-- Things that stop the whole server -------------------------------------------------------------

function os.exit()
	error("os.exit is not for modules; use prosody.shutdown()", 2);
end

border.run_file("commands.lua", function (...) return request(py.run_command, ...); end);

-- Globals ---------------------------------------------------------------------------------------

local FEATURES = {
	"getopt-enum", "getopt-integer", "getopt-interval", "getopt-period", "keyval+", "mod_http",
	"module-ready", "permissions",
};
local prosody = {
	version = version; platform = platform; arg = {};
	start_time = server.start_time; hosts = server.hosts; events = server.events;
	full_sessions = server.full_sessions; bare_sessions = server.bare_sessions;
	paths = server.paths; incoming_s2s = {}; opts = {}; installed = true; config_loaded = true;
	features = require "util.set".new(FEATURES); release = version;
	resolve_relative_path = require "util.paths".resolve_relative_path;
	main_thread = require "util.async".runner(function (f) return f(); end);
};
-- Fields of the server that change.
setmetatable(prosody, { __index = function (_, name) return py.server_state(name); end });
prosody.core_post_stanza = function (origin, stanza, preevents)
	return request(py.post_stanza, origin, stanza, preevents);
end
prosody.core_process_stanza = function (origin, stanza)
	return request(py.process_stanza, origin, stanza);
end
prosody.core_route_stanza = function (origin, stanza)
	return request(py.route_stanza, origin, stanza);
end
prosody.shutdown = function (reason, code) return request(py.shutdown, reason, code); end
prosody.reload_config = function () return request(py.reload_config); end
prosody.reopen_logfiles = function () return request(py.reopen_logfiles); end

local is_started, resolve_started = false, nil;
prosody.started = promise.new(function (resolve)
	if is_started then resolve(); else resolve_started = resolve; end
end);

local function mark_started()
	is_started = true;
	if resolve_started then resolve_started(); end
end

-- Globals of Prosody's launcher, for modules that look for its folders there.
globals.CFG_DATADIR, globals.CFG_CONFIGDIR = server.paths.data, server.paths.config;
globals.CFG_SOURCEDIR, globals.CFG_PLUGINDIR = server.paths.source, server.paths.plugins;

prosody.log = logger.init("general");
globals.prosody, globals.hosts = prosody, prosody.hosts;
globals.bare_sessions, globals.full_sessions = prosody.bare_sessions, prosody.full_sessions;
globals.log = prosody.log;
globals.pposix = false;

local real_require = require;
-- What the libraries stand on gives raw access to Python's objects, so it is theirs alone.
local natives = {};
for name, library in next, package.loaded do
	if name:find("^native%.") and name ~= "native.driver" then natives[name] = library; end
end
for name in next, natives do package.loaded[name] = nil; end
local open_for = 0; -- libraries that are being loaded may set globals

function globals.require(name)
	local found = package.loaded[name];
	if found ~= nil then return found; end
	found = natives[name];
	if found ~= nil then
		local level = 2;
		while getinfo(level, "S") and getinfo(level, "S").what == "C" do level = level + 1; end
		local caller = getinfo(level, "S");
		if open_for == 0 and caller and caller.source:find("^@/") then
			error("library '" .. name .. "' is for the server's own libraries only; see "
				.. "docs/lua-modules.md for what modules can use", 2);
		end
		return found;
	end
	open_for = open_for + 1;
	local ok, result = pcall(real_require, name);
	open_for = open_for - 1;
	if not ok then
		if type(result) == "string" then -- the reason alone, without the places searched
			result = result:gsub("^(module '.-' not found:)\n.*\n%s*", "%1 ", 1);
		end
		error(result, 0);
	end
	return result;
end

local locked = true;
-- Code that runs on several versions of Lua asks for these, so their absence is no mistake.
local reads = {
	loadstring = true; setfenv = true; getfenv = true; jit = true; bit = true; bit32 = true;
	utf8 = true; rawlen = true; newproxy = true; module = true; prosodyctl = true; warn = true;
	unpack = true; _TRACEBACK = true;
};

-- Prosody's libraries were global variables of these names once, and old modules read them.
local once_global = { http = "net.http"; datamanager = "util.datamanager" };
for _, name in next, { "configmanager", "hostmanager", "modulemanager", "portmanager",
	"rostermanager", "s2smanager", "sessionmanager", "storagemanager", "usermanager" } do
	once_global[name] = "core." .. name;
end

setmetatable(globals, {
	__index = function (_, name)
		local library = once_global[name];
		if library then return globals.require(library); end
		if locked and open_for == 0 and not reads[name] then
			reads[name] = true;
			py.log("lua", "warn", "A module reads the global variable '" .. tostring(name)
				.. "', which does not exist");
		end
		return nil;
	end;
	__newindex = function (t, name, value)
		if locked and open_for == 0 then
			error("Attempt to set a global variable: " .. tostring(name)
				.. " (in a module, use 'local')", 2);
		end
		rawset(t, name, value);
	end;
});

function prosody.unlock_globals() locked = false; end
function prosody.lock_globals() locked = true; end

-- Environments ------------------------------------------------------------------------------------

local function compile(source, name, environment)
	return load(source, name, "t", environment);
end

local function new(module, parent)
	return setmetatable({ module = module }, { __index = parent or globals });
end

return { new = new; compile = compile; mark_started = mark_started; prosody = prosody,
	features = table.concat(FEATURES, " ") };
