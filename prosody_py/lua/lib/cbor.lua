-- Concise binary data (RFC 8949): encode(value), decode(bytes).
--
-- A table with something at 1 is an array, any other one a map; strings are text where they are
-- UTF-8, bytes else. null and undefined are values of their own; tags are left out on reading.

local struct = require "util.struct";
local utf8_valid = require "util.encodings".utf8.valid;
local argument = require "argument";

local error, getmetatable, pairs, setmetatable, tostring, type =
	error, getmetatable, pairs, setmetatable, tostring, type;
local math_floor, math_huge = math.floor, math.huge;
local s_byte, s_char, s_sub = string.byte, string.char, string.sub;
local t_concat, t_insert = table.concat, table.insert;
local math_type = math.type;

local MAX_DEPTH = 200;
local MAX_INTEGER = 2 ^ 53;

local function simple(name)
	return setmetatable({}, { __tostring = function () return name; end; __name = name });
end
local null, undefined = simple("null"), simple("undefined");

-- Writing ---------------------------------------------------------------------------------------

-- The first byte of an item: its major type (0 to 7) and its number.
local function head(major, number)
	local first = major * 32;
	if number < 24 then return s_char(first + number);
	elseif number < 256 then return s_char(first + 24, number);
	elseif number < 65536 then return s_char(first + 25) .. struct.pack(">I2", number);
	elseif number < 4294967296 then return s_char(first + 26) .. struct.pack(">I4", number);
	end
	return s_char(first + 27) .. struct.pack(">I8", number);
end

local function is_integer(number)
	if math_type then return math_type(number) == "integer"; end
	return number == math_floor(number) and number >= -MAX_INTEGER and number <= MAX_INTEGER;
end

local function put_number(number)
	if not is_integer(number) then return "\251" .. struct.pack(">d", number); end
	if number >= 0 then return head(0, number); end
	return head(1, -1 - number);
end

local put;

local function put_table(value, out, depth)
	if depth > MAX_DEPTH then error("cbor: nested too deeply", 0); end
	local mt = getmetatable(value);
	if type(mt) == "table" and mt.__tocbor then
		return t_insert(out, mt.__tocbor(value));
	end
	if value[1] ~= nil then
		t_insert(out, head(4, #value));
		for i = 1, #value do put(value[i], out, depth + 1); end
		return;
	end
	local count, parts = 0, {};
	for key, item in pairs(value) do
		count = count + 1;
		put(key, parts, depth + 1);
		put(item, parts, depth + 1);
	end
	t_insert(out, head(5, count) .. t_concat(parts));
end

function put(value, out, depth)
	local kind = type(value);
	if value == nil or value == null then t_insert(out, "\246");
	elseif value == undefined then t_insert(out, "\247");
	elseif kind == "boolean" then t_insert(out, value and "\245" or "\244");
	elseif kind == "number" then t_insert(out, put_number(value));
	elseif kind == "string" then t_insert(out, head(utf8_valid(value) and 3 or 2, #value) .. value);
	elseif kind == "table" then put_table(value, out, depth);
	else error("cbor: a " .. kind .. " cannot be encoded", 0); end
end

local function encode(value)
	local out = {};
	put(value, out, 1);
	return t_concat(out);
end

-- Reading ---------------------------------------------------------------------------------------

local function fail(reason) error("cbor: " .. reason, 0); end

local function take(data, at, count)
	if at + count - 1 > #data then fail("the data ends too early"); end
	return s_sub(data, at, at + count - 1), at + count;
end

local SIZES = { [24] = 1; [25] = 2; [26] = 4; [27] = 8 };

-- Return the number of a head, nil for "until the break"; raises for reserved ones.
local function read_number(data, at, info)
	if info < 24 then return info, at; end
	if info == 31 then return nil, at; end
	local size = SIZES[info];
	if not size then fail("reserved length"); end
	local bytes;
	bytes, at = take(data, at, size);
	return (struct.unpack(">I" .. size, bytes)), at;
end

local function half(bits)
	local sign = bits >= 32768 and -1 or 1;
	local exponent, fraction = math_floor(bits / 1024) % 32, bits % 1024;
	if exponent == 0 then return sign * fraction * 2 ^ -24; end
	if exponent == 31 then return fraction == 0 and sign * math_huge or 0 / 0; end
	return sign * (1 + fraction / 1024) * 2 ^ (exponent - 15);
end

local BREAK = {};
local read;

local function read_string(data, at, length, major, depth)
	if length then return take(data, at, length); end
	local parts, part = {}, nil;
	while true do
		local first = s_byte(data, at);
		if first and first ~= 255 and math_floor(first / 32) ~= major then
			fail("a part of another kind");
		end
		part, at = read(data, at, depth + 1);
		if part == BREAK then return t_concat(parts), at; end
		t_insert(parts, part);
	end
end

local function read_array(data, at, length, depth)
	local list, value, count = {}, nil, 0;
	while not length or count < length do
		value, at = read(data, at, depth + 1);
		if value == BREAK then
			if length then fail("unexpected break"); end
			break;
		end
		count = count + 1;
		list[count] = value;
	end
	return list, at;
end

local function read_map(data, at, length, depth)
	local map, key, value, count = {}, nil, nil, 0;
	while not length or count < length do
		key, at = read(data, at, depth + 1);
		if key == BREAK then
			if length then fail("unexpected break"); end
			break;
		end
		value, at = read(data, at, depth + 1);
		if value == BREAK then fail("unexpected break"); end
		if key == nil or key ~= key then fail("a map has an impossible key"); end
		map[key] = value;
		count = count + 1;
	end
	return map, at;
end

local function read_simple(data, at, info, number)
	if info == 20 then return false, at;
	elseif info == 21 then return true, at;
	elseif info == 22 then return null, at;
	elseif info == 23 then return undefined, at;
	elseif info == 25 then return half(number), at;
	elseif info == 26 then return (struct.unpack(">f", s_sub(data, at - 4, at - 1))), at;
	elseif info == 27 then return (struct.unpack(">d", s_sub(data, at - 8, at - 1))), at;
	elseif info == 31 then return BREAK, at;
	end
	return fail("unknown simple value " .. tostring(number));
end

function read(data, at, depth)
	if depth > MAX_DEPTH then fail("nested too deeply"); end
	local first = s_byte(data, at);
	if not first then fail("the data ends too early"); end
	local major, info, number = math_floor(first / 32), first % 32, nil;
	number, at = read_number(data, at + 1, info);
	if major == 7 then return read_simple(data, at, info, number); end
	if number == nil and (major < 2 or major == 6) then fail("reserved length"); end
	if number and number < 0 then fail("a length is out of range"); end
	if major == 0 then return number, at;
	elseif major == 1 then return -1 - number, at;
	elseif major == 2 or major == 3 then return read_string(data, at, number, major, depth);
	elseif major == 4 then return read_array(data, at, number, depth);
	elseif major == 5 then return read_map(data, at, number, depth);
	end
	return read(data, at, depth + 1); -- what a tag stands before
end

-- Return the value; raises an error for bad data.
local function decode(data)
	local value, at = read(argument.string(data, 1, "decode"), 1, 1);
	if value == BREAK then fail("unexpected break"); end
	if at <= #data then fail("data after the value"); end
	return value;
end

return { encode = encode; decode = decode; null = null; undefined = undefined };
