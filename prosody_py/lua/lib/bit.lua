-- 32-bit operations with signed results, as in LuaJIT's bit library.

local jit_bit = rawget(_G, "jit") and package.loaded.bit or rawget(_G, "bit");
if jit_bit and jit_bit.band then return jit_bit; end

-- The operators of Lua 5.3 and later are a syntax error elsewhere, so they stand in a text.
local ops = load [[
	local function signed(x)
		x = x & 0xFFFFFFFF;
		if x >= 0x80000000 then return x - 0x100000000; end
		return x;
	end
	local function integer(x)
		return math.tointeger(x) or math.floor(x + 0.5);
	end
	local function fold(f)
		return function (first, ...)
			local result = integer(first);
			for i = 1, select("#", ...) do result = f(result, integer((select(i, ...)))); end
			return signed(result);
		end;
	end
	local function u32(x) return integer(x) & 0xFFFFFFFF; end
	local bit = {
		tobit = function (x) return signed(integer(x)); end;
		bnot = function (x) return signed(~integer(x)); end;
		band = fold(function (a, b) return a & b; end);
		bor = fold(function (a, b) return a | b; end);
		bxor = fold(function (a, b) return a ~ b; end);
		lshift = function (x, n) return signed(u32(x) << (integer(n) & 31)); end;
		rshift = function (x, n) return signed(u32(x) >> (integer(n) & 31)); end;
		arshift = function (x, n) return signed(signed(u32(x)) // (1 << (integer(n) & 31))); end;
	};
	function bit.rol(x, n)
		x, n = u32(x), integer(n) & 31;
		return signed(x << n | x >> (32 - n));
	end
	function bit.ror(x, n)
		return bit.rol(x, 32 - (integer(n) & 31));
	end
	function bit.bswap(x)
		x = u32(x);
		return signed(x >> 24 | x >> 8 & 0xFF00 | x << 8 & 0xFF0000 | x << 24);
	end
	function bit.tohex(x, n)
		n = n or 8;
		local form = n < 0 and "%08X" or "%08x";
		return (form:format(u32(x)):sub(-math.abs(n)));
	end
	return bit;
]];

return ops();
