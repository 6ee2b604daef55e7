-- Timers that go off unless they are reset in time.

local timer = require "util.timer";

local setmetatable = setmetatable;

local methods = {};
local watchdog_mt = { __index = methods };

-- callback(watchdog) is called after `timeout` seconds without reset; when it returns true the
-- watchdog starts again.
local function new(timeout, callback)
	local watchdog = setmetatable({ timeout = timeout; callback = callback }, watchdog_mt);
	watchdog:reset();
	return watchdog;
end

function methods:reset(new_timeout)
	if new_timeout then self.timeout = new_timeout; end
	if self.timer_id then timer.stop(self.timer_id); end
	self.timer_id = timer.add_task(self.timeout, function ()
		self.timer_id = nil;
		if self:callback() == true and not self.timer_id then self:reset(); end
	end);
end

function methods:cancel()
	if self.timer_id then
		timer.stop(self.timer_id);
		self.timer_id = nil;
	end
end

return { new = new };
