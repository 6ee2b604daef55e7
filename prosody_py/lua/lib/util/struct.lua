-- Numbers and strings as bytes: pack(format, ...), unpack(format, data[, position]), size(format).
-- The letters of formats are in prosody_py/lua/native/packing.py.

local native = require "native.packing";
local argument = require "argument";

local error, select, type = error, select, type;

local function fail(name, position, reason)
	error("bad argument #" .. position .. " to 'util.struct." .. name .. "' (" .. reason .. ")", 3);
end

local function pack(format, ...)
	format = argument.string(format, 1, "pack");
	local data, reason, number = native.pack(format, ...);
	if data == nil then
		fail("pack", number > 0 and reason:find("expected", 1, true) and number + 1 or 1, reason);
	end
	return data;
end

local function checked(name, first, ...)
	if first == nil and type((...)) == "string" then fail(name, name == "size" and 1 or 2, (...)); end
	return first, ...;
end

local function unpack(format, data, position)
	format, data = argument.string(format, 1, "unpack"), argument.string(data, 2, "unpack");
	return checked("unpack", native.unpack(format, data, position or 1));
end

local function size(format)
	return checked("size", native.size(argument.string(format, 1, "size")));
end

return { pack = pack; unpack = unpack; size = size };
