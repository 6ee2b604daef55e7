-- Tables as Lua source, and back. Reading never runs code.

local write = require "serialization.write";
local read = require "serialization.read";

-- serialize(value[, preset or options]); see serialization/write.lua.
local function serialize(value, options)
	return write.new(options)(value);
end

return { new = write.new; serialize = serialize; deserialize = read.deserialize };
