-- Text forms of bytes: hexadecimal, base32, base64, base64url and bits.
-- from_x(text[, ignored characters]) returns nil and a reason for text that is not of the form.

local hex = require "util.hex";
local base64 = require "util.encodings".base64;
local argument = require "argument";

local math_floor = math.floor;
local s_byte, s_char, s_gsub, s_rep, s_sub, s_upper =
	string.byte, string.char, string.gsub, string.rep, string.sub, string.upper;
local t_concat = table.concat;

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
local VALUES = {};
for i = 1, #ALPHABET do VALUES[s_byte(ALPHABET, i)] = i - 1; end
local PADDING = { [0] = 0; 6; 4; 3; 1 };

local function to_base32(data)
	data = argument.string(data, 1, "to_base32");
	local out, value, bits = {}, 0, 0;
	for i = 1, #data do
		value, bits = value * 256 + s_byte(data, i), bits + 8;
		while bits >= 5 do
			bits = bits - 5;
			local index = math_floor(value / 2 ^ bits);
			value = value % 2 ^ bits;
			out[#out + 1] = s_sub(ALPHABET, index + 1, index + 1);
		end
	end
	if bits > 0 then
		local index = value * 2 ^ (5 - bits);
		out[#out + 1] = s_sub(ALPHABET, index + 1, index + 1);
	end
	return t_concat(out) .. s_rep("=", PADDING[#data % 5]);
end

-- Return the text without the characters to be ignored.
local function stripped(text, ignored, name)
	text = argument.string(text, 1, name);
	if not ignored or ignored == "" then return text; end
	return (s_gsub(text, "[" .. s_gsub(ignored, "%W", "%%%0") .. "]", ""));
end

local function from_base32(text, ignored)
	text = s_gsub(s_upper(stripped(text, ignored, "from_base32")), "=+$", "");
	local out, value, bits = {}, 0, 0;
	for i = 1, #text do
		local digit = VALUES[s_byte(text, i)];
		if not digit then return nil, "unexpected character at position " .. i; end
		value, bits = value * 32 + digit, bits + 5;
		if bits >= 8 then
			bits = bits - 8;
			out[#out + 1] = s_char(math_floor(value / 2 ^ bits));
			value = value % 2 ^ bits;
		end
	end
	return t_concat(out);
end

local function from_base64(text, ignored)
	local data = base64.decode(stripped(text, ignored, "from_base64"));
	if not data then return nil, "unexpected character"; end
	return data;
end

local function to_base64(data)
	return base64.encode(argument.string(data, 1, "to_base64"));
end

local function to_url64(data)
	return (s_gsub(to_base64(data), "[+/=]", { ["+"] = "-"; ["/"] = "_"; ["="] = "" }));
end

local function from_url64(text, ignored)
	text = stripped(text, ignored, "from_url64");
	if text:find("[^%w_=-]") then return nil, "unexpected character"; end
	return from_base64((s_gsub(text, "[-_]", { ["-"] = "+"; ["_"] = "/" })));
end

local function from_hex(text, ignored)
	local data = hex.decode(stripped(text, ignored, "from_hex"));
	if not data then return nil, "unexpected character"; end
	return data;
end

local function to_hex(data)
	return s_upper(hex.encode(argument.string(data, 1, "to_hex")));
end

local function to_bit(data)
	return (s_gsub(argument.string(data, 1, "to_bit"), ".", function (char)
		local byte, bits = s_byte(char), {};
		for i = 8, 1, -1 do
			bits[i] = byte % 2 == 1 and "1" or "0";
			byte = math_floor(byte / 2);
		end
		return t_concat(bits);
	end));
end

local function from_bit(text, ignored)
	text = stripped(text, ignored, "from_bit");
	if text:find("[^01]") or #text % 8 ~= 0 then return nil, "unexpected character"; end
	return (s_gsub(text, "........", function (bits) return s_char(tonumber(bits, 2)); end));
end

return {
	to_hex = to_hex; from_hex = from_hex; to_bit = to_bit; from_bit = from_bit;
	to_base32 = to_base32; from_base32 = from_base32;
	to_base64 = to_base64; from_base64 = from_base64; to_url64 = to_url64; from_url64 = from_url64;
};
