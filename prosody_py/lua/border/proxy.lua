-- Python objects as tables: one metatable, and a hidden field that holds the object.
--
-- A proxy is found again by the object's id as long as Lua holds it; the object lives as long as
-- its proxy. `next`, `pairs`, `rawget` ... of the modules' environment know proxies; nothing in
-- Lua gets hold of the object itself.

local py, request = ...;
local OBJECT = {}; -- the hidden field
local BOUND = {}; -- functions that belong to one proxy, by name
local METHOD, PLAIN_METHOD, BOUND_FUNCTION, BOUND_PLAIN, SEND, LOG, OWN, FAILURE = 1, 2, 3, 4, 5, 6, 7, 9;

local type, error, setmetatable, getmetatable, rawget, rawset, rawequal, next, select, tostring =
	type, error, setmetatable, getmetatable, rawget, rawset, rawequal, next, select, tostring;
local unpack = table.unpack or unpack;
local get, set, keys, length, first = py.get, py.set, py.keys, py.length, py.first;

local proxies = setmetatable({}, { __mode = "v" }); -- id of the object -> proxy
local objects_of = setmetatable({}, { __mode = "k" }); -- function -> Python callable
local faces = setmetatable({}, { __mode = "v" }); -- id of a callable -> function
local mt = {};

-- Stubs -------------------------------------------------------------------------------------

local function object_of(t, name)
	local object = type(t) == "table" and rawget(t, OBJECT);
	if not object then
		error("call '" .. name .. "' with a colon on the object that it belongs to", 3);
	end
	return object;
end

local methods, plain_methods = {}, {};

local function method(name)
	local stub = methods[name];
	if not stub then
		function stub(self, ...) return request(py.call_method, object_of(self, name), name, ...); end
		methods[name] = stub;
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
		plain_methods[name] = stub;
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
		cache[name] = stub;
	end
	return stub;
end

local function sender(t, name)
	local cache = rawget(t, BOUND);
	if not cache then
		cache = {};
		rawset(t, BOUND, cache);
	end
	if not cache[name] then
		local send_now, send_later = py.send_now, py.send_later;
		cache[name] = function (stanza, second)
			if rawequal(stanza, t) then stanza = second; end
			local sent = send_now(t[OBJECT], name, stanza);
			if sent == nil then return request(send_later, t[OBJECT], name, stanza); end
			return sent;
		end
	end
	return cache[name];
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
		local function stub(first_arg, ...)
			if rawequal(first_arg, t) then return f(...); end
			return f(first_arg, ...);
		end
		objects_of[stub] = objects_of[f];
		cache[f] = stub;
	end
	return cache[f];
end

-- The proxy's metatable ---------------------------------------------------------------------

function mt.__index(t, key)
	local value, code = get(rawget(t, OBJECT), key);
	if code == nil then return value;
	elseif code == METHOD then return method(value);
	elseif code == PLAIN_METHOD then return plain_method(value);
	elseif code == BOUND_FUNCTION then return bound(t, value, py.call_method, true);
	elseif code == BOUND_PLAIN then return bound(t, value, py.call_plain, false);
	elseif code == SEND then return sender(t, value);
	elseif code == LOG then return logger(t);
	elseif code == OWN then return own_function(t, value);
	end
	error(value, 2);
end

function mt.__newindex(t, key, value)
	local problem = set(rawget(t, OBJECT), key, value);
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

-- Raw access and traversal that see through proxies -------------------------------------------

local raw = {};

function raw.rawget(t, key)
	if getmetatable(t) == mt then return t[key]; end
	return rawget(t, key);
end

function raw.rawset(t, key, value)
	if getmetatable(t) == mt then
		t[key] = value;
		return t;
	end
	return rawset(t, key, value);
end

-- The keys of a proxy as they were when a traversal began.
local snapshots = setmetatable({}, { __mode = "k" });

local function take_snapshot(t)
	local list, at = {}, {};
	local count = 0;
	local function add(...)
		for i = 1, select("#", ...) do
			local key = select(i, ...);
			count = count + 1;
			list[count], at[key] = key, count;
		end
	end
	local object = rawget(t, OBJECT);
	repeat
		local before = count;
		add(keys(object, count));
	until count == before;
	local snapshot = { list = list, at = at };
	snapshots[t] = snapshot;
	return snapshot;
