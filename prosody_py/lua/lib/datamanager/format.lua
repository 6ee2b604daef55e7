-- The text of a value and of a list. Reading runs Lua's own parser on it, with nothing in reach.

local serialize = require "util.serialization".serialize;
local deserialize = require "util.serialization".deserialize;
local load, pcall, tostring = load, pcall, tostring;
local s_find, s_sub = string.find, string.sub;

local BLOCK = 64 * 1024; -- LuaJIT takes 65536 constants in one piece of code

local function write_value(value) return "return " .. serialize(value) .. ";\n"; end
local function write_item(value) return "item(" .. serialize(value) .. ");\n"; end

-- The value of a text; nil and a reason for one that is none.
local function read_value(text)
	local chunk, err = load(text, "=data", "t", {});
	if not chunk then -- more than Lua takes at once, or no value at all
		local value = deserialize((text:gsub(";%s*$", "")));
		if value == nil then return nil, tostring(err); end
		return value;
	end
	local ok, value = pcall(chunk);
	if ok then return value; end
	return nil, tostring(value);
end

-- Items begin at the beginning of a line, and nothing inside of one does that looks the same.
local function next_block(text, from)
	if #text - from < BLOCK then return #text; end
	return (s_find(text, "\nitem(", from + BLOCK, true)) or #text;
end

local function read_list(text)
	local list, n, at = {}, 0, 1;
	local environment = { item = function (value)
		n = n + 1;
		list[n] = value;
	end };
	while at <= #text do
		local stop = next_block(text, at);
		local chunk, err = load(s_sub(text, at, stop), "=data", "t", environment);
		if not chunk then return nil, tostring(err); end
		local ok, reason = pcall(chunk);
		if not ok then return nil, tostring(reason); end
		at = stop + 1;
	end
	return list;
end

return {
	write_value = write_value; write_item = write_item; read_value = read_value;
	read_list = read_list;
};
