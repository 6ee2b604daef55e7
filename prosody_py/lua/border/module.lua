-- The object that a Lua module knows as `module`: Prosody's names on top of api/module.py.
--
-- What the module assigns (`function module.load() ... end`) stays in the table itself, where the
-- loader finds it by raw lookup.

local border, py, plain_functions, asking, environment = ...;
local request, proxy = border.request, border.proxy;
local OBJECT, results = border.OBJECT, proxy.results;
local promise, set, array, st, format, logger, values = require "util.promise",
	require "util.set", require "util.array", require "util.stanza", require "util.format".format,
	require "util.logger", require "util.iterators".values;
local type, error, rawget, setmetatable, pcall, next, tostring, ipairs =
	type, error, rawget, setmetatable, pcall, next, tostring, ipairs;
local open = io.open;
local methods = {};

local function object_of(self, name)
	local object = type(self) == "table" and rawget(self, OBJECT);
	if not object then error("call module:" .. name .. "() with a colon", 3); end
	return object;
end

-- Functions of Python: those in `plain` never block, the ones of `asking` may.
local plain = {};
for name, f in next, plain_functions do
	plain[name] = function (...) return results(f(...)); end
	methods[name] = function (self, ...) return results(f(object_of(self, name), ...)); end
end
for name, f in next, asking do
	methods[name] = function (self, ...) return request(f, object_of(self, name), ...); end
end

-- Log -----------------------------------------------------------------------------------------

function methods:log(level, message, ...)
	local object = object_of(self, "log");
	if py.log_enabled(object, level) then
		py.module_log(object, level, format(message, ...));
	end
end

function methods:log_status(level, message, ...)
	local text = format(message, ...);
	py.module_log(object_of(self, "log_status"), level, text);
	return self:set_status(level, text);
end

-- Events --------------------------------------------------------------------------------------

-- An event without handlers costs no request.
function methods:fire_event(name, data)
	local object = object_of(self, "fire_event");
	if not py.has_handlers(object, name) then return nil; end
	return request(py.fire_event, object, name, data);
end

function methods:hook_tag(xmlns, name, handler, priority)
	if type(name) == "function" then
		xmlns, name, handler, priority = nil, xmlns, name, handler;
	end
	if type(name) ~= "string" or type(handler) ~= "function" then
		error("module:hook_tag(): give a namespace or nil, a name and a function", 2);
	end
	return self:hook("stanza/" .. (xmlns and xmlns .. ":" or "") .. name, function (data)
		return handler(data.origin, data.stanza, data);
	end, priority);
end

methods.hook_stanza = methods.hook_tag;

-- Options -------------------------------------------------------------------------------------

local option = plain.option;

local function single(kind)
	return function (self, name, default, ...)
		if type(default) == "table" or type(default) == "function" or default == math.huge then
			local value = (option(self[OBJECT], kind, name, nil, ...));
			if value == nil then return default; end
			return value;
		end
		return (option(self[OBJECT], kind, name, default, ...));
	end
end

for _, kind in ipairs { "string", "number", "integer", "boolean", "period", "path", "enum", "scalar" } do
	methods["get_option_" .. kind] = single(kind);
end
methods.get_option = single("option");

