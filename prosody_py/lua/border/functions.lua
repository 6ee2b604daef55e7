-- Functions are tables of their upvalues, as in Prosody: modules that move a session to another
-- connection write `session.send.session = other`.

local debug = ...;
local getupvalue, setupvalue = debug.getupvalue, debug.setupvalue;

local function find(f, wanted)
	local i = 1;
	while true do
		local name, value = getupvalue(f, i);
		if not name then return nil; end
		if name == wanted and name ~= "" then return i, value; end
		i = i + 1;
	end
end

debug.setmetatable(find, {
	__index = function (f, name)
		local _, value = find(f, name);
		return value;
	end;
	-- A name that the function does not use is nothing to it.
	__newindex = function (f, name, value)
		local i = find(f, name);
		if i then setupvalue(f, i, value); end
	end;
});
