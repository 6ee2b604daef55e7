-- Bitwise operations on whole strings; the second is repeated to the length of the first.

local bit = require "bit";

local s_byte, s_char, t_concat = string.byte, string.char, table.concat;

local function on_bytes(op)
	return function (a, b)
		if #b == 0 then return a; end
		local out = {};
		for i = 1, #a do
			out[i] = s_char(op(s_byte(a, i), s_byte(b, (i - 1) % #b + 1)));
		end
		return t_concat(out);
	end;
end

-- How many bits two strings have in common at their start.
local function common_prefix_bits(a, b)
	local length = #a < #b and #a or #b;
	for i = 1, length do
		local different = bit.bxor(s_byte(a, i), s_byte(b, i));
		if different ~= 0 then
			local bits = (i - 1) * 8;
			while different < 128 do
				different, bits = different * 2, bits + 1;
			end
			return bits;
		end
	end
	return length * 8;
end

return {
	sand = on_bytes(bit.band); sor = on_bytes(bit.bor); sxor = on_bytes(bit.bxor);
	common_prefix_bits = common_prefix_bits;
};
