-- Random bytes from the system's generator.

local native = require "native.random";

local function bytes(count)
	local data = native.bytes(count);
	if not data then error("bad argument #1 to 'bytes' (number of bytes expected)", 2); end
	return data;
end

return { bytes = bytes; _source = "system" };
