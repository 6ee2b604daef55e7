-- Python objects as tables: one metatable, and a hidden field that holds the object.
--
-- A proxy is found again by the object's id as long as Lua holds it; the object lives as long as
-- its proxy. `next`, `pairs`, `rawget` ... of the modules' environment know proxies; nothing in
-- Lua gets hold of the object itself.

local run_file, py, request, additions = ...;
local OBJECT = {}; -- the hidden field
local BOUND = {}; -- functions that belong to one proxy, by name
local METHOD, PLAIN_METHOD, BOUND_FUNCTION, BOUND_PLAIN, SEND, LOG, OWN, FAILURE = 1, 2, 3, 4, 5, 6, 7, 9;

local type, error, getmetatable, setmetatable, rawget, rawset, rawequal, next, select =
	type, error, getmetatable, setmetatable, rawget, rawset, rawequal, next, select;
local get, set, length = py.get, py.set, py.length;

local hidden = { [OBJECT] = true, [BOUND] = true };
local proxies = setmetatable({}, { __mode = "v" }); -- id of the object -> proxy
local objects_of = setmetatable({}, { __mode = "k" }); -- function -> Python callable
local faces = setmetatable({}, { __mode = "v" }); -- id of a callable -> function
local mt = {};
local traversal;

-- Stubs -------------------------------------------------------------------------------------

local function object_of(t, name)
	local object = type(t) == "table" and rawget(t, OBJECT);
	if not object then
		error("call '" .. name .. "' with a colon on the object that it belongs to", 3);
	end
	return object;
end

local methods, plain_methods = {}, {};
local stub_names = setmetatable({}, { __mode = "k" }); -- stub -> the name of what it calls

local function method(name)
	local stub = methods[name];
	if not stub then
		function stub(self, ...) return request(py.call_method, object_of(self, name), name, ...); end
		methods[name], stub_names[stub] = stub, name;
	end
	return stub;
end

-- A plain function gives (true, results...) or (false, error).
local function results(ok, ...)
	if ok then return ...; end
	error((...), 0);
end

local function plain_method(name)
	local stub = plain_methods[name];
	if not stub then
		function stub(self, ...) return results(py.call_plain(object_of(self, name), name, ...)); end
		plain_methods[name], stub_names[stub] = stub, name;
	end
	return stub;
end

-- Functions of one object that may be called with a dot: the object may come first or not.
local function bound(t, name, call, asking)
	local cache = rawget(t, BOUND);
	if not cache then
		cache = {};
		rawset(t, BOUND, cache);
	end
	local stub = cache[name];
	if not stub then
		if asking then
			function stub(first_arg, ...)
				if rawequal(first_arg, t) then return request(call, t[OBJECT], name, ...); end
				return request(call, t[OBJECT], name, first_arg, ...);
			end
		else
			function stub(first_arg, ...)
				if rawequal(first_arg, t) then return results(call(t[OBJECT], name, ...)); end
				return results(call(t[OBJECT], name, first_arg, ...));
			end
		end
		cache[name], stub_names[stub] = stub, name;
	end
	return stub;
end

-- `ns` is the namespace of the stream, when nothing looks at what is sent there as a stanza: then
-- the text is made here, which saves a way into Python and back. From then on `t.send` is known here
-- too, until Lua writes over it. Whether Python has done so is asked when it is called: a function
-- of Lua's that has taken its place calls the one it has replaced, and means that of the class.
local stream_ns = setmetatable({}, { __mode = "k" });
local ready = { -- a function holds its proxy, which LuaJIT's weak keys alone would keep for ever
	send = setmetatable({}, { __mode = "kv" }); sends2s = setmetatable({}, { __mode = "kv" });
};
local replaced = setmetatable({}, { __mode = "k" });
local xml, stanza_mt; -- of stanza.lua

