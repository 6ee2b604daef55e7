-- string.format that never raises: for log messages.
--
-- %s takes any value. A wrong or missing argument shows as its text in brackets, and arguments
-- too many are added at the end. Control characters are made visible.

local s_format, s_gsub, s_find, s_char = string.format, string.gsub, string.find, string.char;
local tostring, select, type, pcall = tostring, select, type, pcall;
local floor = math.floor;
local valid_utf8 = require "util.encodings".utf8.valid;
local serialize = require "util.serialization".new({ preset = "debug" });

-- U+2400 and following draw the control characters; line ends get an indent instead.
local symbols = { ["\127"] = "\226\144\161" };
for i = 0, 31 do symbols[s_char(i)] = "\226\144" .. s_char(128 + i); end
symbols["\n"], symbols["\t"] = nil, nil;

-- The value is the smallest number that there is a form for.
local whole_numbers = { d = -2 ^ 53; i = -2 ^ 53; o = 0; u = 0; x = 0; X = 0; c = 0 };
local numbers = { a = true; A = true; e = true; E = true; f = true; g = true; G = true };

local function quote(text)
	return '"' .. s_gsub(text, "[%c\"\\\128-\255]", function (char)
		if char == "\n" then return "\\n"; end
		if char == '"' or char == "\\" then return "\\" .. char; end
		return s_format("\\%03d", char:byte());
	end) .. '"';
end

local function clean(text)
	if not valid_utf8(text) then return quote(text); end
	if s_find(text, "%c") then
		text = s_gsub(s_gsub(text, "[%z\1-\8\11-\31\127]", symbols), "\n\t?", "\n\t");
	end
	return text;
end

local function show(value)
	local ok, text = pcall(tostring, value);
	return clean(ok and type(text) == "string" and text or "(" .. type(value) .. ")");
end

-- Return one argument in one conversion.
local function convert(spec, value)
	local conversion = spec:sub(-1);
	if value == nil then return "(nil)"; end
	if conversion == "s" then
		return s_format(spec, show(value));
	elseif conversion == "q" then
		if type(value) == "string" then return (s_gsub(s_format("%q", value), "\\\n", "\\n")); end
		return serialize(value);
	elseif type(value) == "number" then
		local least = whole_numbers[conversion];
		if least and floor(value) == value and value >= least and value < 2 ^ 53 then
			if conversion == "u" then spec = spec:sub(1, -2) .. "d"; end
			return s_format(spec, value);
		elseif numbers[conversion] then
			return s_format(spec, value);
		end
	end
	return "[" .. show(value) .. "]";
end

local CONVERSION = "%%([%-+ #0]?[%-+ #0]?%d?%d?%.?%d?%d?)([%a%%]?)";

local function format(form, ...)
	local arguments, count, used = { ... }, select("#", ...), 0;
	local text = s_gsub(form, CONVERSION, function (flags, conversion)
		if conversion == "%" then return "%"; end
		if not (conversion == "s" or conversion == "q" or whole_numbers[conversion]
			or numbers[conversion]) then
			return nil;
		end
		used = used + 1;
		local ok, result = pcall(convert, "%" .. flags .. conversion, arguments[used]);
		return ok and result or "[" .. show(arguments[used]) .. "]";
	end);
	for i = used + 1, count do
		text = text .. " [" .. (arguments[i] == nil and "(nil)" or show(arguments[i])) .. "]";
	end
	return text;
end

return { format = format };
