-- Reading values that are written as Lua source: constants and table constructors, no code.

local s_find, s_match, s_sub, s_char, s_byte =
	string.find, string.match, string.sub, string.char, string.byte;
local tonumber, type, error, pcall = tonumber, type, error, pcall;
local floor = math.floor;
local t_concat = table.concat;

local MAX_DEPTH = 200;

local function fail(reason, at)
	error({ reason = reason .. " at byte " .. at }, 0);
end

local function skip(text, at)
	while true do
		at = s_match(text, "^%s*()", at);
		local long = s_match(text, "^%-%-%[%[.-%]%]()", at);
		local comment = long or s_match(text, "^%-%-[^\n]*()", at);
		if not comment then return at; end
		at = comment;
	end
end

local escapes = {
	a = "\a"; b = "\b"; f = "\f"; n = "\n"; r = "\r"; t = "\t"; v = "\v"; ["\\"] = "\\";
	['"'] = '"'; ["'"] = "'"; ["\n"] = "\n";
};

-- Return a code point as UTF-8; Lua 5.1 has no function for that.
local function utf8_char(code, at)
	if code > 0x10FFFF then fail("invalid escape", at); end
	if code < 0x80 then return s_char(code); end
	local tail, first, limit = "", 0x80, 0x40;
	while code >= limit do
		tail = s_char(0x80 + code % 0x40) .. tail;
		code = floor(code / 0x40);
		first, limit = first + limit, limit / 2;
	end
	return s_char(first % 0x100 + code) .. tail;
end

-- Read the escape after a backslash; return what it stands for and where it ends.
local function read_escape(text, at)
	local digits = s_match(text, "^%d%d?%d?", at);
	if digits then
		local code = tonumber(digits);
		if code > 255 then fail("invalid escape", at); end
		return s_char(code), at + #digits;
	end
	local hex = s_match(text, "^x(%x%x)", at);
	if hex then return s_char(tonumber(hex, 16)), at + 3; end
	local point = s_match(text, "^u{(%x%x?%x?%x?%x?%x?)}", at);
	if point then return utf8_char(tonumber(point, 16), at), at + #point + 3; end
	if s_byte(text, at) == 122 then return "", s_match(text, "^z%s*()", at); end
	local char = escapes[s_sub(text, at, at)];
	if not char then fail("invalid escape", at); end
	return char, at + 1;
end

local function read_string(text, at)
	local quote = s_sub(text, at, at);
	local parts, stop = {}, nil;
	at = at + 1;
	while true do
		stop = s_find(text, "[\\" .. quote .. "]", at);
		if not stop then fail("unterminated string", at); end
		parts[#parts + 1] = s_sub(text, at, stop - 1);
		if s_sub(text, stop, stop) == quote then return t_concat(parts), stop + 1; end
		parts[#parts + 1], at = read_escape(text, stop + 1);
	end
end

-- A text in long brackets; a line end right after them does not belong to it.
local function read_long_string(text, at)
	local level = s_match(text, "^%[(=*)%[", at);
	if not level then return nil, at; end
	local start = s_match(text, "^\r?\n()", at + #level + 2) or at + #level + 2;
	local stop = s_find(text, "]" .. level .. "]", start, true);
	if not stop then fail("unterminated string", at); end
	return s_sub(text, start, stop - 1), stop + #level + 2;
end

local words = { ["true"] = { true }; ["false"] = { false }; ["nil"] = {} };

local fractions = { ["(0/0)"] = 0 / 0; ["(-1/0)"] = -1 / 0; ["(1/0)"] = 1 / 0 };

local read_value;

local function read_table(text, at, depth)
	if depth > MAX_DEPTH then fail("nested too deeply", at); end
	local result, n = {}, 0;
	at = skip(text, at + 1);
	while s_sub(text, at, at) ~= "}" do
		local key, value;
		local name, after = s_match(text, "^([%a_][%w_]*)%s*=()", at);
		if name then
			key, at = name, after;
		elseif s_find(text, "^%[[^%[=]", at) then
			key, at = read_value(text, at + 1, depth);
			at = s_match(text, "^%]%s*=()", skip(text, at)) or fail("'] =' expected", at);
			if key == nil or key ~= key then fail("invalid key", at); end
		end
		value, at = read_value(text, at, depth);
		if key == nil then
			n = n + 1;
			key = n;
		end
		result[key] = value;
		at = skip(text, at);
		local char = s_sub(text, at, at);
		if char == ";" or char == "," then
			at = skip(text, at + 1);
		elseif char ~= "}" then
			fail("'}' expected", at);
		end
	end
	return result, at + 1;
end

function read_value(text, at, depth)
	at = skip(text, at);
	local char = s_sub(text, at, at);
	if char == "{" then return read_table(text, at, depth + 1); end
	if char == '"' or char == "'" then return read_string(text, at); end
	local word = s_match(text, "^%a+", at);
	if word and words[word] then return words[word][1], at + #word; end
	local fraction = s_match(text, "^%(%-?[01]/0%)", at) or s_match(text, "^%-?[01]/0", at);
	if fraction then
		return fractions[fraction] or fractions["(" .. fraction .. ")"], at + #fraction;
	end
	local long, after_long = read_long_string(text, at);
	if long then return long, after_long; end
	local digits = s_match(text, "^-?0[xX]%x+", at) or s_match(text, "^-?[%d.]+[eE][+-]?%d+", at)
		or s_match(text, "^-?[%d.]+", at);
	local number = digits and tonumber(digits);
	if not number then fail("value expected", at); end
	return number, at + #digits;
end

local function read_text(text)
	local value, at = read_value(text, s_match(text, "^%s*return%s()") or 1, 0);
	if skip(text, at) <= #text then fail("garbage after the value", at); end
	return value;
end

-- Return the value; nil and a reason for text that is not one value.
local function deserialize(text)
	if type(text) ~= "string" then return nil, "not a string"; end
	local ok, value = pcall(read_text, text);
	if ok then return value; end
	if type(value) ~= "table" then error(value, 0); end
	return nil, value.reason;
end

return { deserialize = deserialize };
