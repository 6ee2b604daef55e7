-- Reading JSON; see util/json.lua for the forms of tables.

local s_byte, s_char, s_find, s_match, s_sub =
	string.byte, string.char, string.find, string.match, string.sub;
local type, tonumber, getmetatable, setmetatable, error, pcall =
	type, tonumber, getmetatable, setmetatable, error, pcall;
local t_concat = table.concat;
local floor = math.floor;

local array_mt = getmetatable(require "util.array" {});
local null = require "json.write".null;

local MAX_DEPTH = 1000;

local unescapes = {
	['"'] = '"'; ["\\"] = "\\"; ["/"] = "/"; b = "\b"; f = "\f"; n = "\n"; r = "\r"; t = "\t";
};

local function utf8_char(code)
	if code < 0x80 then return s_char(code); end
	if code < 0x800 then
		return s_char(0xC0 + floor(code / 0x40), 0x80 + code % 0x40);
	elseif code < 0x10000 then
		return s_char(0xE0 + floor(code / 0x1000), 0x80 + floor(code / 0x40) % 0x40,
			0x80 + code % 0x40);
	end
	return s_char(0xF0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40,
		0x80 + floor(code / 0x40) % 0x40, 0x80 + code % 0x40);
end

-- Errors are thrown as tables, so that they cannot be taken for faults of this code.
local function fail(reason, at)
	error({ reason = reason .. " at byte " .. at }, 0);
end

-- Read the code after "\u" at `at`; a pair of surrogates is one character.
local function read_code(text, at)
	local code = tonumber(s_match(text, "^%x%x%x%x", at) or fail("invalid escape", at), 16);
	if code < 0xD800 or code > 0xDFFF then return utf8_char(code), at + 4; end
	local low = tonumber(s_match(text, "^\\u(%x%x%x%x)", at + 4) or "0", 16);
	if code > 0xDBFF or low < 0xDC00 or low > 0xDFFF then fail("invalid escape", at); end
	return utf8_char((code - 0xD800) * 0x400 + low - 0xDC00 + 0x10000), at + 10;
end

local function read_string(text, at)
	local stop = s_find(text, '["\\]', at);
	if stop and s_byte(text, stop) == 34 then return s_sub(text, at, stop - 1), stop + 1; end
	local parts = {};
	while stop do
		parts[#parts + 1] = s_sub(text, at, stop - 1);
		if s_byte(text, stop) == 34 then return t_concat(parts), stop + 1; end
		local char = s_sub(text, stop + 1, stop + 1);
		if char == "u" then
			parts[#parts + 1], at = read_code(text, stop + 2);
		else
			parts[#parts + 1] = unescapes[char] or fail("invalid escape", stop);
			at = stop + 2;
		end
		stop = s_find(text, '["\\]', at);
	end
	return fail("unterminated string", at);
end

local function read_number(text, at)
	local digits = s_match(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at);
	local number = digits and tonumber(digits);
	if not number then fail("value expected", at); end
	return number, at + #digits;
end

local function skip_space(text, at)
	return s_match(text, "^[ \t\r\n]*()", at);
end

local read_value;

local function read_array(text, at, depth)
	local list, n = setmetatable({}, array_mt), 0;
	at = skip_space(text, at);
	if s_sub(text, at, at) == "]" then return list, at + 1; end
	while true do
		n = n + 1;
		list[n], at = read_value(text, at, depth);
		at = skip_space(text, at);
		local char = s_sub(text, at, at);
		if char == "]" then return list, at + 1; end
		if char ~= "," then fail("',' or ']' expected", at); end
		at = at + 1;
	end
end

-- Put back what util.json writes for tables that are neither list nor object.
local function restore(object)
	local list, hash = object.__array, object.__hash;
	if getmetatable(list) == array_mt then
		object.__array = nil;
		for i = 1, #list do object[i] = list[i]; end
	end
	if getmetatable(hash) == array_mt then
		object.__hash = nil;
		for i = 1, #hash - 1, 2 do object[hash[i]] = hash[i + 1]; end
	end
	return object;
end

local function read_object(text, at, depth)
	local object = {};
	at = skip_space(text, at);
	if s_sub(text, at, at) == "}" then return object, at + 1; end
	while true do
		at = skip_space(text, at);
		if s_byte(text, at) ~= 34 then fail("key expected", at); end
		local key;
		key, at = read_string(text, at + 1);
		at = skip_space(text, at);
		if s_byte(text, at) ~= 58 then fail("':' expected", at); end
		object[key], at = read_value(text, at + 1, depth);
		at = skip_space(text, at);
		local char = s_sub(text, at, at);
		if char == "}" then return restore(object), at + 1; end
		if char ~= "," then fail("',' or '}' expected", at); end
		at = at + 1;
	end
end

local words = { ["true"] = true; ["false"] = false; ["null"] = null };

function read_value(text, at, depth)
	at = skip_space(text, at);
	local char = s_sub(text, at, at);
	if char == "{" or char == "[" then
		if depth >= MAX_DEPTH then fail("nested too deeply", at); end
		return (char == "{" and read_object or read_array)(text, at + 1, depth + 1);
	elseif char == '"' then
		return read_string(text, at + 1);
	end
	local word = s_match(text, "^%a+", at);
	if word then
		if words[word] == nil then fail("value expected", at); end
		return words[word], at + #word;
	end
	return read_number(text, at);
end

local function read_text(text)
	local value, at = read_value(text, 1, 0);
	if skip_space(text, at) <= #text then fail("garbage after the value", at); end
	return value;
end

-- Return the value; nil and a reason for text that is not JSON.
local function decode(text)
	if type(text) ~= "string" then
		error("bad argument #1 to 'decode' (string expected, got " .. type(text) .. ")", 2);
	end
	local ok, value = pcall(read_text, text);
	if ok then return value; end
	if type(value) ~= "table" then error(value, 0); end
	return nil, value.reason;
end

return { decode = decode };
