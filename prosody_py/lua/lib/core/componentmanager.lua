-- What Prosody has left of it: each member is a function that does nothing, and using it is logged.

local log = require "util.logger".init("componentmanager");
local traceback = debug.traceback;

return setmetatable({}, { __index = function (_, name)
	log("warn", "A module uses core.componentmanager.%s, which is gone since Prosody 0.9; "
		.. "a component is a module on a host of its own: %s", name, traceback("", 2));
	return function () end;
end });