local function sender(t, name, ns)
	stream_ns[t] = ns;
	local cache = rawget(t, BOUND);
	if not cache then
		cache = {};
		rawset(t, BOUND, cache);
	end
	local stub = cache[name];
	if not stub then
		local send_now, send_text, send_later = py.send_now, py.send_text, py.send_later;
		local object = rawget(t, OBJECT);
		function stub(stanza, second)
			local is_stanza = getmetatable(stanza) == stanza_mt;
			if not is_stanza and rawequal(stanza, t) then
				stanza = second;
				is_stanza = getmetatable(stanza) == stanza_mt;
			end
			local ns, sent = stream_ns[t], nil;
			if ns and is_stanza and name == "send" and not replaced[t] then
				sent = send_text(object, xml(stanza, ns));
			else
				sent = send_now(object, name, stanza, replaced[t]);
			end
			if sent == nil then return request(send_later, object, name, stanza, replaced[t]); end
			return sent;
		end
		cache[name], stub_names[stub] = stub, name;
	end
	replaced[t] = nil;
	if ns and ready[name] then ready[name][t] = stub; end
	return stub;
end

local function logger(t)
	local cache = rawget(t, BOUND);
	if not cache then
		cache = {};
		rawset(t, BOUND, cache);
	end
	if not cache.log then
		cache.log = function (level, message, ...)
			if py.log_enabled(t[OBJECT], level) then
				py.log(t[OBJECT], level, py.format(message, ...));
			end
		end
		stub_names[cache.log] = "log";
	end
	return cache.log;
end

-- A function that was stored in one object; it may be called with a colon or a dot.
local function own_function(t, f)
	local cache = rawget(t, BOUND);
	if not cache then
		cache = {};
		rawset(t, BOUND, cache);
	end
	if not cache[f] then
		local function stub(...)
			if rawequal((...), t) then return f(select(2, ...)); end
			return f(...); -- with no arguments if there were none
		end
		objects_of[stub] = objects_of[f];
		cache[f] = stub;
	end
	return cache[f];
end

-- The proxy's metatable ---------------------------------------------------------------------

function mt.__index(t, key)
	local known = ready[key];
	if known and known[t] then return known[t]; end
	local value, code, ns = get(rawget(t, OBJECT), key);
	if code == nil then return value;
	elseif code == METHOD then return method(value);
	elseif code == PLAIN_METHOD then return plain_method(value);
	elseif code == BOUND_FUNCTION then return bound(t, value, py.call_method, true);
	elseif code == BOUND_PLAIN then return bound(t, value, py.call_plain, false);
	elseif code == SEND then return sender(t, value, ns);
	elseif code == LOG then return logger(t);
	elseif code == OWN then return own_function(t, value);
	end
	error(value, 2);
end

-- A function of the class that is given to another object, as `a.send = b.send`, is that object's
-- own again: what was written over it is taken away.
function mt.__newindex(t, key, value)
	local problem;
	if ready[key] then ready[key][t], replaced[t] = nil, true; end
	if stub_names[value] == key and key ~= nil then
		problem = py.unset(rawget(t, OBJECT), key);
	else
		problem = set(rawget(t, OBJECT), key, value);
	end
	if problem then error(problem, 2); end
end

function mt.__len(t)
	return length(rawget(t, OBJECT));
end

function mt.__tostring(t)
	return py.describe(rawget(t, OBJECT));
end

-- A proxy of the Python object; the object comes along only when there is none yet.
local function find(id)
	return proxies[id];
end

local function make(id, object)
	local t = setmetatable({ [OBJECT] = object }, mt);
	proxies[id] = t;
	return t;
end

-- A Lua function for a Python callable.
local function make_function(id, object, plain)
	local f = faces[id];
	if f and objects_of[f] == object then return f; end
	if plain then
		local call = py.call_function_plain;
		function f(...) return results(call(object, ...)); end
	else
		local call = py.call_function;
		function f(...) return request(call, object, ...); end
	end
	faces[id], objects_of[f] = f, object;
	return f;
end

mt.__pairs = function (t) return traversal.pairs(t); end;

traversal = run_file("traversal.lua", py, mt, OBJECT, hidden, additions);

return {
	connect = function (stanza, metatable) xml, stanza_mt = stanza.xml_quickly, metatable; end;
	mt = mt; OBJECT = OBJECT; hidden = hidden; find = find; make = make; proxies = proxies;
	make_function = make_function; objects_of = objects_of;
	results = results; native_next = next; raw = traversal.raw; tables = traversal.tables;
};
