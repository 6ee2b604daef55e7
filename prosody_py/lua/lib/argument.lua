-- Checks of arguments with the messages of Lua's own functions.

local type, error, tostring, s_format = type, error, tostring, string.format;

local function bad(position, name, wanted, got)
	error(s_format("bad argument #%d to '%s' (%s expected, got %s)", position, name, wanted, got), 4);
end

-- Return the argument as a string: like Lua's own functions this takes numbers too.
local function want_string(value, position, name)
	local kind = type(value);
	if kind == "string" then return value; end
	if kind == "number" then return tostring(value); end
	return bad(position, name, "string", kind == "nil" and "no value" or kind);
end

local function want_number(value, position, name)
	if type(value) == "number" then return value; end
	return bad(position, name, "number", type(value) == "nil" and "no value" or type(value));
end

-- Let functions of strings check their first `count` arguments.
local function on_strings(functions, count)
	local checked = {};
	for name, f in pairs(functions) do
		if count == 1 then
			checked[name] = function (a, ...) return f(want_string(a, 1, name), ...); end;
		else
			checked[name] = function (a, b, ...)
				return f(want_string(a, 1, name), want_string(b, 2, name), ...);
			end;
		end
	end
	return checked;
end

return { string = want_string; number = want_number; on_strings = on_strings };
