-- Checks for the parts of a stanza: what passes here can be written as XML.

local raw = require "native.raw";
local type, error, pairs, next, getmetatable = type, error, pairs, raw.next, raw.getmetatable;
local s_find, s_format = string.find, string.format;

local valid_utf8 = require "util.encodings".utf8.valid;

-- Control characters that XML 1.0 forbids: all but tab, line feed and carriage return.
local CONTROL = "[%z\1-\8\11\12\14-\31]";
local NON_ASCII = "[\128-\255]";
local CONTROL_OR_NON_ASCII = "[%z\1-\8\11\12\14-\31\128-\255]";

-- Names that have passed, and short values of attributes: nearly all come again. They may come
-- from peers, so there is a limit.
local MAX_KNOWN, MAX_KNOWN_SIZE = 2000, 60;
local known_names, known_attr_names, known_values, known_count = {}, {}, {}, 0;

local function know(names, name)
	if known_count >= MAX_KNOWN then
		for known in next, known_names do known_names[known] = nil; end
		for known in next, known_attr_names do known_attr_names[known] = nil; end
		for known in next, known_values do known_values[known] = nil; end
		known_count = 0;
	end
	known_count = known_count + 1;
	names[name] = true;
end

local function refuse(what, why)
	-- Level 4 is the caller of the stanza method that uses a check.
	error(s_format("invalid %s: %s", what, why), 4);
end

local function check_name(name, what)
	if known_names[name] then return; end
	if type(name) ~= "string" then
		refuse(what, "expected string, got " .. type(name));
	elseif name == "" then
		refuse(what, "empty string");
	elseif s_find(name, "[<>&'\"%s/=]") then
		refuse(what, "contains invalid characters");
	elseif s_find(name, "[%z\1-\31]") then
		refuse(what, "contains control characters");
	elseif s_find(name, NON_ASCII) and not valid_utf8(name) then
		refuse(what, "contains invalid utf8");
	end
	know(known_names, name);
end

local function check_text(text, what)
	if type(text) ~= "string" then
		refuse(what, "expected string, got " .. type(text));
	elseif not s_find(text, CONTROL_OR_NON_ASCII) then
		return;
	elseif s_find(text, CONTROL) then
		refuse(what, "contains control characters");
	elseif s_find(text, NON_ASCII) and not valid_utf8(text) then
		refuse(what, "contains invalid utf8");
	end
end

-- The namespace part of a "namespace\1name" key is free text, the name part is a name.
local function check_attr_name(key)
	if known_attr_names[key] then return; end
	local whole = key;
	if type(key) == "string" then
		local bar = s_find(key, "\1", 1, true);
		if bar then
			check_text(key:sub(1, bar - 1), "attribute namespace");
			key = key:sub(bar + 1);
		end
	end
	check_name(key, "attribute name");
	know(known_attr_names, whole);
end

-- Return the attributes: the same table, or a copy of what only looks like one.
local function check_attr(attr)
	if attr == nil then return nil; end
	if type(attr) ~= "table" then
		refuse("attributes", "expected table, got " .. type(attr));
	end
	if getmetatable(attr) then
		local copy = {};
		for key, value in pairs(attr) do copy[key] = value; end
		attr = copy;
	end
	for key, value in next, attr do
		if not known_attr_names[key] then check_attr_name(key); end
		if not known_values[value] then
			check_text(value, "attribute value");
			if #value <= MAX_KNOWN_SIZE then know(known_values, value); end
		end
	end
	return attr;
end

return { known_names = known_names; name = check_name; text = check_text; attr = check_attr };
