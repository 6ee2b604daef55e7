-- cjson whose functions return nil and a reason instead of raising.

local cjson = require "cjson";

local safe = {};
for name, value in pairs(cjson) do safe[name] = value; end

local function answer(ok, value)
	if ok then return value; end
	return nil, value;
end

function safe.encode(value)
	return answer(pcall(cjson.encode, value));
end

function safe.decode(text)
	return answer(pcall(cjson.decode, text));
end

return safe;
