-- Binary heaps with a handle to each item: the smallest priority comes out first.

local setmetatable, floor = setmetatable, math.floor;

local heap = {};
local heap_mt = { __index = heap };

local function create()
	return setmetatable({ _items = {}; _serial = 0; _positions = {} }, heap_mt);
end

local function place(self, i, entry)
	self._items[i] = entry;
	self._positions[entry.id] = i;
end

local function up(self, i, entry)
	local items = self._items;
	while i > 1 do
		local parent = floor(i / 2);
		if items[parent].priority <= entry.priority then break; end
		place(self, i, items[parent]);
		i = parent;
	end
	place(self, i, entry);
	return i;
end

local function down(self, i, entry)
	local items, count = self._items, #self._items;
	while i * 2 <= count do
		local child = i * 2;
		if child < count and items[child + 1].priority < items[child].priority then child = child + 1; end
		if items[child].priority >= entry.priority then break; end
		place(self, i, items[child]);
		i = child;
	end
	place(self, i, entry);
end

-- Return the handle.
function heap:insert(item, priority)
	self._serial = self._serial + 1;
	up(self, #self._items + 1, { item = item; priority = priority; id = self._serial });
	return self._serial;
end

-- Return priority, item and handle of the first.
function heap:peek()
	local first = self._items[1];
	if first then return first.priority, first.item, first.id; end
	return nil;
end

-- Take out by handle. Return priority, item and handle.
function heap:remove(id)
	local i = self._positions[id];
	if not i then return nil; end
	local items, count = self._items, #self._items;
	local entry, last = items[i], items[count];
	items[count], self._positions[id] = nil, nil;
	if entry ~= last then down(self, up(self, i, last), last); end
	return entry.priority, entry.item, entry.id;
end

function heap:pop()
	local first = self._items[1];
	if first then return self:remove(first.id); end
	return nil;
end

function heap:reprioritize(id, priority)
	local i = self._positions[id];
	if not i then return; end
	local entry = self._items[i];
	entry.priority = priority;
	down(self, up(self, i, entry), entry);
end

return { create = create };
