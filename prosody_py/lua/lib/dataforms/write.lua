-- Writing the fields of data forms.

local type, ipairs, tostring = type, ipairs, tostring;
local t_concat, s_format, floor = table.concat, string.format, math.floor;

local function put_value(form, value)
	if type(value) == "number" and floor(value) == value then
		value = s_format("%d", value);
	end
	form:text_tag("value", tostring(value));
end

-- Each line is a value of its own; empty ones are left out.
local function put_lines(form, value)
	if type(value) == "table" then value = t_concat(value, "\n"); end
	for line in tostring(value):gmatch("[^\r\n]+") do
		form:text_tag("value", line);
	end
end

local function put_list(form, value)
	if type(value) ~= "table" then value = { value }; end
	for _, item in ipairs(value) do
		put_value(form, type(item) == "table" and item.value or item);
	end
end

-- Options of a list field; return the values that are chosen by default.
local function put_options(form, options)
	local chosen = {};
	for _, option in ipairs(options) do
		local is_table = type(option) == "table";
		local value = is_table and option.value or option;
		local label = is_table and option.label or nil;
		if not is_table then label = tostring(option); end
		form:tag("option", { label = label }):text_tag("value", tostring(value)):up();
		if is_table and option.default then chosen[#chosen + 1] = value; end
	end
	return chosen;
end

-- In older layouts the value of a list field is its list of options.
local function is_option_list(value)
	return type(value) == "table" and type(value[1]) == "table";
end

local function put_list_field(form, field, value, is_form)
	local options = field.options or (is_option_list(field.value) and field.value);
	if not options and is_option_list(value) then options, value = value, nil; end
	if options and value == options then value = nil; end
	if options and is_form then
		local chosen = put_options(form, options);
		if value == nil then value = chosen; end
	end
	if value ~= nil and not (is_option_list(value) and not is_form) then
		if field.type == "list-single" and type(value) == "table" then value = value[1]; end
		if value ~= nil then put_list(form, value); end
	end
end

local writers = {
	["boolean"] = function (form, _, value)
		if type(value) == "string" then value = value == "1" or value == "true"; end
		form:text_tag("value", (value and value ~= 0) and "1" or "0");
	end;
	["text-multi"] = function (form, _, value) put_lines(form, value); end;
	["jid-multi"] = function (form, _, value) put_list(form, value); end;
	["list-single"] = put_list_field;
	["list-multi"] = put_list_field;
};

local function put_media(form, media)
	form:tag("media", {
		xmlns = "urn:xmpp:media-element";
		height = media.height and s_format("%d", media.height);
		width = media.width and s_format("%d", media.width);
	});
	for _, uri in ipairs(media) do
		form:text_tag("uri", uri.uri, { type = uri.type });
	end
	form:up();
end

local function put_validation(form, field)
	local range = field.range_min or field.range_max;
	form:tag("validate", {
		xmlns = "http://jabber.org/protocol/xdata-validate"; datatype = field.datatype;
	});
	if range then
		form:tag("range", {
			min = field.range_min and tostring(field.range_min);
			max = field.range_max and tostring(field.range_max);
		}):up();
	end
	form:up();
end

-- Add the <field/> of one field of the layout.
local function put_field(form, field, values, kind)
	local field_type = field.type or "text-single";
	local is_form = kind == "form";
	local value;
	if values and field.name then value = values[field.name]; end
	if value == nil then value = field.value; end
	if kind == "submit" and (value == nil or not field.name) then return; end
	form:tag("field", {
		type = kind ~= "submit" and field_type or nil; var = field.var or field.name;
		label = kind ~= "submit" and field.label or nil;
	});
	if kind ~= "submit" and field.desc then form:text_tag("desc", field.desc); end
	if is_form and field.datatype then put_validation(form, field); end
	if field.media and kind ~= "submit" then put_media(form, field.media); end
	local is_list = field_type == "list-single" or field_type == "list-multi";
	if value ~= nil or (is_list and is_form) then
		local writer = writers[field_type];
		if writer then writer(form, field, value, is_form); else put_list(form, value); end
	end
	if is_form and field.required then form:text_tag("required"); end
	form:up();
end

return { field = put_field };
