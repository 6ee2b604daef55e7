-- Caches of a limited size: the head is the item that was set last, the tail the one to go next.
-- Reading an item does not move it.

local setmetatable, error, type = setmetatable, error, type;

local cache_mt = { __name = "cache" };
local methods = {};
cache_mt.__index = methods;

local function unlink(list, node)
	if node.before then node.before.after = node.after; else list._head = node.after; end
	if node.after then node.after.before = node.before; else list._tail = node.before; end
	node.before, node.after = nil, nil;
	list._count = list._count - 1;
end

local function put_first(list, node)
	node.after = list._head;
	if list._head then list._head.before = node; end
	list._head = node;
	list._tail = list._tail or node;
	list._count = list._count + 1;
end

local function drop(list, node)
	unlink(list, node);
	list._data[node.key] = nil;
end

-- Store a value (nil removes). Return false when the cache is full and nothing may be evicted.
function methods:set(key, value)
	if key == nil then error("cache key is nil", 2); end
	local node = self._data[key];
	if node then
		unlink(self, node);
		if value == nil then
			self._data[key] = nil;
		else
			node.value = value;
			put_first(self, node);
		end
		return true;
	end
	if value == nil then return true; end
	if self._count == self.size then
		local tail, on_evict = self._tail, self._on_evict;
		if on_evict == false then return false; end
		if on_evict and on_evict(tail.key, tail.value, self) == false then return false; end
		-- The callback may have changed the cache.
		if self._data[tail.key] == tail then drop(self, tail); end
	end
	node = { key = key; value = value };
	self._data[key] = node;
	put_first(self, node);
	return true;
end

function methods:get(key)
	local node = self._data[key];
	if node then return node.value; end
	return nil;
end

-- Iterate over keys and values, the one set last first.
function methods:items()
	local node;
	return function ()
		if node then node = node.after; else node = self._head; end
		if node then return node.key, node.value; end
	end;
end

function methods:values()
	local next_item = self:items();
	return function ()
		local _, value = next_item();
		return value;
	end;
end

function methods:count()
	return self._count;
end

function methods:head()
	local node = self._head;
	if node then return node.key, node.value; end
	return nil, nil;
end

function methods:tail()
	local node = self._tail;
	if node then return node.key, node.value; end
	return nil, nil;
end

function methods:resize(size)
	if type(size) ~= "number" or size < 1 then error("cache size must be greater than zero", 2); end
	local on_evict = self._on_evict;
	while self._count > size do
		local tail = self._tail;
		if on_evict == false then return false; end
		if on_evict and on_evict(tail.key, tail.value, self) == false then return false; end
		if self._data[tail.key] == tail then drop(self, tail); end
	end
	self.size = size;
	return true;
end

-- Return a table through which the cache is read and written.
function methods:table()
	self._proxy = self._proxy or setmetatable({}, {
		__index = function (_, key) return self:get(key); end;
		__newindex = function (_, key, value)
			if not self:set(key, value) then error("failed to insert key into cache: full", 2); end
		end;
		__pairs = function () return self:items(); end;
		__len = function () return self._count; end;
	});
	return self._proxy;
end

function methods:clear()
	self._data, self._head, self._tail, self._count = {}, nil, nil, 0;
end

-- on_evict(key, value, cache) is told of each item that has to go, and may answer false to keep
-- it; on_evict == false keeps everything.
local function new(size, on_evict)
	if type(size) ~= "number" then error("cache size must be a number", 2); end
	if size < 1 then error("cache size must be greater than zero", 2); end
	return setmetatable({ size = size; _on_evict = on_evict; _data = {}; _count = 0 }, cache_mt);
end

return { new = new };
