-- Writing stanzas as XML text: on one line, indented, or coloured for a terminal.

local raw = require "native.raw";
local type, next, error, tostring = type, raw.next, error, tostring;
local s_find, s_gsub, s_match, s_rep = string.find, string.gsub, string.match, string.rep;
local t_concat = raw.concat;

local XML_NS = "http://www.w3.org/XML/1998/namespace";
local SPECIAL = "[<>&'\"]";

local entities = {
	["<"] = "&lt;"; [">"] = "&gt;"; ["&"] = "&amp;"; ["'"] = "&apos;"; ['"'] = "&quot;";
};

local function xml_escape(text)
	return (s_gsub(text, SPECIAL, entities));
end

local function escape(value)
	if type(value) ~= "string" then value = tostring(value); end
	if s_find(value, SPECIAL) then return (s_gsub(value, SPECIAL, entities)); end
	return value;
end

local function put_pair(out, n, key, value)
	out[n + 1] = " "; out[n + 2] = key; out[n + 3] = "='"; out[n + 4] = escape(value);
	out[n + 5] = "'";
	return n + 5;
end

-- Attributes with a namespace get a prefix declared on the same element: ns1, ns2, ...
local function put_namespaced(attr, out, n)
	local prefixes, count = {}, 0;
	for key, value in next, attr do
		local ns, name = s_match(key, "^([^\1]*)\1(.*)$");
		if ns == XML_NS then
			n = put_pair(out, n, "xml:" .. name, value);
		elseif ns then
			local prefix = prefixes[ns];
			if not prefix then
				count = count + 1;
				prefix = "ns" .. count;
				prefixes[ns] = prefix;
				n = put_pair(out, n, "xmlns:" .. prefix, ns);
			end
			n = put_pair(out, n, prefix .. ":" .. name, value);
		end
	end
	return n;
end

-- Append `<name a='b'`, without the end of the tag.
local function put_start(stanza, out, n, parent_ns)
	local namespaced = false;
	out[n + 1] = "<"; out[n + 2] = stanza.name;
	n = n + 2;
	for key, value in next, stanza.attr do
		if s_find(key, "\1", 1, true) then
			namespaced = true;
		elseif key ~= "xmlns" or value ~= parent_ns then
			n = put_pair(out, n, key, value);
		end
	end
	return namespaced and put_namespaced(stanza.attr, out, n) or n;
end

local function put(stanza, out, n, parent_ns)
	n = put_start(stanza, out, n, parent_ns);
	if stanza[1] == nil then
		out[n + 1] = "/>";
		return n + 1;
	end
	local ns = stanza.attr.xmlns or parent_ns;
	n = n + 1;
	out[n] = ">";
	for i = 1, #stanza do
		local child = stanza[i];
		local kind = type(child);
		if kind == "string" or kind == "number" then
			n = n + 1;
			out[n] = escape(child);
		elseif kind == "table" and child.name then
			n = put(child, out, n, ns);
		else
			error("cannot write a child of type " .. kind .. " in <" .. stanza.name .. ">", 0);
		end
	end
	out[n + 1] = "</"; out[n + 2] = stanza.name; out[n + 3] = ">";
	return n + 3;
end

local function write(stanza)
	local out = {};
	return t_concat(out, "", 1, put(stanza, out, 0));
end

local function write_start(stanza)
	local out = {};
	return t_concat(out, "", 1, put_start(stanza, out, 0)) .. ">";
end

local function colour_tag(slash, name, rest, last)
	rest = s_gsub(rest, "(%s)([^%s=]+)='([^']*)'", "%1\27[33m%2\27[36m='\27[32m%3\27[36m'");
	return "\27[36m<" .. slash .. "\27[1m" .. name .. "\27[22m" .. rest .. last .. ">\27[0m";
end

-- Colour XML text made by `write`, in which ">" stands only at the end of tags.
local function colour(xml)
	return (s_gsub(xml, "<(/?)([^%s/>]+)([^>]-)(/?)>", colour_tag));
end

-- Return a copy of a stanza with white space in between, for people to read.
-- An element that has only text keeps it as it is.
local function indent(stanza, new, level, by)
	level, by = level or 1, by or "\t";
	if stanza[1] == nil or (#stanza == 1 and type(stanza[1]) == "string") then return stanza; end
	local copy = new(stanza.name, stanza.attr, stanza.namespaces);
	local n = 0;
	for i = 1, #stanza do
		local child = stanza[i];
		if type(child) == "string" then
			child = s_match(child, "^%s*(.-)%s*$");
		else
			child = indent(child, new, level + 1, by);
			copy.tags[#copy.tags + 1] = child;
		end
		if child ~= "" then
			copy[n + 1] = "\n" .. s_rep(by, level);
			copy[n + 2] = child;
			n = n + 2;
		end
	end
	copy[n + 1] = "\n" .. s_rep(by, level - 1);
	return copy;
end

return {
	xml_escape = xml_escape; write = write; write_start = write_start; colour = colour;
	indent = indent;
};
