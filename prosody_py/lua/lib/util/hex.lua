-- Bytes as hexadecimal text.

local s_char, s_format, s_gsub = string.char, string.format, string.gsub;

local to_hex, from_hex = {}, {};
for i = 0, 255 do
	local char, code = s_char(i), s_format("%02x", i);
	to_hex[char] = code;
	from_hex[code] = char;
end

local function encode(data)
	return (s_gsub(data, ".", to_hex));
end

-- Anything that is no hexadecimal digit is skipped.
local function decode(text)
	return (s_gsub(s_gsub(text:lower(), "%X+", ""), "%x%x?", function (code)
		return from_hex[code] or "";
	end));
end

return { encode = encode; decode = decode; to = encode; from = decode };
