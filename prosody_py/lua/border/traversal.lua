-- Raw access, traversal and the functions of `table` that see through proxies.

local py, mt, OBJECT, hidden, additions = ...;
local type, error, setmetatable, getmetatable, rawget, rawset, next, select =
	type, error, setmetatable, getmetatable, rawget, rawset, next, select;
local unpack = table.unpack or unpack;
local keys, length, first = py.keys, py.length, py.first;
local noted, noting = additions.noted, additions.mt;

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
	noted.count = noted.count + 1;
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
	for key in next, hidden do
		if rawget(t, key) ~= nil then return raw.next, t, nil; end
	end
	return next, t, nil;
end

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
	if meta == mt or meta == noting then return nil; end
	return meta;
end

function raw.setmetatable(t, meta)
	if type(t) == "table" then
		local present = getmetatable(t);
		if present == mt then return t; end
		if present == noting then noted.count = noted.count + 1; end
	end
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

return { raw = raw, tables = tables, pairs = raw.pairs };
