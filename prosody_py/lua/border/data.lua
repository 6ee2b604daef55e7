-- Values across the border: who is who, and copies of plain data.

local identities, identity, stanza_mt, proxy, key_of = ...;
local OBJECT, objects_of = proxy.OBJECT, proxy.objects_of;
local type, rawget, next, getmetatable, error, select =
	type, rawget, next, getmetatable, error, select;
local unpack = table.unpack or unpack;

-- What a table or function is to Python: a Python object (1), a stanza (2), a session that Lua has
-- made (3), an open event (4), something else of Lua's own (0). All but 1 and 4 go with an
-- identity, `fresh` if it had none.
local function identify(value, fresh)
	local kind = 0;
	if type(value) == "function" then
		local object = objects_of[value];
		if object then return 1, object; end
	else
		local object = rawget(value, OBJECT);
		if object then return 1, object; end
		local key = key_of(value);
		if key then return 4, key; end
		if rawget(value, "dispatch_stanza") then kind = 3; end
	end
	local is_stanza = getmetatable(value) == stanza_mt;
	local id = is_stanza and identity(value) or identities[value];
	if not id then
		id = fresh;
		identities[value] = id;
	end
	return is_stanza and 2 or kind, id;
end

-- The flat form of data: before each value its kind. A map is its size and its keys and values,
-- a list its size and its values.
local SCALAR, MAP, LIST, OTHER = 0, 1, 2, 3;
local CHUNK = 1000;
local MAX_DEPTH = 200;

local function build(list, at)
	local kind, value = list[at], list[at + 1];
	at = at + 2;
	if kind == SCALAR or kind == OTHER then return value, at; end
	local result = {};
	if kind == LIST then
		for i = 1, value do result[i], at = build(list, at); end
		return result, at;
	end
	for _ = 1, value do
		local key = list[at];
		result[key], at = build(list, at + 1);
	end
	return result, at;
end

local function from_flat(...) return (build({ ... }, 1)); end

local function extend(list, n, ...)
	list = list or {};
	for i = 1, select("#", ...) do list[n + i] = (select(i, ...)); end
	return list;
end

local function from_list(list) return (build(list, 1)); end

local function put(value, out, n, depth)
	if depth > MAX_DEPTH then error("this table is nested too deeply, or contains itself", 0); end
	if type(value) == "function" then
		out[n + 1], out[n + 2] = OTHER, value;
		return n + 2;
	elseif type(value) ~= "table" then
		out[n + 1], out[n + 2] = SCALAR, value;
		return n + 2;
	elseif rawget(value, OBJECT) or getmetatable(value) == stanza_mt then
		out[n + 1], out[n + 2] = OTHER, value;
		return n + 2;
	end
	local count, size = #value, 0;
	for _ in next, value do size = size + 1; end
	if size == count and count > 0 then
		out[n + 1], out[n + 2] = LIST, count;
		n = n + 2;
		for i = 1, count do n = put(value[i], out, n, depth + 1); end
		return n;
	end
	out[n + 1], out[n + 2] = MAP, size;
	n = n + 2;
	for key, item in next, value do
		out[n + 1] = key;
		n = put(item, out, n + 1, depth + 1);
	end
	return n;
end

-- The number of values, then the values themselves or the list that holds them all.
local function to_flat(value)
	local out = {};
	local n = put(value, out, 0, 0);
	if n > CHUNK then return n, out; end
	return n, unpack(out, 1, n);
end

local function slice(list, from, to) return unpack(list, from, to); end

local function get(t, key) return t[key]; end
local function set(t, key, value) t[key] = value; end
local function size(t) return #t; end

local function keys(t)
	local out, n = {}, 0;
	for key in proxy.raw.next, t do
		n = n + 1;
		out[n] = key;
	end
	return n, out;
end

return {
	identify = identify; from_flat = from_flat; extend = extend; from_list = from_list;
	raw_get = rawget; home = function (value) return value; end; to_flat = to_flat; slice = slice; get = get; set = set; size = size; keys = keys;
};
