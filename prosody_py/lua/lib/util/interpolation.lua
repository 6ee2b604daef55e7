-- Templates: new(pattern, escape[, filters]) returns render(template, values).
--
-- Inside of the braces:  name  a.b.c  name!(not escaped)  name|filter  name|filter{argument}
-- name?default (when nil or false)  name&text (when it is there)  name~text (when it is not)
-- name#text (for each item of a list: {item}, {idx})  name%text (for each pair: {item}, {idx}).
-- What has no value and no default stays as it is written.

local setmetatable, getmetatable, ipairs, pairs, tonumber, tostring, type =
	setmetatable, getmetatable, ipairs, pairs, tonumber, tostring, type;
local s_gsub, s_match, s_sub = string.gsub, string.match, string.sub;
local t_concat = table.concat;

local function look_up(values, name)
	local value = values[name];
	if value ~= nil then return value; end
	value = values;
	for part in name:gmatch("[^.]+") do
		if type(value) ~= "table" then return nil; end
		local found = value[part];
		if found == nil and tonumber(part) then found = value[tonumber(part)]; end
		value = found;
	end
	return value;
end

-- Pass a value through the filters at the start of `rest`. Return it and the rest.
local function apply_filters(value, rest, values, filters)
	while true do
		local name, after = s_match(rest, "^|([%w_]+)()");
		if not name then return value, rest; end
		rest = s_sub(rest, after);
		local filter = filters and filters[name];
		local arguments, stop = s_match(rest, "^(%b{})()");
		if arguments then
			rest = s_sub(rest, stop);
			arguments = look_up(values, s_sub(arguments, 2, -2));
		end
		if filter and value ~= nil then value = filter(value, arguments); end
	end
end

local function new(pattern, escape, filters)
	escape = escape or tostring;
	local render;

	local function each(list, text, values, iterate)
		local parts = {};
		for idx, item in iterate(list) do
			parts[#parts + 1] = render(text, setmetatable({ idx = idx; item = item }, { __index = values }));
		end
		return t_concat(parts);
	end

	local function replace(block, values)
		local inner = s_sub(block, 2, -2);
		local name, rest = s_match(inner, "^([%w_.-]+)(.*)$");
		if not name then return nil; end
		local value;
		value, rest = apply_filters(look_up(values, name), rest, values, filters);
		local operator, text = s_sub(rest, 1, 1), s_sub(rest, 2);
		if operator == "#" or operator == "%" then
			if type(value) ~= "table" then return ""; end
			return each(value, text, values, operator == "#" and ipairs or pairs);
		elseif operator == "&" then
			if not value then return ""; end
			return render(text, values);
		elseif operator == "~" then
			if value then return ""; end
			return render(text, values);
		elseif operator == "?" and not value then
			return render(text, values);
		end
		if value == nil then return nil; end
		if type(value) == "table" and not (getmetatable(value) or {}).__tostring then return nil; end
		value = tostring(value);
		if operator == "!" then return value; end
		return escape(value);
	end

	function render(template, values)
		return (s_gsub(template, pattern, function (block) return replace(block, values); end));
	end

	return render;
end

return { new = new };
