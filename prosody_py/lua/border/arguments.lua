-- What the functions of `module` are given: looked at before anything is done with it, so that
-- the message names the argument and the line of the module, and not a place in the server.

local methods, object_of, is_stanza = ...;
local type, error, select, tostring, next, tonumber = type, error, select, tostring, next, tonumber;

local function is(kind, what)
	return { what or kind, function (value) return type(value) == kind; end };
end

local function optional(kind)
	return { kind[1] .. " or nil", function (value) return not value or kind[2](value); end };
end

local TEXT, FUNCTION, TABLE = is("string", "a string"), is("function", "a function"),
	is("table", "a table");
local SOMETHING = { "a value", function (value) return value ~= nil; end };
local NUMBER = { "a number", function (value)
	local number = tonumber(value);
	return number ~= nil and number == number;
end };
local STANZA = { "a stanza of util.stanza", is_stanza };
local ANYTHING = { "anything", function () return true; end };
local HOOK = { TEXT, FUNCTION, optional(NUMBER) };

local EXPECTED = {
	hook = HOOK; hook_global = HOOK; hook_object_event = { TABLE, TEXT, FUNCTION, optional(NUMBER) };
	wrap_event = { optional(TEXT), FUNCTION }; wrap_global = { optional(TEXT), FUNCTION };
	wrap_object_event = { TABLE, optional(TEXT), FUNCTION };
	unhook = { TEXT }; unhook_object_event = { TABLE, TEXT }; fire_event = { TEXT };
	handle_items = { TEXT, FUNCTION, FUNCTION }; add_item = { TEXT, SOMETHING };
	remove_item = { TEXT, SOMETHING }; provides = { TEXT, optional(TABLE) };
	depends = { TEXT }; require = { TEXT }; context = { optional(TEXT) }; shared = { TEXT };
	open_store = { optional(TEXT), optional(TEXT) }; load_resource = { TEXT };
	send = { STANZA, optional(TABLE) }; send_iq = { STANZA, optional(TABLE), optional(NUMBER) };
	broadcast = { ANYTHING, STANZA }; add_timer = { NUMBER, FUNCTION };
};

local function shown(value)
	if value ~= value then return "NaN"; end
	local kind = type(value);
	if kind == "string" then return "the string '" .. value:sub(1, 40) .. "'"; end
	if kind == "number" then return "the number " .. tostring(value); end
	return kind;
end

for name, expected in next, EXPECTED do
	local original, count = methods[name], #expected;
	methods[name] = function (self, ...)
		object_of(self, name);
		for i = 1, count do
			local value = (select(i, ...));
			if not expected[i][2](value) then
				error("module:" .. name .. "(): argument " .. i .. " must be " .. expected[i][1]
					.. ", got " .. shown(value), 2);
			end
		end
		return original(self, ...);
	end
end
