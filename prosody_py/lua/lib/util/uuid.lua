-- UUIDs of version 4 (random) and 7 (ordered by time), RFC 9562.

local bytes = require "util.random".bytes;
local to_hex = require "util.hex".encode;
local now = require "util.time".now;
local floor = math.floor;

local function get_nibbles(count)
	return to_hex(bytes(floor((count + 1) / 2))):sub(1, count);
end

local function variant_nibble()
	return ("89ab"):sub(bytes(1):byte() % 4 + 1):sub(1, 1);
end

local function generate()
	local hex = get_nibbles(30);
	return ("%s-%s-4%s-%s%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 15),
		variant_nibble(), hex:sub(16, 18), hex:sub(19, 30));
end

local function v7()
	local milliseconds = floor(now() * 1000);
	local time = ("%06x%06x"):format(floor(milliseconds / 0x1000000), milliseconds % 0x1000000);
	local hex = get_nibbles(18);
	return ("%s-%s-7%s-%s%s-%s"):format(time:sub(1, 8), time:sub(9, 12), hex:sub(1, 3),
		variant_nibble(), hex:sub(4, 6), hex:sub(7, 18));
end

return { generate = generate; v4 = generate; v7 = v7; get_nibbles = get_nibbles };
