-- luaossl's random numbers.

local bytes = require "util.random".bytes;

-- An integer from 0 to limit - 1.
local function uniform(limit)
	local value = 0;
	for byte in bytes(6):gmatch(".") do value = value * 256 + byte:byte(); end
	return limit and value % limit or value;
end

return { bytes = bytes; uniform = uniform; ready = function () return true; end };
