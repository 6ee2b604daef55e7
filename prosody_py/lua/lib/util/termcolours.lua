-- Colours for terminals: getstyle(name, ...), getstring(style, text), setstyle(style), tohtml(text).

local io, ipairs, tonumber, tostring = io, ipairs, tonumber, tostring;
local math_floor = math.floor;
local s_gsub, s_match = string.gsub, string.match;
local t_concat = table.concat;

local STYLES = {
	reset = 0; bright = 1; bold = 1; dim = 2; underscore = 4; underline = 4; reverse = 7;
};
local CSS = {
	["1"] = "font-weight: bold"; ["2"] = "opacity: 0.7"; ["4"] = "text-decoration: underline";
};
for i, colour in ipairs { "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white" } do
	STYLES[colour], STYLES[colour .. " background"] = 29 + i, 39 + i;
	CSS[tostring(29 + i)], CSS[tostring(39 + i)] = "color: " .. colour, "background-color: " .. colour;
end

-- The nearest of the 216 colours of the cube that terminals have.
local function cube(hex)
	local index = 16;
	for i = 1, 5, 2 do
		local level = math_floor(tonumber(hex:sub(i, i + 1), 16) / 255 * 5 + 0.5);
		index = index + level * 6 ^ ((5 - i) / 2);
	end
	return "38;5;" .. math_floor(index);
end

-- Return the style of several names or colours (six hexadecimal digits).
local function getstyle(...)
	local parts = {};
	for _, name in ipairs { ... } do
		local part = STYLES[name] or s_match(name, "^%x%x%x%x%x%x$") and cube(name);
		if part then parts[#parts + 1] = tostring(part); end
	end
	return t_concat(parts, ";");
end

local function getstring(style, text)
	if not style then return text; end
	return "\27[" .. style .. "m" .. text .. "\27[0m";
end

local function setstyle(style)
	io.write("\27[" .. (style or "0") .. "m");
end

local function to_css(codes)
	local css = {};
	for code in codes:gmatch("%d+") do css[#css + 1] = CSS[code]; end
	return "</span><span style='" .. t_concat(css, "; ") .. "'>";
end

local function tohtml(text)
	return s_gsub(text, "\27%[([%d;]*)m", function (codes)
		return codes == "0" and "</span>" or to_css(codes);
	end);
end

return { getstyle = getstyle; getstring = getstring; setstyle = setstyle; tohtml = tohtml };
