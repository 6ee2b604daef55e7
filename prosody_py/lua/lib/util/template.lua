-- template(xml) returns an object: .apply(values) makes a stanza with {name} filled in.

local parse = require "util.xml".parse;
local st = require "util.stanza";

local s_gsub, s_match, error, setmetatable, pairs, type =
	string.gsub, string.match, error, setmetatable, pairs, type;

local function fill(text, values)
	return (s_gsub(text, "{([^{}]*)}", function (name)
		local value = values[name];
		return value == nil and "" or value;
	end));
end

local function apply(stanza, values)
	local attr = {};
	for key, value in pairs(stanza.attr) do attr[key] = fill(value, values); end
	local copy = st.stanza(stanza.name, attr);
	for i = 1, #stanza do
		local child = stanza[i];
		if type(child) == "table" then
			copy:add_direct_child(apply(child, values));
		else
			copy:add_direct_child(fill(child, values));
		end
	end
	return copy;
end

-- White space between tags is layout of the source, not content.
local function strip(stanza)
	for i = #stanza, 1, -1 do
		local child = stanza[i];
		if type(child) == "table" then
			strip(child);
		else
			child = s_match(child, "^%s*(.-)%s*$");
			if child == "" then table.remove(stanza, i); else stanza[i] = child; end
		end
	end
	return stanza;
end

local template_mt = { __name = "template" };

function template_mt.__tostring(self)
	return tostring(self.stanza);
end

local templates = {};

local function create(text)
	if templates[text] then return templates[text]; end
	local stanza, err = parse(text);
	if not stanza then error("invalid template: " .. err, 2); end
	strip(stanza);
	local template = setmetatable({
		stanza = stanza;
		apply = function (values) return apply(stanza, values); end;
	}, template_mt);
	templates[text] = template;
	return template;
end

return create;
