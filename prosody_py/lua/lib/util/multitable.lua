-- Tables of tables: the last argument of set is the value, those before it are the keys.

local select, next, type = select, next, type;

local function get(self, ...)
	local t = self.data;
	for i = 1, select("#", ...) do
		if type(t) ~= "table" then return nil; end
		t = t[(select(i, ...))];
		if t == nil then return nil; end
	end
	return t;
end

-- Return the table that holds the last key, and that key.
local function descend(self, count, ...)
	local t = self.data;
	for i = 1, count - 1 do
		local key = (select(i, ...));
		local child = t[key];
		if child == nil then
			child = {};
			t[key] = child;
		end
		t = child;
	end
	return t, (select(count, ...));
end

local function set(self, ...)
	local count = select("#", ...) - 1;
	local t, key = descend(self, count, ...);
	t[key] = (select(count + 1, ...));
end

-- Add to the list at these keys.
local function add(self, ...)
	local count = select("#", ...) - 1;
	local t, key = descend(self, count, ...);
	if t[key] == nil then t[key] = {}; end
	t[key][#t[key] + 1] = (select(count + 1, ...));
end

local function remove(self, ...)
	local count = select("#", ...);
	local path, t = {}, self.data;
	for i = 1, count do
		if type(t) ~= "table" then return; end
		path[i] = t;
		t = t[(select(i, ...))];
	end
	path[count][(select(count, ...))] = nil;
	for i = count, 2, -1 do
		if next(path[i]) ~= nil then return; end
		path[i - 1][(select(i - 1, ...))] = nil;
	end
end

-- Call found(value, keys...) for each value; a key that is nil fits any.
local function walk(t, keys, count, depth, path, found)
	if depth > count then return found(t, path); end
	if type(t) ~= "table" then return; end
	if keys[depth] ~= nil then
		local child = t[keys[depth]];
		path[depth] = keys[depth];
		if child ~= nil then walk(child, keys, count, depth + 1, path, found); end
		return;
	end
	for key, child in next, t do
		path[depth] = key;
		walk(child, keys, count, depth + 1, path, found);
	end
end

local function search_add(self, results, ...)
	walk(self.data, { ... }, select("#", ...), 1, {}, function (value)
		results[#results + 1] = value;
	end);
	return results;
end

local function search(self, ...)
	return search_add(self, {}, ...);
end

local unpack = table.unpack or unpack;

-- Iterate over keys..., value where the keys fit; the list is made at the start.
local function iter(self, ...)
	local count, results, i = select("#", ...), {}, 0;
	walk(self.data or self, { ... }, count, 1, {}, function (value, path)
		local item = {};
		for depth = 1, count do item[depth] = path[depth]; end
		item[count + 1] = value;
		results[#results + 1] = item;
	end);
	return function ()
		i = i + 1;
		if results[i] then return unpack(results[i], 1, count + 1); end
	end;
end

local function new()
	return {
		data = {}; get = get; set = set; add = add; remove = remove; search = search;
		search_add = search_add; iter = iter;
	};
end

return { new = new; iter = iter };
