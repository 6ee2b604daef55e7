-- The queue of stream management (XEP-0198): what was sent and is not acknowledged.

local queue = require "util.queue";

local setmetatable = setmetatable;

local smqueue = {};
local smqueue_mt = { __index = smqueue };

-- size: how much is kept; older items are lost, and with them the stream cannot be resumed.
-- Modules reach for the field `_queue`.
local function new(size)
	return setmetatable({ size = size; _queue = queue.new(size, true); _head = 0; _tail = 0 },
		smqueue_mt);
end

function smqueue:push(item)
	self._head = self._head + 1;
	self._queue:push(item);
end

-- Acknowledge everything up to number h, which counts modulo 2^32. Return the list of what was
-- acknowledged; nil and "tail" or "head" when h is before or after what is possible.
function smqueue:ack(h)
	if h < self._tail % 0x100000000 and self._tail - h < 0x80000000 then return nil, "tail"; end
	local position = h - h % 1 + (self._tail - self._tail % 0x100000000);
	if position < self._tail then position = position + 0x100000000; end
	if position > self._head then return nil, "head"; end
	local acked = {};
	local lost = self:count_unacked() - self._queue:count();
	for _ = self._tail + lost + 1, position do acked[#acked + 1] = self._queue:pop(); end
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
	return self._queue:count() >= self:count_unacked();
end

-- Iterate over what is not acknowledged and still there: its place, from 1, and the item.
function smqueue:resume() return self._queue:items(); end

-- Take out what is not acknowledged, the oldest first.
function smqueue:consume() return self._queue:consume(); end

function smqueue:table()
	local list = {};
	for _, item in self:resume() do list[#list + 1] = item; end
	return list;
end

return { new = new; smqueue = smqueue };
