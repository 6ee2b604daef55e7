-- Sets of any values except nil. The members are the keys of the field `_items`.

local next, type, tostring, getmetatable, setmetatable, ipairs =
	next, type, tostring, getmetatable, setmetatable, ipairs;
local t_concat = table.concat;

local set = {};
set.__index = set;
set.__name = "set";

local function is_set(value)
	return getmetatable(value) == set;
end

local function new(list)
	local items = {};
	if type(list) == "table" then
		for _, item in ipairs(list) do items[item] = true; end
	end
	return setmetatable({ _items = items }, set);
end

function set:add(item)
	self._items[item] = true;
end

function set:contains(item)
	return self._items[item];
end

function set:contains_set(other)
	for item in next, other._items do
		if not self._items[item] then return false; end
	end
	return true;
end

function set:items()
	return next, self._items;
end

function set:remove(item)
	self._items[item] = nil;
end

function set:add_list(list)
	if list then
		for _, item in ipairs(list) do self._items[item] = true; end
	end
end

function set:include(other)
	for item in next, other._items do self._items[item] = true; end
end

function set:exclude(other)
	for item in next, other._items do self._items[item] = nil; end
end

function set:empty()
	return next(self._items) == nil;
end

local function union(a, b)
	local result = new();
	result:include(a);
	result:include(b);
	return result;
end

local function difference(a, b)
	local result = new();
	for item in next, a._items do
		if not b._items[item] then result._items[item] = true; end
	end
	return result;
end

local function intersection(a, b)
	local result = new();
	for item in next, a._items do
		if b._items[item] then result._items[item] = true; end
	end
	return result;
end

local function xor(a, b)
	return union(difference(a, b), difference(b, a));
end

set.__add, set.__sub = union, difference;

function set.__eq(a, b)
	if getmetatable(a) ~= set or getmetatable(b) ~= set then return false; end
	return a:contains_set(b) and b:contains_set(a);
end

-- `set / function` keeps what the function makes of each item, nil leaves it out.
set.__div = function (a, b)
	if type(b) ~= "function" then return intersection(a, b); end
	local result = new();
	for item in next, a._items do
		local kept = b(item);
		if kept ~= nil then result._items[kept] = true; end
	end
	return result;
end;

-- A set is an iterator over its items: `for item in items do`, array.collect(items).
function set.__call(self, _, item)
	return (next(self._items, item));
end

function set.__tostring(self)
	local texts = {};
	for item in next, self._items do texts[#texts + 1] = tostring(item); end
	return t_concat(texts, ", ");
end

-- Stores and JSON writers get the members as a list.
function set.__freeze(self)
	local list = {};
	for item in next, self._items do list[#list + 1] = item; end
	return list;
end

return {
	new = new; is_set = is_set; union = union; difference = difference;
	intersection = intersection; xor = xor;
};
