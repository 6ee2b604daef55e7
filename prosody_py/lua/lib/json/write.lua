-- Writing JSON; see util/json.lua for the forms of tables.

local type, next, tostring, tonumber, getmetatable, setmetatable, error =
	type, next, tostring, tonumber, getmetatable, setmetatable, error;
local t_concat, t_sort = table.concat, table.sort;
local s_char, s_find, s_format, s_gsub = string.char, string.find, string.format, string.gsub;
local floor = math.floor;
local math_type = math.type or function () return "float"; end;

local array_mt = getmetatable(require "util.array" {});

local MAX_DEPTH = 1000;

local null = setmetatable({}, { __tostring = function () return "null"; end });

local escapes = {
	['"'] = '\\"'; ["\\"] = "\\\\"; ["\b"] = "\\b"; ["\f"] = "\\f"; ["\n"] = "\\n"; ["\r"] = "\\r";
	["\t"] = "\\t";
};
for i = 0, 31 do
	escapes[s_char(i)] = escapes[s_char(i)] or s_format("\\u%04x", i);
end

local function encode_string(text)
	if s_find(text, '[%c"\\]') then
		text = s_gsub(text, '[%z\1-\31"\\]', escapes);
	end
	return '"' .. text .. '"';
end

local function encode_number(number)
	if math_type(number) == "integer" then return s_format("%d", number); end
	if number ~= number or number == 1 / 0 or number == -1 / 0 then return "null"; end
	if floor(number) == number and number < 1e15 and number > -1e15 then
		return s_format("%d", number);
	end
	local short = s_format("%.14g", number);
	return tonumber(short) == number and short or s_format("%.17g", number);
end

local encode_value;

local function encode_list(list, out, options, depth)
	out[#out + 1] = "[";
	for i = 1, #list do
		if i > 1 then out[#out + 1] = ","; end
		encode_value(list[i], out, options, depth);
	end
	out[#out + 1] = "]";
end

-- Sort a table into members with string keys, list items and the rest (keys and values in turn).
local function take_apart(value)
	local names, list, rest = {}, {}, {};
	local count = #value;
	for i = 1, count do list[i] = value[i]; end
	for key, item in next, value do
		if type(key) == "string" then
			names[#names + 1] = key;
		elseif type(key) ~= "number" or key < 1 or key > count or floor(key) ~= key then
			rest[#rest + 1] = key;
			rest[#rest + 1] = item;
		end
	end
	return names, list, rest;
end

local function encode_object(value, out, options, depth)
	local names, list, rest = take_apart(value);
	if list[1] ~= nil and names[1] == nil and rest[1] == nil then
		return encode_list(list, out, options, depth);
	end
	if options.ordered then t_sort(names); end
	out[#out + 1] = "{";
	local first = true;
	local function member(name, item, encode_item)
		out[#out + 1] = (first and "" or ",") .. encode_string(name) .. ":";
		first = false;
		encode_item(item, out, options, depth);
	end
	for i = 1, #names do member(names[i], value[names[i]], encode_value); end
	if rest[1] ~= nil then member("__hash", rest, encode_list); end
	if list[1] ~= nil then member("__array", list, encode_list); end
	out[#out + 1] = "}";
end

local function encode_table(value, out, options, depth)
	if rawequal(value, null) then
		out[#out + 1] = "null";
		return;
	end
	if depth > MAX_DEPTH then error("cannot encode as JSON: nested too deeply", 0); end
	local mt = getmetatable(value);
	local freeze = type(mt) == "table" and mt.__freeze;
	if freeze then value = freeze(value); end
	if mt == array_mt or (freeze and mt.__name == "set") then
		return encode_list(value, out, options, depth + 1);
	end
	return encode_object(value, out, options, depth + 1);
end

function encode_value(value, out, options, depth)
	local kind = type(value);
	if kind == "string" then
		out[#out + 1] = encode_string(value);
	elseif kind == "number" then
		out[#out + 1] = encode_number(value);
	elseif kind == "boolean" then
		out[#out + 1] = tostring(value);
	elseif kind == "table" then
		encode_table(value, out, options, depth);
	else
		out[#out + 1] = "null";
	end
end

local function encode(value)
	local out = {};
	encode_value(value, out, {}, 0);
	return t_concat(out);
end

local function encode_ordered(value)
	local out = {};
	encode_value(value, out, { ordered = true }, 0);
	return t_concat(out);
end

local function encode_array(list)
	local out = {};
	encode_list(list, out, {}, 0);
	return t_concat(out);
end

return {
	null = null; encode = encode; encode_ordered = encode_ordered; encode_array = encode_array;
};
