-- Work with iterators: what for ... in takes, three values (function, state, first control).

local next, select, setmetatable, type = next, select, setmetatable, type;
local t_sort = table.sort;
local pack = table.pack or function (...) return { n = select("#", ...), ... }; end;
local unpack = table.unpack or unpack;

local it = {};

-- Call the result for all values that the iterator has, from last to first.
function it.reverse(f, state, var)
	local results = {};
	while true do
		local values = pack(f(state, var));
		var = values[1];
		if var == nil then break; end
		results[#results + 1] = values;
	end
	local i = #results + 1;
	return function ()
		i = i - 1;
		if i > 0 then return unpack(results[i], 1, results[i].n); end
	end;
end

local function next_key(state, key)
	return (next(state, key));
end

function it.keys(t)
	return next_key, t;
end

function it.values(t)
	local key, value;
	return function (state)
		key, value = next(state, key);
		return value;
	end, t;
end

function it.sorted_pairs(t, before)
	local keys = it.to_array(it.keys(t));
	t_sort(keys, before);
	local i = 0;
	return function ()
		i = i + 1;
		local key = keys[i];
		if key ~= nil then return key, t[key]; end
	end;
end

function it.count(f, state, var)
	local n = 0;
	while true do
		var = f(state, var);
		if var == nil then return n; end
		n = n + 1;
	end
end

-- The first n items.
function it.head(n, f, state, var)
	local seen = 0;
	return function (s, v)
		if seen >= n then return nil; end
		seen = seen + 1;
		return f(s, v);
	end, state, var;
end

function it.skip(n, f, state, var)
	for _ = 1, n do
		var = f(state, var);
		if var == nil then break; end
	end
	return f, state, var;
end

-- The last n items.
function it.tail(n, f, state, var)
	local ring, count = {}, 0;
	while true do
		local values = pack(f(state, var));
		var = values[1];
		if var == nil then break; end
		ring[count % n] = values;
		count = count + 1;
	end
	local i = count > n and count - n or 0;
	return function ()
		if i >= count then return nil; end
		local values = ring[i % n];
		i = i + 1;
		return unpack(values, 1, values.n);
	end;
end

-- Items that pass: `want` is a function, or one value to be left out.
function it.filter(want, f, state, var)
	if type(want) ~= "function" then
		local unwanted = want;
		want = function (value) return value ~= unwanted; end;
	end
	local function pass(s, ...)
		local v = ...;
		if v == nil then return nil; end
		if want(...) then return ...; end
		return pass(s, f(s, v));
	end
	return function (s, v) return pass(s, f(s, v)); end, state, var;
end

local function drop(state)
	return function (...) return select(state, ...); end;
end

-- The nth value of each item.
function it.select(n, f, state, var)
	local pick = drop(n);
	return function (s)
		local values = pack(f(s, var));
		var = values[1];
		if var == nil then return nil; end
		return pick(unpack(values, 1, values.n));
	end, state, var;
end

-- Leave out items seen before.
function it.unique(f, state, var)
	local seen = {};
	return it.filter(function (value)
		if seen[value] then return false; end
		seen[value] = true;
		return true;
	end, f, state, var);
end

-- Whole numbers from x to y, or from 1 to x.
function it.range(x, y)
	if not y then x, y = 1, x; end
	local i = x - 1;
	return function ()
		i = i + 1;
		if i <= y then return i; end
	end;
end

-- ipairs backwards.
function it.ripairs(t)
	local function previous(list, i)
		i = i - 1;
		if i > 0 then return i, list[i]; end
	end
	return previous, t, #t + 1;
end

function it.to_array(f, state, var)
	local list = {};
	while true do
		var = f(state, var);
		if var == nil then return list; end
		list[#list + 1] = var;
	end
end

function it.to_table(f, state, var)
	local t = {};
	while true do
		local key, value = f(state, var);
		if key == nil then return t; end
		t[key] = value;
		var = key;
	end
end

-- Several iterators in turn: for x in it.join(f, s, v):append(g, t, w) do.
local joined_mt = { __index = {} };

function joined_mt.__index:append(f, state, var)
	self[#self + 1] = { f, state, var };
	return self;
end

function joined_mt.__index:prepend(f, state, var)
	table.insert(self, 1, { f, state, var });
	return self;
end

local function step(self, v, ...)
	if v ~= nil then
		self[1][3] = v;
		return v, ...;
	end
	table.remove(self, 1);
	if self[1] then return self(); end
	return nil;
end

function joined_mt:__call()
	local current = self[1];
	if not current then return nil; end
	return step(self, current[1](current[2], current[3]));
end

function it.join(f, state, var)
	return setmetatable({ { f, state, var } }, joined_mt);
end

return it;
