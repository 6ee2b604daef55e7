-- Timers: add_task(seconds, f, param) calls f(now, id, param); a number that f returns is after
-- how many seconds it runs again.

local driver = require "native.driver";
local now = require "util.time".now;

local type, tonumber, error = type, tonumber, error;

local tasks = {}; -- id given out -> { id of the driver's timer }

local function schedule(id, task, delay)
	task.timer = driver.add_timer(delay > 0 and delay or 0, function ()
		if tasks[id] ~= task then return; end
		task.timer = nil;
		local again = task.f(now(), id, task.param);
		if tasks[id] ~= task or task.timer ~= nil then return; end
		if type(again) == "number" then
			schedule(id, task, again);
		else
			tasks[id] = nil;
		end
	end);
end

-- Return an identifier for stop and reschedule.
local function add_task(delay, f, param)
	delay = tonumber(delay);
	if not delay or delay ~= delay then
		error("timer.add_task(): argument 1 must be a number of seconds", 2);
	elseif type(f) ~= "function" then
		error("timer.add_task(): argument 2 must be a function, got " .. type(f), 2);
	end
	local id = {};
	local task = { f = f; param = param };
	tasks[id] = task;
	schedule(id, task, delay);
	return id;
end

local function stop(id)
	local task = tasks[id];
	if not task then return nil; end
	tasks[id] = nil;
	if task.timer ~= nil then driver.cancel_timer(task.timer); end
	return task.f, id, task.param;
end

-- Let a timer run `delay` seconds from now instead. Return its identifier.
local function reschedule(id, delay)
	local task = tasks[id];
	if not task then return nil; end
	if task.timer ~= nil then driver.cancel_timer(task.timer); end
	schedule(id, task, delay);
	return id;
end

return {
	add_task = add_task; _add_task = add_task; stop = stop; reschedule = reschedule;
	to_absolute_time = function (delay) return now() + delay; end;
};
