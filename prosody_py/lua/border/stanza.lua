-- What Python needs of stanza tables: text, attributes, children, and which Python object is
-- theirs. The tables themselves are those of util.stanza.

local run_file, st, identities, hidden, next = ...;
local from_flat_table = st.from_flat_table;
local type, tostring, select = type, tostring, select;
local s_find, s_gsub, s_gmatch, s_sub, s_byte =
	string.find, string.gsub, string.gmatch, string.sub, string.byte;
local t_concat = require "native.raw".concat;
local unpack = table.unpack or unpack;
local XML_NS = "http://www.w3.org/XML/1998/namespace";
local CHUNK = 1000;
local MADE_OF = {}; -- hidden
hidden[MADE_OF] = true;


local function identity(stanza)
	local values = stanza[MADE_OF];
	if values then return values[#values]; end
	return identities[stanza];
end

-- Whether a table still is what it was made of -------------------------------------------------

local heads, head_count = {}, 0;

local function learn(head)
	local parts = {};
	for part in s_gmatch(s_sub(head, 2), "[^\2]+") do parts[#parts + 1] = part; end
	if head_count >= 2000 then heads, head_count = {}, 0; end
	head_count = head_count + 1;
	local known = { kind = s_byte(head) - 48, name = parts[1], count = #parts - 1 };
	for i = 2, #parts do known[i - 1] = parts[i]; end
	heads[head] = known;
	return known;
end

-- The position behind the element at `i`, nil when something is different.
local function compare(element, values, i)
	local head = heads[values[i]] or learn(values[i]);
	local attr, count = element.attr, head.count;
	if element.name ~= head.name or type(attr) ~= "table" then return nil; end
	for n = 1, count do
		if attr[head[n]] ~= values[i + n] then return nil; end
	end
	for _ in next, attr do count = count - 1; end
	if count ~= 0 then return nil; end
	i = i + head.count + 1;
	local kind, tags = head.kind, element.tags;
	if kind == 0 then
		if element[1] ~= nil or tags[1] ~= nil then return nil; end
		return i;
	elseif kind == 1 then
		if element[1] ~= values[i] or element[2] ~= nil or tags[1] ~= nil then return nil; end
		return i + 1;
	end
	local n, tag = 0, 0;
	local value = values[i];
	while value do
		n = n + 1;
		local child = element[n];
		if value == true then
			if child ~= values[i + 1] then return nil; end
			i = i + 2;
		else
			tag = tag + 1;
			if type(child) ~= "table" or tags[tag] ~= child then return nil; end
			i = compare(child, values, i);
			if not i then return nil; end
		end
		value = values[i];
	end
	if element[n + 1] ~= nil or tags[tag + 1] ~= nil then return nil; end
	return i + 1;
end

-- Whether a table still is what Python knows, and the first time when it is not its number.
local function look_at(stanza)
	local values = stanza[MADE_OF];
	if values == nil then return false; end
	local n = #values;
	if values[n - 1](stanza, values) then return true; end
	identities[stanza] = values[n];
	stanza[MADE_OF] = nil;
	return false, values[n];
end

local function unchanged(stanza) return (look_at(stanza)); end

-- Tables made for Python. What a table was made of stays in it: the values, then the function
-- that compares it with them, last its identity.

local function still_flat(stanza, values) return compare(stanza, values, 1) ~= nil; end

local function new_large(values)
	local stanza, n = from_flat_table(values), #values;
	values[n], values[n + 1] = still_flat, values[n];
	stanza[MADE_OF] = values;
	return stanza;
end

local function new(...) return new_large({ ... }); end

local make_shape = run_file("shape.lua", st.stanza_mt, MADE_OF);
local makers = {}; -- of the shapes that Python knows by these numbers

local function generate(shape, ...) makers[shape] = make_shape(...); end
local function make(number, shape, ...) return makers[shape](number, ...); end

-- Text, exactly as xmpp/writer.py writes it ----------------------------------------------------

local in_text = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\r"] = "&#13;" };
local in_attr = {
	["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\r"] = "&#13;", ["'"] = "&apos;",
	['"'] = "&quot;", ["\n"] = "&#10;", ["\t"] = "&#9;",
};

local function escape_attr(value)
	if type(value) ~= "string" then value = tostring(value); end
	if s_find(value, "[&<>'\"\r\n\t]") then return (s_gsub(value, "[&<>'\"\r\n\t]", in_attr)); end
	return value;
end

local function put(stanza, out, n, parent_ns)
	local name, attr = stanza.name, stanza.attr;
	out[n + 1], out[n + 2] = "<", name;
	n = n + 2;
	local prefixes = 0;
	for key, value in next, attr do
		local bar = s_find(key, "\1", 1, true);
		if bar then
			local namespace, local_name = s_sub(key, 1, bar - 1), s_sub(key, bar + 1);
			if namespace == XML_NS then
				out[n + 1], out[n + 2], out[n + 3] = " xml:", local_name, "='";
			else
				prefixes = prefixes + 1;
				local prefix = "ns" .. prefixes;
				out[n + 1] = " xmlns:" .. prefix .. "='" .. escape_attr(namespace) .. "' " .. prefix .. ":";
				out[n + 2], out[n + 3] = local_name, "='";
			end
			out[n + 4], out[n + 5] = escape_attr(value), "'";
			n = n + 5;
		elseif key ~= "xmlns" or value ~= parent_ns then
			out[n + 1], out[n + 2], out[n + 3], out[n + 4] = " ", key, "='", escape_attr(value);
			out[n + 5] = "'";
			n = n + 5;
		end
	end
	local count = #stanza;
	if count == 0 then
		out[n + 1] = "/>";
		return n + 1;
	end
	out[n + 1] = ">";
	n = n + 1;
	local own_ns = attr.xmlns or parent_ns;
	for i = 1, count do
		local child = stanza[i];
		if type(child) == "table" then
			n = put(child, out, n, own_ns);
		else
			if type(child) ~= "string" then child = tostring(child); end
			n = n + 1;
			if s_find(child, "[&<>\r]") then child = s_gsub(child, "[&<>\r]", in_text); end
			out[n] = child;
		end
	end
	out[n + 1], out[n + 2], out[n + 3] = "</", name, ">";
	return n + 3;
end

local function xml(stanza, parent_ns)
	local out = {};
	return t_concat(out, "", 1, put(stanza, out, 0, parent_ns));
end

-- Reading and writing parts --------------------------------------------------------------------

local function text_of(value)
	return type(value) == "string" and value or tostring(value);
end

-- name, key, value, key, value ...
local function head(stanza)
	local out, n = { text_of(stanza.name) }, 1;
	for key, value in next, stanza.attr do
		out[n + 1], out[n + 2] = key, text_of(value);
		n = n + 2;
	end
	return unpack(out, 1, n);
end

local function set_name(stanza, name) stanza.name = name; end
local function set_attr(stanza, key, value) stanza.attr[key] = value; end

local function replace_attr(stanza, ...)
	local attr = {};
	for i = 1, select("#", ...), 2 do
		local key, value = select(i, ...);
		attr[key] = value;
	end
	stanza.attr = attr;
end

-- Children from number `from` on, at most CHUNK: a text, the id of a table that Python knows, or
-- a table that it does not know yet.
local function children(stanza, from)
	local out, n = {}, 0;
	for i = from, from + CHUNK - 1 do
		local child = stanza[i];
		if child == nil then break; end
		n = n + 1;
		if type(child) == "table" then
			out[n] = identity(child) or child;
		else
			out[n] = text_of(child);
		end
	end
	return n, unpack(out, 1, n);
end

local function child(stanza, i) return stanza[i]; end

local function identify(stanza, id)
	stanza[MADE_OF] = nil;
	identities[stanza] = id;
end

-- Number the child elements from `id` on; return them.
local function give_numbers(stanza, id)
	local tags = stanza.tags;
	for i = 1, #tags do identities[tags[i]] = id + i - 1; end
	return unpack(tags);
end

local function replace_child(stanza, i, element)
	local old = stanza[i];
	stanza[i] = element;
	for n = 1, #stanza.tags do
		if stanza.tags[n] == old then stanza.tags[n] = element; end
	end
end

-- Empty a stanza, then `add` what it shall contain.
local function clear(stanza)
	for i = #stanza, 1, -1 do stanza[i] = nil; end
	for i = #stanza.tags, 1, -1 do stanza.tags[i] = nil; end
end

local function add(stanza, ...)
	local n, tags = #stanza, stanza.tags;
	for i = 1, select("#", ...) do
		local item = select(i, ...);
		stanza[n + i] = item;
		if type(item) == "table" then tags[#tags + 1] = item; end
	end
end

-- Where building is: the elements into which it has gone, as in stanza/build.lua.

local function path(stanza)
	if stanza.last_add then return unpack(stanza.last_add); end
end

local function set_path(stanza, ...)
	stanza.last_add = select("#", ...) > 0 and { ... } or nil;
end

return {
	path = path; set_path = set_path; new = new; new_large = new_large; look_at = look_at; makers = makers; generate = generate; make = make;
	identity = identity; unchanged = unchanged; xml = xml; head = head; set_name = set_name;
	set_attr = set_attr; replace_attr = replace_attr; children = children; child = child;
	clear = clear; add = add; identify = identify; give_numbers = give_numbers; replace_child = replace_child;
};