local function listed(default)
	if type(default) == "table" and set.is_set(default) then
		local list = {};
		for item in default:items() do list[#list + 1] = item; end
		return list;
	end
	return default;
end

local function several(kind, make)
	return function (self, name, default, ...)
		local value = (option(self[OBJECT], kind, name, listed(default), ...));
		if value == nil then return nil; end
		return make(value);
	end
end

methods.get_option_array = several("array", array);
methods.get_option_set = several("set", set.new);
methods.get_option_inherited_set = several("inherited_set", set.new);

-- Items and providers ---------------------------------------------------------------------------

function methods:add_item(key, value)
	request(asking.add_item, object_of(self, "add_item"), key, value);
end

function methods:add_feature(feature) return self:add_item("feature", feature); end
function methods:add_extension(extension) return self:add_item("extension", extension); end

function methods:add_identity(category, kind, name)
	return self:add_item("identity", { category = category, type = kind, name = name });
end

function methods:get_host_items(key)
	return array(request(asking.host_items, object_of(self, "get_host_items"), key));
end

function methods:provides(name, item)
	if not item then
		item = {};
		for key, value in next, self.environment do
			if key ~= "module" then item[key] = value; end
		end
	end
	if not item.name then
		local own = self.name;
		item.name = own:sub(1, #name + 1) == name .. "_" and own:sub(#name + 2) or own;
	end
	item._provided_by = self.name;
	return self:add_item(name .. "-provider", item);
end

-- Time ------------------------------------------------------------------------------------------

function methods:on_ready(f)
	local done, settle = nil, nil;
	local result = promise.new(function (resolve, reject)
		settle = function ()
			if done[1] then resolve(done[2]); else reject(done[2]); end
		end
		if done then settle(); end
	end);
	plain.call_when_ready(object_of(self, "on_ready"), function ()
		done = { pcall(f or function () end) };
		if settle then settle(); end
		if not done[1] then error(done[2], 0); end
	end);
	return result;
end

methods.once = methods.on_ready;

-- A task: { name =, when = "hourly" | "daily" | "weekly", run = function (task, now) end }.
function methods:cron(task)
	self:depends("cron");
	return self:add_item("task", task);
end

local function every(when)
	return function (self, name, run)
		if type(name) == "function" then name, run = nil, name; end
		return self:cron({ name = name, when = when, run = run });
	end
end

methods.hourly = every("hourly");
methods.daily = every("daily");
methods.weekly = every("weekly");

-- Traffic and stores ----------------------------------------------------------------------------

-- Handlers on this server answer to the origin: what it gets is what was asked for. It is not the
-- origin itself, which may have no `send` at all.
local function catching(object, stanza, origin)
	local function send(reply)
		if st.is_stanza(reply) and reply.name == "iq" and reply.attr.id == stanza.attr.id
			and (reply.attr.type == "result" or reply.attr.type == "error") then
			plain.answer_iq(object, reply);
		end
		if origin.send then return origin.send(reply); end
		return true;
	end
	return setmetatable({ send = send; dispatch_stanza = function () end }, { __index = origin });
end

function methods:send_iq(stanza, origin, timeout)
	local object = object_of(self, "send_iq");
	if origin then origin = catching(object, stanza, origin); end
	return promise.new(function (resolve, reject)
		local ok, answer, from = pcall(request, asking.ask_iq, object, stanza, origin, timeout);
		if ok then resolve({ stanza = answer, origin = from }); else reject(answer); end
	end);
end

-- `iter` gives the addresses themselves, such as that of a set's :items() or of `pairs`.
function methods:broadcast(jids, stanza, iter)
	for jid in (iter or values)(jids) do
		local copy = st.clone(stanza);
		copy.attr.to = jid;
		self:send(copy);
	end
end

-- Permissions -----------------------------------------------------------------------------------

-- Asks a store only for the first address on a host; a session has its role with it.
function methods:may(action, context, peek)
	local object = object_of(self, "may");
	local answer = plain.may_now(object, action, context, peek);
	if answer == nil then return request(asking.may, object, action, context, peek); end
	return answer;
end

function methods:could(action, context) return self:may(action, context, true); end

-- Files -----------------------------------------------------------------------------------------

function methods:load_resource(path, mode)
	return open(plain.resource_path(object_of(self, "load_resource"), path), mode or "r");
end

function methods:require(name)
	local path = plain.find_library(object_of(self, "require"), name);
	if not path then
		error("module:require: there is no library '" .. tostring(name) .. "' for mod_" .. self.name, 2);
	end
	local file = assert(open(path, "rb"));
	local source = file:read("*a");
	file:close();
	local chunk, err = environment.compile(source, "@" .. path, self.environment);
	if not chunk then error(err, 0); end
	return chunk();
end

-- Instances -------------------------------------------------------------------------------------

local mt = { __tostring = function (self) return "mod_" .. self.name .. " on " .. self.host; end };

-- Fields that are made when somebody reads them.
local computed = { dependencies = plain.dependencies;
	reverse_dependencies = plain.reverse_dependencies };
for name in next, computed do methods[name] = nil; end

function mt.__index(self, key)
	local method = methods[key];
	if method ~= nil then return method; end
	if computed[key] then return computed[key](rawget(self, OBJECT)); end
	local parent = rawget(self, "_parent");
	if parent then
		local value = rawget(parent, key);
		if value ~= nil then return value; end
	end
	return proxy.mt.__index(self, key);
end

local function new(id, object, name, host, path, parent)
	local module = setmetatable({
		[OBJECT] = object; name = name, host = host, path = path; _parent = parent;
		_log = logger.init(parent and host .. ":" .. name or "mod_" .. name);
		global = host == "*";
	}, mt);
	module.environment = environment.new(module, parent and parent.environment);
	proxy.proxies[id] = module;
	return module, module.environment;
end

function methods:set_global()
	plain.make_global(object_of(self, "set_global"));
	self.host, self.global = "*", true;
end

-- The same module seen from another host: what is written goes to the module.
function methods:context(host)
	local object = plain.make_context(object_of(self, "context"), host);
	return setmetatable({ [OBJECT] = object, host = host, global = host == "*" }, {
		__index = self; __newindex = self;
	});
end

border.run_file("arguments.lua", methods, object_of, st.is_stanza);
package.loaded["core.moduleapi"] = methods; -- what a module adds there, all others have

local weak_mt = { __mode = "kv" };

return {
	new = new; methods = methods; mt = mt; plain = plain; object_of = object_of;
	weak_table = function () return setmetatable({}, weak_mt); end;
};
