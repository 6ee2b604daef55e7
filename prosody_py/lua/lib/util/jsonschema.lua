-- JSON Schema (2020-12): validate(schema, data[, root]) returns whether the data fits; where it
-- does not, also a list of { instanceLocation, schemaLocation, error }.
--
-- Regular expressions, formats and references to other documents are not looked at; luaPattern and
-- luaPatternProperties are Lua patterns in their place. An empty table is both list and object.

local json = require "util.json";
local kinds = require "jsonschema.kinds";
local pointer = require "util.jsonpointer";

local ipairs, pairs, setmetatable, tostring, type = ipairs, pairs, setmetatable, tostring, type;
local s_find, s_sub = string.find, string.sub;

local is_list, is_object, is_integer = kinds.is_list, kinds.is_object, kinds.is_integer;
local equal, length, count_keys, TYPES = kinds.equal, kinds.length, kinds.count_keys, kinds.types;

local MAX_DEPTH = 200; -- of schema and data together: a schema may refer to itself

-- Where one is in schema and data, and what was found wrong so far.
local Place = {};
Place.__index = Place;

function Place:inside(schema_step, data_step)
	return setmetatable({
		root = self.root; depth = self.depth + 1; errors = self.errors;
		schema_path = self.schema_path .. "/" .. schema_step;
		data_path = data_step ~= nil and self.data_path .. "/" .. tostring(data_step) or self.data_path;
	}, Place);
end

-- The same, but what is found wrong is not told.
function Place:quiet(schema_step, data_step)
	local place = self:inside(schema_step, data_step);
	place.errors = {};
	return place;
end

function Place:wrong(keyword, text)
	self.errors[#self.errors + 1] = {
		instanceLocation = "#" .. self.data_path;
		schemaLocation = "#" .. self.schema_path .. "/" .. keyword; error = text;
	};
	return false;
end

local check;

-- Keywords: name -> f(place, its value, data, schema) -> false where the data does not fit.
local keywords = {};

-- For all ------------------------------------------------------------------------------------------

function keywords.type(place, wanted, data)
	for _, name in ipairs(type(wanted) == "table" and wanted or { wanted }) do
		if TYPES[name] and TYPES[name](data) then return; end
	end
	return place:wrong("type", "unexpected type");
end

keywords["$ref"] = function (place, reference, data)
	if type(reference) ~= "string" or s_sub(reference, 1, 1) ~= "#" then return; end
	local found = pointer.resolve(place.root, s_sub(reference, 2));
	if found == nil then return place:wrong("$ref", "the reference leads nowhere"); end
	return check(place:inside("$ref"), found, data);
end

function keywords.const(place, wanted, data)
	if not equal(wanted, data, 1) then return place:wrong("const", "not the one value"); end
end

function keywords.enum(place, values, data)
	for _, value in ipairs(values) do
		if equal(value, data, 1) then return; end
	end
	return place:wrong("enum", "not one of the values");
end

keywords["not"] = function (place, schema, data)
	if check(place:quiet("not"), schema, data) then
		return place:wrong("not", "fits what it must not");
	end
end

function keywords.allOf(place, schemas, data)
	local good = true;
	for i, schema in ipairs(schemas) do
		if not check(place:inside("allOf/" .. i - 1), schema, data) then good = false; end
	end
	return good;
end

local function matches(place, name, schemas, data)
	local count = 0;
	for i, schema in ipairs(schemas) do
		if check(place:quiet(name .. "/" .. i - 1), schema, data) then count = count + 1; end
	end
	return count;
end

function keywords.anyOf(place, schemas, data)
	if matches(place, "anyOf", schemas, data) == 0 then
		return place:wrong("anyOf", "fits none of them");
	end
end

function keywords.oneOf(place, schemas, data)
	if matches(place, "oneOf", schemas, data) ~= 1 then
		return place:wrong("oneOf", "does not fit exactly one");
	end
end

keywords["if"] = function (place, condition, data, schema)
	local branch = check(place:quiet("if"), condition, data) and "then" or "else";
	if schema[branch] ~= nil then return check(place:inside(branch), schema[branch], data); end
end

-- For strings and numbers --------------------------------------------------------------------------

local function for_kind(is_kind, name, fits, text)
	keywords[name] = function (place, wanted, data)
		if is_kind(data) and not fits(data, wanted) then return place:wrong(name, text); end
	end
end

for_kind(TYPES.string, "maxLength", function (s, n) return length(s) <= n; end, "string too long");
for_kind(TYPES.string, "minLength", function (s, n) return length(s) >= n; end, "string too short");
for_kind(TYPES.string, "luaPattern", function (s, p) return s_find(s, p) ~= nil; end,
	"string does not match pattern");
for_kind(TYPES.number, "multipleOf", function (v, n)
	return n > 0 and is_integer(v / n);
end, "not a multiple");
for_kind(TYPES.number, "maximum", function (v, n) return v <= n; end, "number exceeds maximum");
for_kind(TYPES.number, "minimum", function (v, n) return v >= n; end, "number below minimum");
for_kind(TYPES.number, "exclusiveMaximum", function (v, n) return v < n; end,
	"number exceeds exclusive maximum");
