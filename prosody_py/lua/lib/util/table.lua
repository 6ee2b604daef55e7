-- Table functions that not every Lua has.

local pack = table.pack or function (...) return { n = select("#", ...), ... }; end;

local function move(from, first, last, to, target)
	target = target or from;
	if to > first then
		for i = last - first, 0, -1 do target[to + i] = from[first + i]; end
	else
		for i = 0, last - first do target[to + i] = from[first + i]; end
	end
	return target;
end

-- The sizes are only a hint, which Lua code cannot pass on.
return { create = function () return {}; end; pack = pack; move = table.move or move };
