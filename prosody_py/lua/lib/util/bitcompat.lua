-- Bit operations on unsigned 32-bit numbers, whatever Lua has for them.

local bit = require "bit";

local function unsigned(f)
	return function (...) return f(...) % 0x100000000; end;
end

return {
	band = unsigned(bit.band); bor = unsigned(bit.bor); bxor = unsigned(bit.bxor);
	lshift = unsigned(bit.lshift); rshift = unsigned(bit.rshift); bnot = unsigned(bit.bnot);
};