for_kind(TYPES.number, "exclusiveMinimum", function (v, n) return v > n; end,
	"number not above exclusive minimum");

-- For lists ----------------------------------------------------------------------------------------

for_kind(is_list, "maxItems", function (list, n) return #list <= n; end, "too many items");
for_kind(is_list, "minItems", function (list, n) return #list >= n; end, "too few items");
for_kind(is_list, "uniqueItems", function (list, wanted)
	if not wanted then return true; end
	local seen = {}; -- scalars need no comparing with all others
	local tables = {};
	for _, value in ipairs(list) do
		if seen[value] then return false; end
		seen[value] = true;
		if type(value) == "table" and value ~= json.null then
			for _, other in ipairs(tables) do
				if equal(value, other, 1) then return false; end
			end
			tables[#tables + 1] = value;
		end
	end
	return true;
end, "items are not unique");

function keywords.prefixItems(place, schemas, data)
	if not is_list(data) then return; end
	local good = true;
	for i, schema in ipairs(schemas) do
		if data[i] == nil then break; end
		if not check(place:inside("prefixItems/" .. i - 1, i - 1), schema, data[i]) then
			good = false;
		end
	end
	return good;
end

function keywords.items(place, item_schema, data, schema)
	if not is_list(data) then return; end
	local good = true;
	for i = #(schema.prefixItems or {}) + 1, #data do
		if not check(place:inside("items", i - 1), item_schema, data[i]) then good = false; end
	end
	return good;
end

function keywords.contains(place, item_schema, data, schema)
	if not is_list(data) then return; end
	local count = 0;
	for i, item in ipairs(data) do
		if check(place:quiet("contains", i - 1), item_schema, item) then count = count + 1; end
	end
	if count < (schema.minContains or 1) then
		return place:wrong("contains", "too few items of the kind");
	elseif schema.maxContains and count > schema.maxContains then
		return place:wrong("maxContains", "too many items of the kind");
	end
end

-- For objects --------------------------------------------------------------------------------------

for_kind(is_object, "maxProperties", function (o, n) return count_keys(o) <= n; end,
	"too many properties");
for_kind(is_object, "minProperties", function (o, n) return count_keys(o) >= n; end,
	"too few properties");

function keywords.required(place, names, data)
	if not is_object(data) then return; end
	local good = true;
	for _, name in ipairs(names) do
		if data[name] == nil then
			good = place:wrong("required", "missing required property " .. tostring(name));
		end
	end
	return good;
end

function keywords.dependentRequired(place, dependents, data)
	if not is_object(data) then return; end
	for name, names in pairs(dependents) do
		if data[name] ~= nil
				and keywords.required(place:inside("dependentRequired"), names, data) == false then
			return false;
		end
	end
end

function keywords.dependentSchemas(place, dependents, data)
	if not is_object(data) then return; end
	for name, schema in pairs(dependents) do
		if data[name] ~= nil and not check(place:inside("dependentSchemas/" .. name), schema, data) then
			return false;
		end
	end
end

function keywords.propertyNames(place, schema, data)
	if not is_object(data) then return; end
	for name in pairs(data) do
		if not check(place:inside("propertyNames", name), schema, name) then return false; end
	end
end

local function each_property(place, keyword, data, schema_for)
	if not is_object(data) then return; end
	local good = true;
	for name, value in pairs(data) do
		local schema = schema_for(name);
		if schema ~= nil and not check(place:inside(keyword, name), schema, value) then
			good = false;
		end
	end
	return good;
end

function keywords.properties(place, schemas, data)
	return each_property(place, "properties", data, function (name) return schemas[name]; end);
end

function keywords.luaPatternProperties(place, schemas, data)
	local good = true;
	for pattern, schema in pairs(schemas) do
		if each_property(place, "luaPatternProperties", data, function (name)
			return type(name) == "string" and s_find(name, pattern) and schema or nil;
		end) == false then good = false; end
	end
	return good;
end

function keywords.additionalProperties(place, wanted, data, schema)
	return each_property(place, "additionalProperties", data, function (name)
		if schema.properties and schema.properties[name] ~= nil then return nil; end
		for pattern in pairs(schema.luaPatternProperties or {}) do
			if type(name) == "string" and s_find(name, pattern) then return nil; end
		end
		return wanted;
	end);
end

-- --------------------------------------------------------------------------------------------------

function check(place, schema, data)
	if schema == true then return true; end
	if schema == false then return place:wrong("false", "nothing is allowed here"); end
	if type(schema) == "string" then schema = { type = schema }; end
	if type(schema) ~= "table" then return place:wrong("", "the schema is broken"); end
	if place.depth > MAX_DEPTH then return place:wrong("", "nested too deeply"); end
	local good = true;
	for name, value in pairs(schema) do
		local keyword = keywords[name];
		if keyword and keyword(place, value, data, schema) == false then good = false; end
	end
	return good;
end

local function validate(schema, data, root)
	local place = setmetatable({
		root = root or schema; depth = 1; errors = {}; schema_path = ""; data_path = "";
	}, Place);
	if check(place, schema, data) then return true; end
	return false, place.errors;
end

return { validate = validate };
