-- Reading the fields of submitted data forms.

local jid_prep = require "util.jid".prep;
local parse_time = require "util.datetime".parse;

local ipairs, tonumber, type = ipairs, tonumber, type;
local t_concat, t_insert, floor = table.concat, table.insert, math.floor;

local MISSING = "Required value missing";

local function all_values(field_tag)
	local values = {};
	for value in field_tag:childtags("value") do
		t_insert(values, value:get_text() or "");
	end
	return values;
end

-- Readers take (tag, required, options) and return value, error. An empty text is a value, but not
-- one that satisfies `required`.
local function text_single(tag, required)
	local value = tag:get_child_text("value");
	if required and (value == nil or value == "") then return nil, MISSING; end
	return value;
end

local function list_multi(tag, required)
	local values = all_values(tag);
	if values[1] ~= nil then return values; end
	return nil, required and MISSING or nil;
end

local function text_multi(tag, required)
	local lines, err = list_multi(tag, required);
	return lines and t_concat(lines, "\n"), err;
end

local function jid_single(tag, required)
	local value = tag:get_child_text("value");
	if value == nil or (required and value == "") then return nil, required and MISSING or nil; end
	local prepped = jid_prep(value);
	if not prepped then return nil, "Invalid JID: " .. value; end
	return prepped;
end

local function jid_multi(tag, required)
	local jids, errors = {}, {};
	for _, value in ipairs(all_values(tag)) do
		local prepped = jid_prep(value);
		if prepped then t_insert(jids, prepped); else t_insert(errors, "Invalid JID: " .. value); end
	end
	if errors[1] ~= nil then return jids, t_concat(errors, "\n"); end
	if jids[1] ~= nil then return jids; end
	return nil, required and MISSING or nil;
end

local booleans = { ["1"] = true; ["true"] = true; ["0"] = false; ["false"] = false };

local function boolean(tag, required)
	local value = tag:get_child_text("value");
	if value == nil or (required and value == "") then return nil, required and MISSING or nil; end
	if booleans[value] == nil then return nil, "Invalid boolean representation: " .. value; end
	return booleans[value];
end

local readers = {
	["text-single"] = text_single; ["text-private"] = text_single; ["hidden"] = text_single;
	["list-single"] = text_single; ["text-multi"] = text_multi; ["jid-single"] = jid_single;
	["jid-multi"] = jid_multi; ["list-multi"] = list_multi; ["boolean"] = boolean;
};

local function integer(text, field)
	local number = type(text) == "string" and tonumber(text);
	if not number or floor(number) ~= number then return nil, "not an integer"; end
	if field.range_min and number < field.range_min then return nil, "out of bounds"; end
	if field.range_max and number > field.range_max then return nil, "out of bounds"; end
	return floor(number);
end

-- Conversions by datatype (XEP-0122; XEP-0060 for the last one).
local datatypes = {
	["xs:integer"] = integer;
	["xs:dateTime"] = function (text)
		local time = type(text) == "string" and parse_time(text);
		if not time then return nil, "invalid timestamp"; end
		return time;
	end;
	["pubsub:integer-or-max"] = function (text, field)
		if text == "max" then return text; end
		return integer(text, field);
	end;
};

local function read_field(field, tag)
	local reader = readers[field.type or "text-single"];
	if not reader then return nil; end
	local value, err = reader(tag, field.required);
	local convert = field.datatype and datatypes[field.datatype];
	if convert and value ~= nil then
		local converted, problem = convert(value, field);
		if converted == nil then
			return nil, ("Invalid value for data of type %s: %s"):format(field.datatype, problem);
		end
		value = converted;
	end
	return value, err;
end

local function read_form(layout, stanza, current)
	local data, errors, present = {}, {}, {};
	for _, field in ipairs(layout) do
		local name, tag = field.name, nil;
		if name then
			tag = stanza:get_child_with_attr("field", nil, "var", field.var or name);
		end
		if tag then
			present[name] = true;
			data[name], errors[name] = read_field(field, tag);
		elseif name and current and current[name] ~= nil then
			data[name] = current[name];
		elseif name and field.required then
			errors[name] = "Required value missing";
		end
	end
	if next(errors) ~= nil then return data, errors, present; end
	return data, nil, present;
end

return { form = read_form };
