-- XMPP date and time profiles (XEP-0082), always UTC. Times are seconds since 1970.

local os_date, os_time = os.date, os.time;
local floor = math.floor;
local s_format, s_match = string.format, string.match;
local tonumber = tonumber;

-- os.date wants a whole number; Lua 5.4 refuses 3.0 only where it has a fraction.
local function whole(t)
	return floor(t or os_time());
end

-- Fractions are written down to microseconds.
local function with_fraction(form, t, suffix)
	t = t or os_time();
	local micro = floor((t % 1) * 1000000 + 0.5);
	if micro == 1000000 then t, micro = floor(t) + 1, 0; end
	local text = os_date(form, floor(t));
	if micro > 0 then text = s_format("%s.%06d", text, micro); end
	return text .. suffix;
end

local function date(t)
	return os_date("!%Y-%m-%d", whole(t));
end

local function datetime(t)
	return with_fraction("!%Y-%m-%dT%H:%M:%S", t, "Z");
end

local function time(t)
	return with_fraction("!%H:%M:%S", t, "");
end

local function legacy(t)
	return os_date("!%Y%m%dT%H:%M:%S", whole(t));
end

-- Days since 1970-01-01 in the Gregorian calendar.
local function days_since_epoch(year, month, day)
	if month <= 2 then year, month = year - 1, month + 12; end
	local era_days = 365 * year + floor(year / 4) - floor(year / 100) + floor(year / 400);
	return era_days + floor((153 * (month - 3) + 2) / 5) + day - 719469;
end

-- Return the time that a text means, nil for anything that is no date with time.
local function parse(text)
	if not text then return nil; end
	local year, month, day, hour, minute, second, rest =
		s_match(text, "^(%d%d%d%d)%-?(%d%d)%-?(%d%d)T(%d%d):(%d%d):(%d%d%.?%d*)(.*)$");
	if not year then return nil; end
	year, month, day = tonumber(year), tonumber(month), tonumber(day);
	hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second);
	if month < 1 or month > 12 or day < 1 or day > 31 or hour > 24 or minute > 59
		or second >= 61 then
		return nil;
	end
	local offset = 0;
	if rest ~= "" and rest ~= "Z" then
		local sign, hours, minutes = s_match(rest, "^([+-])(%d%d):?(%d*)$");
		if not sign then return nil; end
		offset = tonumber(hours) * 3600 + (tonumber(minutes) or 0) * 60;
		if sign == "-" then offset = -offset; end
	end
	return days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
end

return { date = date; datetime = datetime; time = time; legacy = legacy; parse = parse };
