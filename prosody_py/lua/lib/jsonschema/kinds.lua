-- What kinds of JSON a value can be, and comparing values: for util.jsonschema.

local json = require "util.json";

local getmetatable, next, pairs, type = getmetatable, next, pairs, type;
local math_floor, math_huge = math.floor, math.huge;
local s_gsub = string.gsub;

local MAX_DEPTH = 200;
local array_mt = getmetatable(json.decode("[]"));

local function is_list(value)
	return type(value) == "table" and value ~= json.null
		and (getmetatable(value) == array_mt or value[1] ~= nil or next(value) == nil);
end

local function is_object(value)
	return type(value) == "table" and value ~= json.null and getmetatable(value) ~= array_mt
		and value[1] == nil;
end

local function is_integer(value)
	return type(value) == "number" and value == math_floor(value) and value ~= math_huge
		and value ~= -math_huge;
end

local TYPES = {
	null = function (value) return value == nil or value == json.null; end;
	boolean = function (value) return type(value) == "boolean"; end;
	string = function (value) return type(value) == "string"; end;
	number = function (value) return type(value) == "number"; end;
	integer = is_integer; array = is_list; object = is_object;
};

-- Whether two values are the same JSON; call with depth 1.
local function equal(a, b, depth)
	if a == b then return true; end
	if type(a) ~= "table" or type(b) ~= "table" or a == json.null or b == json.null
			or depth > MAX_DEPTH then
		return false;
	end
	for key, value in pairs(a) do
		if not equal(value, b[key], depth + 1) then return false; end
	end
	for key in pairs(b) do
		if a[key] == nil then return false; end
	end
	return true;
end

-- The number of characters in a text.
local function length(text)
	local _, count = s_gsub(text, "[^\128-\191]", "");
	return count;
end

local function count_keys(object)
	local count = 0;
	for _ in pairs(object) do count = count + 1; end
	return count;
end

return {
	types = TYPES; is_list = is_list; is_object = is_object; is_integer = is_integer; equal = equal;
	length = length; count_keys = count_keys;
};
