-- Stanzas to plain data and back, by a JSON schema that says where in the XML things are:
-- parse(schema, stanza), unparse(schema, data[, name, namespace]).
--
-- A schema's `xml`: name, namespace, prefix, attribute (it is one), text (the element's text),
-- wrapped (a list has an element around it), x_name_is_value (the name of the element is the
-- value), x_single_attribute (the value is this attribute of the element).

local st = require "util.stanza";
local pointer = require "util.jsonpointer";

local error, ipairs, pairs, tonumber, tostring, type =
	error, ipairs, pairs, tonumber, tostring, type;
local math_floor = math.floor;
local s_format, s_sub = string.format, string.sub;

local MAX_DEPTH = 100; -- a schema may refer to itself
local SCALARS = { string = true; number = true; integer = true; boolean = true };

local function to_scalar(kind, text)
	if text == nil then return nil; end
	if kind == "string" then return text; end
	if kind == "boolean" then return text ~= "false" and text ~= "0"; end
	local number = tonumber(text);
	if number and (kind == "number" or number == math_floor(number)) then return number; end
	return nil;
end

local function to_text(kind, value)
	if kind == "boolean" then return value and "1" or "0"; end
	if kind == "string" then
		return (type(value) == "string" or type(value) == "number") and tostring(value) or nil;
	end
	local number = tonumber(value);
	if not number then return nil; end
	if kind == "integer" then
		return number == math_floor(number) and s_format("%.0f", number) or nil;
	end
	return s_format("%.15g", number);
end

-- Return a schema as a table, what it refers to in its place.
local function resolve(schema, root)
	for _ = 1, MAX_DEPTH do
		if type(schema) == "string" then return { type = schema }; end
		local reference = type(schema) == "table" and schema["$ref"];
		if not reference or s_sub(reference, 1, 1) ~= "#" then break; end
		schema = pointer.resolve(root, s_sub(reference, 2));
	end
	if type(schema) ~= "table" then error("datamapper: a schema is missing", 0); end
	return schema;
end

local function kind_of(schema)
	local kind = schema.type;
	if type(kind) == "table" then kind = kind[1]; end
	return kind or schema.properties and "object" or schema.items and "array";
end

-- Return how a property is written: { as, name, namespace, ... }.
local function place_of(schema, name, namespace)
	local xml = schema.xml or {};
	local place = { name = xml.name or name; namespace = xml.namespace or namespace;
		wrapped = xml.wrapped; single = xml.x_single_attribute; as = "element" };
	if xml.attribute then
		place.as = "attribute";
		local prefix = xml.prefix and not xml.namespace and xml.prefix .. ":";
		place.key = xml.namespace and xml.namespace .. "\1" .. place.name
			or (prefix or "") .. place.name;
	elseif xml.text then
		place.as = "text";
	elseif xml.x_name_is_value then
		place.as = "name";
		place.fixed = xml.name or kind_of(schema) == "boolean" and name;
	end
	return place;
end

-- Reading -----------------------------------------------------------------------------------------

local parse_object;

local function parse_child(schema, child, place, root, depth)
	local kind = kind_of(schema);
	if kind == "object" or kind == "array" then
		return parse_object(schema, child, place.namespace, root, depth + 1);
	end
	if place.single then return to_scalar(kind, child.attr[place.single]); end
	return to_scalar(kind, child:get_text() or "");
end

