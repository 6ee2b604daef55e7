-- What Python needs of stanza tables: text, attributes, children, and which Python object is
-- theirs. The tables themselves are those of util.stanza.

local run_file, st, identities, hidden, next, events, unwatched = ...;
local from_flat_table = st.from_flat_table;
local type, tostring, select, error = type, tostring, select, error;
local getmetatable, stanza_mt = require "native.raw".getmetatable, st.stanza_mt;
local s_format = string.format;
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

-- Noted: the table is not any more what Python knows.
local function changed(stanza, number)
	identities[stanza] = number;
	stanza[MADE_OF] = nil;
end

local generate = run_file("shape.lua", st.stanza_mt, MADE_OF, events.connect(look_at, changed));

-- Text, exactly as xmpp/writer.py writes it ----------------------------------------------------
-- Only what XML forbids outside of ASCII is left for Python, which has to look at such text anyway.

local in_text = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\r"] = "&#13;" };
local in_attr = {
	["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\r"] = "&#13;", ["'"] = "&apos;",
	['"'] = "&quot;", ["\n"] = "&#10;", ["\t"] = "&#9;",
};
for code = 0, 31 do
	local control = string.char(code);
	if not in_attr[control] then in_text[control], in_attr[control] = "\239\191\189", "\239\191\189"; end
end

-- What comes before a value of an attribute, and how the tags of a name begin and end; kept,
-- because joining few strings is quicker than collecting many. Names may come from peers.
local MAX_NAMES = 2000;
local FEW = 5; -- children
local attr_starts, tag_starts, tag_ends, name_count = {}, {}, {}, 0;

-- Values that need no escape: addresses, types and namespaces come again and again.
local MAX_CLEAN, MAX_CLEAN_SIZE = 4000, 40;
local clean, clean_count = {}, 0;

-- Modules may write anything into a stanza; what would not be XML is an error.

local function refuse(what, value)
	error("cannot write a stanza: " .. what .. " is " .. (type(value) == "string"
		and s_format("%q", value) or "a " .. type(value)), 0);
end

local function text_from(value, what)
	if type(value) == "number" then return tostring(value); end
	return type(value) == "string" and value or refuse(what, value);
end

local function name_from(name, what)
	if type(name) ~= "string" or name == "" or s_find(name, "[<>&'\"%s/=%c]") then
		refuse(what, name);
	end
	return name;
end

local function escaped_value(value)
	value = text_from(value, "the value of an attribute");
	if s_find(value, "[&<>'\"%c]") then return (s_gsub(value, "[&<>'\"%c]", in_attr)); end
	if #value <= MAX_CLEAN_SIZE then
		if clean_count >= MAX_CLEAN then clean, clean_count = {}, 0; end
		clean_count = clean_count + 1;
		clean[value] = value;
	end
	return value;
end

local function know(names, name, text)
	if name_count >= MAX_NAMES then attr_starts, tag_starts, tag_ends, name_count = {}, {}, {}, 0; end
	name_count = name_count + 1;
	names[name] = text;
	return text;
end

-- The attributes with a namespace, which need prefixes of their own.
local function namespaced(attr)
	local text, prefixes = "", 0;
	for key, value in next, attr do
		local bar = s_find(key, "\1", 1, true);
		if bar then
			local namespace, local_name = s_sub(key, 1, bar - 1), s_sub(key, bar + 1);
			if namespace == XML_NS then
				text = text .. " xml:" .. local_name .. "='" .. escaped_value(value) .. "'";
			else
				prefixes = prefixes + 1;
				local prefix = "ns" .. prefixes;
				text = text .. " xmlns:" .. prefix .. "='" .. escaped_value(namespace) .. "' "
					.. prefix .. ":" .. local_name .. "='" .. escaped_value(value) .. "'";
			end
		end
	end
	return text;
end

local xml;

local function escaped(child)
	child = text_from(child, "a text");
	if s_find(child, "[&<>%c]") then return (s_gsub(child, "[&<>%c]", in_text)); end
	return child;
end

local function content(stanza, own_ns, is_plain)
	local count = #stanza;
	if count <= FEW then
		local text = "";
		for i = 1, count do
			local child = stanza[i];
			text = text .. (type(child) == "table" and xml(child, own_ns, is_plain) or escaped(child));
		end
		return text;
	end
	local out = {};
	for i = 1, count do
		local child = stanza[i];
		out[i] = type(child) == "table" and xml(child, own_ns, is_plain) or escaped(child);
	end
	return t_concat(out);
end

-- With `is_plain`, a table with a metatable of a module is an error: nothing of it may run.
function xml(stanza, parent_ns, is_plain)
	if is_plain and getmetatable(stanza) ~= stanza_mt then error("not plain"); end
	local name, attr = stanza.name, stanza.attr;
	local text = tag_starts[name] or know(tag_starts, name, "<" .. name_from(name, "a name"));
	local has_namespaced;
	local own_ns = parent_ns;
	for key, value in next, attr do
		local start = attr_starts[key];
		if start == nil then
			start = type(key) == "string" and s_find(key, "\1", 1, true) and key;
			name_from(start and s_sub(key, s_find(key, "\1", 1, true) + 1) or key,
				"the name of an attribute");
			start = know(attr_starts, key, not start and " " .. key .. "='");
		end
		if not start then
			has_namespaced = true;
		elseif key ~= "xmlns" then
			text = text .. start .. (clean[value] or escaped_value(value)) .. "'";
		elseif value ~= parent_ns then
			own_ns = value;
			text = text .. start .. (clean[value] or escaped_value(value)) .. "'";
		end
	end
	if has_namespaced then text = text .. namespaced(attr); end
	local first = stanza[1];
	if first == nil then return text .. "/>"; end
	local inner;
	if stanza[2] ~= nil then
		inner = content(stanza, own_ns, is_plain);
	elseif type(first) == "table" then
		inner = xml(first, own_ns, is_plain);
	else
		inner = escaped(first);
	end
	return text .. ">" .. inner .. (tag_ends[name] or know(tag_ends, name, "</" .. name .. ">"));
end

-- The same for what a handler sends: without the time limit's hook where that can be.
local xml_unwatched = unwatched(function (stanza, ns) return xml(stanza, ns, true); end);

local function xml_quickly(stanza, ns)
	return xml_unwatched(stanza, ns) or xml(stanza, ns);
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
	path = path; set_path = set_path; xml_quickly = xml_unwatched and xml_quickly or xml; new = new; new_large = new_large; generate = generate;
	identity = identity; unchanged = unchanged; xml = xml; head = head; set_name = set_name;
	set_attr = set_attr; replace_attr = replace_attr; children = children; child = child;
	clear = clear; add = add; identify = identify; give_numbers = give_numbers; replace_child = replace_child;
};