end

local function proxy_next(t, key)
	if key == nil then
		local key1, value1 = first(rawget(t, OBJECT));
		if key1 == nil then return nil; end
		snapshots[t] = nil;
		if value1 == nil then value1 = t[key1]; end
		if value1 ~= nil then return key1, value1; end
		key = key1;
	end
	local snapshot = snapshots[t];
	if not snapshot or not snapshot.at[key] then snapshot = take_snapshot(t); end
	local i = snapshot.at[key];
	if not i then return nil; end
	while true do
		i = i + 1;
		local following = snapshot.list[i];
		if following == nil then return nil; end
		local value = t[following];
		if value ~= nil then return following, value; end
	end
end

local hidden = { [OBJECT] = true, [BOUND] = true };

function raw.next(t, key)
	if type(t) == "table" and getmetatable(t) == mt then return proxy_next(t, key); end
	local following, value = next(t, key);
	while following ~= nil and hidden[following] do following, value = next(t, following); end
	return following, value;
end

local native_pairs = pairs;

function raw.pairs(t)
	local meta = getmetatable(t);
	if meta == mt then
		local snapshot = take_snapshot(t);
		local i = 0;
		return function ()
			while true do
				i = i + 1;
				local key = snapshot.list[i];
				if key == nil then return nil; end
				local value = t[key];
				if value ~= nil then return key, value; end
			end
		end, t, nil;
	elseif type(meta) == "table" and meta.__pairs then
		return meta.__pairs(t);
	elseif type(t) ~= "table" then
		return native_pairs(t);
	end
	return raw.next, t, nil;
end

mt.__pairs = raw.pairs;

local function step(t, i)
	i = i + 1;
	local value = t[i];
	if value ~= nil then return i, value; end
end

function raw.ipairs(t)
	if type(t) ~= "table" then error("bad argument #1 to 'ipairs' (table expected, got " .. type(t) .. ")", 2); end
	return step, t, 0;
end

function raw.rawlen(t)
	if getmetatable(t) == mt then return length(rawget(t, OBJECT)); end
	local count = #t;
	return count;
end

function raw.getmetatable(t)
	local meta = getmetatable(t);
	if meta == mt then return nil; end
	return meta;
end

function raw.setmetatable(t, meta)
	if type(t) == "table" and getmetatable(t) == mt then return t; end
	return setmetatable(t, meta);
end

local concat, t_unpack, t_sort = table.concat, unpack, table.sort;
local tables = {};
for name, value in next, table do tables[name] = value; end

-- The table functions of LuaJIT do not know metatables, so proxies go through a copy.
local function copy_list(t)
	if type(t) ~= "table" or getmetatable(t) ~= mt then return t; end
	local copy = {};
	for i = 1, length(rawget(t, OBJECT)) do copy[i] = t[i]; end
	return copy;
end

function tables.concat(t, ...) return concat(copy_list(t), ...); end
function tables.unpack(t, ...) return t_unpack(copy_list(t), ...); end
function tables.sort(t, compare)
	local copy = copy_list(t);
	t_sort(copy, compare);
	if copy ~= t then
		for i = 1, #copy do t[i] = copy[i]; end
	end
end

local t_insert, t_remove = table.insert, table.remove;

function tables.insert(t, ...)
	if type(t) ~= "table" or getmetatable(t) ~= mt then return t_insert(t, ...); end
	local count = length(rawget(t, OBJECT));
	if select("#", ...) == 1 then
		t[count + 1] = (...);
		return;
	end
	local at, value = ...;
	for i = count, at, -1 do t[i + 1] = t[i]; end
	t[at] = value;
end

function tables.remove(t, at)
	if type(t) ~= "table" or getmetatable(t) ~= mt then
		if at == nil then return t_remove(t); end
		return t_remove(t, at);
	end
	local count = length(rawget(t, OBJECT));
	at = at or count;
	local value = t[at];
	for i = at, count - 1 do t[i] = t[i + 1]; end
	if at <= count and count > 0 then t[count] = nil; end
	return value;
end

return {
	mt = mt; OBJECT = OBJECT; hidden = hidden; find = find; make = make; proxies = proxies;
	make_function = make_function; objects_of = objects_of; raw = raw; tables = tables;
	results = results;
};
