-- The bit operations of Lua 5.2: on numbers of 32 bits, with results that are not negative.

local bit = require "bit";

local select = select;
local LIMIT = 4294967296;

local function unsigned(value)
	return value % LIMIT;
end

local function of_many(operation, neutral)
	return function (...)
		local result = neutral;
		for i = 1, select("#", ...) do result = operation(result, (select(i, ...))); end
		return unsigned(result);
	end;
end

-- Shifts by 32 and more give 0; by less than 0 they go the other way.
local function lshift(value, by)
	if by >= 32 or by <= -32 then return 0; end
	if by < 0 then return unsigned(bit.rshift(value, -by)); end
	return unsigned(bit.lshift(value, by));
end

local function arshift(value, by)
	if by < 0 then return lshift(value, -by); end
	return unsigned(bit.arshift(value, by > 31 and 31 or by));
end

local function mask(width)
	return width >= 32 and LIMIT - 1 or 2 ^ width - 1;
end

local function extract(value, field, width)
	return unsigned(bit.band(lshift(value, -field), mask(width or 1)));
end

local function replace(value, new, field, width)
	local bits = lshift(mask(width or 1), field);
	return unsigned(bit.bor(bit.band(value, bit.bnot(bits)), bit.band(lshift(new, field), bits)));
end

local band = of_many(bit.band, -1);

return {
	band = band; bor = of_many(bit.bor, 0); bxor = of_many(bit.bxor, 0);
	bnot = function (value) return unsigned(bit.bnot(value)); end;
	btest = function (...) return band(...) ~= 0; end;
	lshift = lshift; rshift = function (value, by) return lshift(value, -by); end;
	arshift = arshift; extract = extract; replace = replace;
	lrotate = function (value, by) return unsigned(bit.rol(value, by % 32)); end;
	rrotate = function (value, by) return unsigned(bit.ror(value, by % 32)); end;
};