local function parse_list(schema, parent, place, root, depth)
	local items = resolve(schema.items, root);
	local inner = place_of(items, place.name, place.namespace);
	if place.wrapped then
		parent = parent:get_child(place.name, place.namespace);
		if not parent then return nil; end
	end
	local list = {};
	for child in parent:childtags(inner.name, inner.namespace) do
		local value = parse_child(items, child, inner, root, depth);
		if value ~= nil then list[#list + 1] = value; end
	end
	if not place.wrapped and list[1] == nil then return nil; end
	return list;
end

local function parse_name(schema, stanza, place)
	local kind = kind_of(schema);
	if kind == "boolean" then
		return stanza:get_child(place.fixed, place.namespace) ~= nil or nil;
	end
	if place.fixed or not schema.enum then
		local child = stanza:get_child(place.fixed, place.namespace);
		return child and to_scalar(kind, child.name);
	end
	for _, name in ipairs(schema.enum) do
		if stanza:get_child(name, place.namespace) then return to_scalar(kind, name); end
	end
end

local function parse_property(schema, name, stanza, namespace, root, depth)
	local place = place_of(schema, name, namespace);
	local kind = kind_of(schema);
	if place.as == "attribute" then
		return to_scalar(kind, stanza.attr[place.key]);
	elseif place.as == "text" then
		return to_scalar(kind, stanza:get_text() or "");
	elseif place.as == "name" then
		return parse_name(schema, stanza, place);
	elseif kind == "array" then
		return parse_list(schema, stanza, place, root, depth);
	end
	local child = stanza:get_child(place.name, place.namespace);
	return child and parse_child(schema, child, place, root, depth);
end

function parse_object(schema, stanza, namespace, root, depth)
	if depth > MAX_DEPTH then error("datamapper: nested too deeply", 0); end
	if kind_of(schema) == "array" then
		local place = place_of(schema, nil, namespace);
		place.wrapped = false;
		return parse_list(schema, stanza, place, root, depth) or {};
	end
	local data = {};
	for name, property in pairs(schema.properties or {}) do
		data[name] = parse_property(resolve(property, root), name, stanza, namespace, root, depth);
	end
	return data;
end

local function parse(schema, stanza)
	local top = resolve(schema, schema);
	local kind = kind_of(top);
	if kind ~= "object" and kind ~= "array" then error("top-level scalars unsupported", 2); end
	return parse_object(top, stanza, stanza.attr.xmlns, schema, 1);
end

-- Writing -----------------------------------------------------------------------------------------

local unparse_object;

-- Open an element; its namespace is written where it differs from the one around it.
local function open(out, name, namespace, around)
	if not name then error("datamapper: an element has no name", 0); end
	return out:tag(name, namespace ~= around and { xmlns = namespace } or nil);
end

local function unparse_element(schema, value, place, out, around, root, depth)
	local kind = kind_of(schema);
	if SCALARS[kind] then
		local text = to_text(kind, value);
		if text == nil then return; end
		open(out, place.name, place.namespace, around);
		if place.single then out.last_add[#out.last_add].attr[place.single] = text;
		elseif text ~= "" then out:text(text); end
		out:up();
	elseif type(value) == "table" then
		open(out, place.name, place.namespace, around);
		unparse_object(schema, value, out.last_add[#out.last_add], out, place.namespace, root,
			depth + 1);
		out:up();
	end
end

local function unparse_list(schema, list, place, out, around, root, depth)
	local items = resolve(schema.items, root);
	local inner = place_of(items, place.name, place.namespace);
	if place.wrapped then
		open(out, place.name, place.namespace, around);
		around = place.namespace;
	end
	for _, value in ipairs(list) do unparse_element(items, value, inner, out, around, root, depth); end
	if place.wrapped then out:up(); end
end

local function unparse_property(schema, name, value, element, out, namespace, root, depth)
	local place = place_of(schema, name, namespace);
	local kind = kind_of(schema);
	if place.as == "attribute" then
		element.attr[place.key] = to_text(kind, value);
	elseif place.as == "text" then
		local text = to_text(kind, value);
		if text then out:text(text); end
	elseif place.as == "name" then
		local tag = place.fixed;
		if kind ~= "boolean" then tag = to_text(kind, value); elseif not value then tag = nil; end
		if tag then open(out, tag, place.namespace, namespace):up(); end
	elseif kind == "array" then
		if type(value) == "table" then
			unparse_list(schema, value, place, out, namespace, root, depth);
		end
	else
		unparse_element(schema, value, place, out, namespace, root, depth);
	end
end

-- Add what `data` holds to the element that is open in `out`.
function unparse_object(schema, data, element, out, namespace, root, depth)
	if depth > MAX_DEPTH then error("datamapper: nested too deeply", 0); end
	if kind_of(schema) == "array" then
		local place = place_of(schema, nil, namespace);
		place.wrapped = false;
		return unparse_list(schema, data, place, out, namespace, root, depth);
	end
	for name, property in pairs(schema.properties or {}) do
		if data[name] ~= nil then
			unparse_property(resolve(property, root), name, data[name], element, out, namespace,
				root, depth);
		end
	end
end

local function unparse(schema, data, name, namespace)
	local top = resolve(schema, schema);
	local place = place_of(top, name, namespace);
	if not place.name then error("datamapper: the top element has no name", 2); end
	local out = st.stanza(place.name, { xmlns = place.namespace });
	unparse_object(top, data, out, out, place.namespace, schema, 1);
	return out:reset();
end

return { parse = parse; unparse = unparse };
