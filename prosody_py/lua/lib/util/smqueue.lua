-- The queue of stream management (XEP-0198): what was sent and is not acknowledged.

local setmetatable = setmetatable;

local smqueue = {};
local smqueue_mt = { __index = smqueue };

-- size: how much is kept; older items are lost, and with them the stream cannot be resumed.
local function new(size)
	return setmetatable({ size = size; _items = {}; _head = 0; _tail = 0 }, smqueue_mt);
end

function smqueue:push(item)
	self._head = self._head + 1;
	self._items[self._head] = item;
	local lost = self._head - self.size;
	if lost > 0 then self._items[lost] = nil; end
end

-- Acknowledge everything up to number h, which counts modulo 2^32. Return the list of what was
-- acknowledged; nil and "tail" or "head" when h is before or after what is possible.
function smqueue:ack(h)
	if h < self._tail % 0x100000000 and self._tail - h < 0x80000000 then return nil, "tail"; end
	local position = h - h % 1 + (self._tail - self._tail % 0x100000000);
	if position < self._tail then position = position + 0x100000000; end
	if position > self._head then return nil, "head"; end
	local acked = {};
	for i = self._tail + 1, position do
		if self._items[i] ~= nil then
			acked[#acked + 1] = self._items[i];
			self._items[i] = nil;
		end
	end
	self._tail = position;
	return acked;
end

function smqueue:count_unacked()
	return self._head - self._tail;
end

function smqueue:count_acked()
	return self._tail;
end

-- Whether everything that is not acknowledged is still there.
function smqueue:resumable()
	return self:count_unacked() <= self.size;
end

-- Iterate over what is not acknowledged and still there: its place, from 1, and the item.
function smqueue:resume()
	local i, place = self._tail, 0;
	return function ()
		i = i + 1;
		while i <= self._head and self._items[i] == nil do i = i + 1; end
		place = place + 1;
		if i <= self._head then return place, self._items[i], i; end
	end;
end

-- Take out what is not acknowledged, the oldest first.
function smqueue:consume()
	local resume = self:resume();
	return function ()
		local place, item, i = resume();
		if not place then return nil; end
		self._items[i] = nil;
		self._tail = i;
		return place, item;
	end;
end

function smqueue:table()
	local list = {};
	for _, item in self:resume() do list[#list + 1] = item; end
	return list;
end

return { new = new; smqueue = smqueue };
