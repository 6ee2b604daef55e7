-- Result set management (XEP-0059): <set/> from and to a table.

local st = require "util.stanza";

local tostring, tonumber, type, ipairs = tostring, tonumber, type, ipairs;

local XMLNS = "http://jabber.org/protocol/rsm";
local NUMBERS = { max = true; index = true; count = true };
local ORDER = { "max", "index", "count", "first", "last", "before", "after" };

-- Return the table for a <set/> element. An empty <before/> is `before = true`, <first/> is
-- { text, index = number }, where the index may be missing.
local function parse(set)
	local result = {};
	for tag in set:childtags() do
		local name, text = tag.name, tag:get_text();
		if NUMBERS[name] then
			result[name] = tonumber(text);
		elseif name == "before" then
			result.before = text == "" and true or text;
		elseif name == "after" or name == "last" then
			result[name] = text ~= "" and text or nil;
		elseif name == "first" then
			result.first = { text; index = tonumber(tag.attr.index) };
		end
	end
	return result;
end

local function generate(t)
	local set = st.stanza("set", { xmlns = XMLNS });
	for _, name in ipairs(ORDER) do
		local value = t[name];
		if value ~= nil and value ~= false then
			if name == "first" and type(value) == "table" then
				set:text_tag("first", value[1], { index = value.index and tostring(value.index) });
			elseif value == true then
				set:text_tag(name, nil);
			else
				set:text_tag(name, tostring(value));
			end
		end
	end
	return set;
end

-- Return the table for the <set/> inside of an element, nil when there is none.
local function get(stanza)
	local set = stanza:get_child("set", XMLNS);
	if set then return parse(set); end
	return nil;
end

return { parse = parse; generate = generate; get = get };
