-- First in, first out, with a limit.

-- wrapping: a full queue drops its oldest item for a new one.
local function new(size, wrapping)
	local items, first, count = {}, 1, 0;
	size = size or 1 / 0;
	local queue = { size = size; _items = items };

	local function slot(i)
		return (first + i - 2) % size + 1;
	end

	function queue.count() return count; end

	function queue.push(_, item)
		if count >= size then
			if not wrapping then return nil, "queue full"; end
			queue:pop();
		end
		count = count + 1;
		items[slot(count)] = item;
		return true;
	end

	function queue.pop()
		if count == 0 then return nil; end
		local item = items[first];
		items[first] = nil;
		first = first % size + 1;
		count = count - 1;
		return item;
	end

	function queue.peek()
		if count == 0 then return nil; end
		return items[first];
	end

	-- Put something in place of the oldest item.
	function queue.replace(_, item)
		items[first] = item;
		if count == 0 then count = 1; end
		return true;
	end

	function queue.items()
		return function (_, i)
			i = i + 1;
			if i <= count then return i, items[slot(i)]; end
		end, queue, 0;
	end

	function queue.consume()
		return queue.pop, queue;
	end

	return queue;
end

return { new = new };
