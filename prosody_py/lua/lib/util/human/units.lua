-- Numbers with units: 1234567, "B" is "1.23 MB".

local s_format, floor, abs, log = string.format, math.floor, math.abs, math.log;

local LARGE = { "k", "M", "G", "T", "P", "E", "Z", "Y" };
local SMALL = { "m", "\194\181", "n", "p", "f", "a", "z", "y" };
local BINARY = { "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi" };

-- Return the number that 1 of the fitting prefix stands for, and the prefix (nil for 1).
-- base "b": powers of 1024, else of 1000.
local function adjust(n, base)
	if n == 0 or n ~= n or n == 1 / 0 or n == -1 / 0 then return 1; end
	local size = base == "b" and 1024 or 1000;
	local power = floor(log(abs(n)) / log(size) + 1e-9);
	if power > 8 then power = 8; elseif power < -8 then power = -8; end
	if power > 0 then return size ^ power, (base == "b" and BINARY or LARGE)[power]; end
	if power < 0 and base ~= "b" then return size ^ power, SMALL[-power]; end
	return 1;
end

local function format(n, unit, base)
	local divisor, prefix = adjust(n, base);
	return s_format("%.3g %s%s", n / divisor, prefix or "", unit);
end

return { adjust = adjust; format = format };
