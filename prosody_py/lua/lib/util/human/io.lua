-- Text for people at a terminal.

local s_rep, s_sub, s_format, s_match = string.rep, string.sub, string.format, string.match;
local type, tostring, tonumber, ipairs = type, tostring, tonumber, ipairs;
local t_concat, floor = table.concat, math.floor;

local len = utf8 and utf8.len or function (text)
	local _, continued = text:gsub("[\128-\191]", "");
	return #text - continued;
end;

local function width_of(text)
	return len(text) or #text;
end

-- The first `count` characters.
local function take(text, count)
	local kept, at = 0, 1;
	while at <= #text and kept < count do
		at = s_match(text, "^[%z\1-\127\192-\255]?[\128-\191]*()", at);
		kept = kept + 1;
	end
	return s_sub(text, 1, at - 1);
end

local function padright(text, width)
	return text .. s_rep(" ", width - width_of(text));
end

local function padleft(text, width)
	return s_rep(" ", width - width_of(text)) .. text;
end

local function ellipsis(text, width)
	if width_of(text) <= width then return text; end
	if width <= 1 then return "\226\128\166"; end
	return take(text, width - 1) .. "\226\128\166";
end

-- Widths of columns: a number, "20%" of the whole, or "2p" parts of what is left.
local function column_widths(columns, total, separator)
	local left = total - #separator * (#columns - 1);
	local whole, parts, widths = left, 0, {};
	for i, column in ipairs(columns) do
		local width = column.width or "1p";
		local percent = type(width) == "string" and s_match(width, "^([%d.]+)%%$");
		local part = type(width) == "string" and s_match(width, "^([%d.]+)p$");
		if part then
			parts = parts + tonumber(part);
		else
			widths[i] = percent and floor(whole * tonumber(percent) / 100) or tonumber(width);
			left = left - widths[i];
		end
	end
	for i, column in ipairs(columns) do
		if not widths[i] then
			local share = tonumber(s_match(column.width or "1p", "^[%d.]+")) / parts;
			widths[i] = floor(left * share);
			if widths[i] < 1 then widths[i] = 1; end
		end
	end
	return widths;
end

-- Return a function that makes the lines of a table: called with a row (values by the column's
-- key or its position), or with nothing for the headings. Then the total width, or a table's
-- columns: { title=, key=, width=, align="right", mapper=function (value, row) }.
local function new_table(columns, max_width)
	local separator = " | ";
	local total = max_width or tonumber(os.getenv("COLUMNS")) or 80;
	local widths = column_widths(columns, total, separator);
	return function (row)
		local cells = {};
		for i, column in ipairs(columns) do
			local value;
			if row == nil then
				value = column.title or "";
			else
				value = row[column.key or i];
				if column.mapper then value = column.mapper(value, row); end
				if value == nil then value = ""; end
			end
			value = ellipsis(tostring(value), widths[i]);
			cells[i] = (column.align == "right" and padleft or padright)(value, widths[i]);
		end
		return (t_concat(cells, separator):gsub("%s+$", ""));
	end, total;
end

local UNITS = {
	s = 1; sec = 1; second = 1; m = 60; min = 60; minute = 60; h = 3600; hour = 3600; d = 86400;
	day = 86400; w = 604800; week = 604800; month = 2629800; mon = 2629800; y = 31557600;
	year = 31557600;
};

-- Return the seconds of "2 days", "1h30m", "90"; nil when it is no duration.
local function parse_duration(text)
	if text == nil then return nil; end
	local number = tonumber(text);
	if number then return number; end
	local total, rest = 0, text:lower();
	while rest ~= "" do
		local count, unit, after = s_match(rest, "^%s*(%d+)%s*(%a+)[%s,]*()");
		if not count then return nil; end
		local size = UNITS[unit] or UNITS[(unit:gsub("s$", ""))];
		if not size then return nil; end
		total = total + tonumber(count) * size;
		rest = s_sub(rest, after);
	end
	return total;
end

local function format_duration(seconds)
	local parts = {};
	for _, unit in ipairs { { "day", 86400 }, { "hour", 3600 }, { "minute", 60 } } do
		local count = floor(seconds / unit[2]);
		if count > 0 then
			parts[#parts + 1] = s_format("%d %s%s", count, unit[1], count == 1 and "" or "s");
			seconds = seconds - count * unit[2];
		end
	end
	if seconds > 0 or not parts[1] then
		parts[#parts + 1] = s_format("%d second%s", floor(seconds), seconds == 1 and "" or "s");
	end
	return t_concat(parts, ", ");
end

-- The server has no terminal to ask at.
local function nobody()
	return nil, "there is nobody to ask";
end

return {
	padright = padright; padleft = padleft; ellipsis = ellipsis; table = new_table;
	parse_duration = parse_duration; format_duration = format_duration; term_width = function ()
		return tonumber(os.getenv("COLUMNS")) or 80;
	end;
	printf = function (form, ...) print(s_format(form, ...)); end;
	getchar = nobody; getline = nobody; getpass = nobody; read_password = nobody;
	show_prompt = nobody; show_yesno = nobody;
};
