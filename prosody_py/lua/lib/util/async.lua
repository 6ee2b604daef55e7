-- Waiting in Lua code.
--
-- Who may wait: code in a runner, and any code in a coroutine that the driver resumes, which is
-- every entry from the server into Lua. ready() is true for both.
--
-- In a runner, wait() yields (WAIT, runner) to runner:run(), which returns to its caller; done()
-- makes the runner go on at once, inside the call of done(). Whatever else is yielded in a runner
-- is a request to the driver: run() passes it on to the coroutine around it, and the answer back.
--
-- Outside of a runner, wait() calls driver.wait(state) with a table of its own, which returns after
-- driver.wake(state) was called. `state.woken` is true when that happened before.

local driver = require "native.driver";
local promise = require "util.promise";

local co_create, co_resume, co_yield, co_status, co_running =
	coroutine.create, coroutine.resume, coroutine.yield, coroutine.status, coroutine.running;
local isyieldable = coroutine.isyieldable;
local setmetatable, select, error, tostring = setmetatable, select, error, tostring;
local t_insert, t_remove = table.insert, table.remove;
local traceback = debug.traceback;

local WAIT = {};

local runner_of = setmetatable({}, { __mode = "k" }); -- coroutine -> runner
local waiting_runners = setmetatable({}, { __mode = "k" });
local schedule; -- function (f, ...): how a runner goes on after done(), nil for at once
local next_tick = driver.next_tick;

local runner_mt = { __name = "runner" };
runner_mt.__index = runner_mt;

local function current_runner()
	local thread = co_running();
	return thread and runner_of[thread];
end

local function ready()
	return current_runner() ~= nil or isyieldable();
end

local function require_ready()
	if not ready() then error("Not running in an async context: nothing here can wait", 3); end
end

-- Call a watcher when the state is not the one it was told last.
local function notify(self)
	while self.notified_state ~= self.state do
		self.notified_state = self.state;
		local watcher = self.watchers and self.watchers[self.state];
		if watcher then watcher(self); end
	end
end

local function work_through(self)
	return function (input)
		while true do
			self.func(input, self);
			input = co_yield(self);
		end
	end;
end

local function fail(self, thread, err)
	local watcher = self.watchers and self.watchers.error;
	self.thread = nil;
	if watcher then
		watcher(self, err, thread);
	else
		driver.log(self.id, "error", "Error in a runner: " .. traceback(thread, tostring(err)));
	end
end

-- Take what a resume returned. Return true when the thread wants the next input.
local function take(self, thread, ok, what, ...)
	while ok and what ~= WAIT and what ~= self do
		-- A request to the driver goes through; if nobody is there to take it, that is an error.
		if not isyieldable() then
			ok, what = false, "attempt to yield outside of a coroutine of the driver";
			break;
		end
		return take(self, thread, co_resume(thread, co_yield(what, ...)));
	end
	if not ok then
		fail(self, thread, what);
		return true;
	end
	return what == self;
end

local function new_thread(self)
	local thread = co_create(work_through(self));
	runner_of[thread] = self;
	return thread;
end

-- Work on the queue until it is empty or the function waits.
local function process(self)
	while self.queue[1] ~= nil do
		local input = t_remove(self.queue, 1);
		if not self.thread or co_status(self.thread) == "dead" then self.thread = new_thread(self); end
		local thread = self.thread;
		self.state = "running";
		if not take(self, thread, co_resume(thread, input.value)) then
			self.state = "waiting";
			waiting_runners[self] = true;
			notify(self);
			return;
		end
		self.state = "ready";
	end
	self.state = "ready";
	notify(self);
end

function runner_mt:enqueue(input)
	t_insert(self.queue, { value = input });
	return self;
end

-- Queue an input and work on the queue. Return true, the state and how much is queued.
function runner_mt:run(input)
	if input ~= nil then self:enqueue(input); end
	if self.state == "ready" then process(self); end
	return true, self.state, #self.queue;
end

function runner_mt:log(level, form, ...)
	driver.log(self.id, level, require "util.format".format(form, ...));
end

local function set_watcher(name)
	return function (self, f)
		self.watchers = self.watchers or {};
		self.watchers[name] = f;
		return self;
	end;
end

runner_mt.onready, runner_mt.onwaiting, runner_mt.onerror =
	set_watcher("ready"), set_watcher("waiting"), set_watcher("error");

local function default_runner_func(f)
	return f();
end

-- runner(func, watchers, data): func(input, runner) is called for each input of run(), one after
-- the other. watchers: functions ready(runner), waiting(runner), error(runner, err, thread).
local function runner(func, watchers, data)
	local self = setmetatable({
		func = func or default_runner_func; watchers = watchers or {}; data = data;
		state = "ready"; notified_state = "ready"; queue = {};
	}, runner_mt);
	self.id = "runner" .. tostring(self):match("%w*$");
	return self;
end

local function resume_runner(self, thread)
	if self.state ~= "waiting" or self.thread ~= thread then return; end
	waiting_runners[self] = nil;
	self.state = "running";
	if not take(self, thread, co_resume(thread)) then
		self.state = "waiting";
		waiting_runners[self] = true;
	else
		self.state = "ready";
		process(self);
	end
	notify(self);
end

local function wake_runner(self, thread)
	-- done() may come while the runner still runs on the way to its yield.
	if self.state ~= "waiting" then
		return next_tick(function () wake_runner(self, thread); end);
	end
	if schedule then return schedule(resume_runner, self, thread); end
	return resume_runner(self, thread);
end

-- Return wait and done: wait() returns when done() was called `count` times (1 when missing).
-- allow_many: more calls of done() than that are no error.
local function waiter(count, allow_many)
	require_ready();
	local left = count or 1;
	local state = { woken = false };
	local waiting_for;

	local function wait()
		if left <= 0 then return; end
		local self = current_runner();
		if self then
			local thread = co_running();
			waiting_for = function () wake_runner(self, thread); end;
			co_yield(WAIT, self);
		else
			require_ready();
			waiting_for = function () driver.wake(state); end;
			driver.wait(state);
		end
	end

	local function done()
		left = left - 1;
		if left == 0 then
			state.woken = true;
			local wake = waiting_for;
			waiting_for = nil;
			if wake then wake(); end
		elseif left < 0 and not allow_many then
			error("done() called too many times", 2);
		end
	end

	return wait, done;
end

-- Return a function guard(id, func) that lets one user of an id in at a time: it waits until the
-- id is free and returns the function that leaves. With func it calls that and leaves.
local function guarder()
	local guards = {};
	return function (id, func)
		id = id or "default";
		while guards[id] do
			local wait, done = waiter();
			t_insert(guards[id], done);
			wait();
		end
		local queue = {};
		guards[id] = queue;
		local function leave()
			if guards[id] ~= queue then return; end
			guards[id] = nil;
			for i = 1, #queue do queue[i](); end
		end
		if not func then return leave; end
		func();
		return leave();
	end;
end

local function sleep(seconds)
	local wait, done = waiter();
	driver.add_timer(seconds, done);
	wait();
end

-- Wait for a promise. Return its value, or nil and the reason.
local function wait_for(value)
	if not promise.is_promise(value) then return value; end
	local wait, done = waiter();
	local result, reason, rejected;
	value:next(function (got)
		result = got;
		done();
	end, function (why)
		reason, rejected = why, true;
		done();
	end);
	wait();
	if rejected then return nil, reason; end
	return result;
end

-- Run a function once, in a runner of its own.
local function once(f, ...)
	local arguments, count = { ... }, select("#", ...);
	return (runner(function ()
		f((table.unpack or unpack)(arguments, 1, count));
	end):run(true));
end

local function set_nexttick(f)
	next_tick = f or driver.next_tick;
end

local function set_schedule_function(f)
	schedule = f;
end

return {
	ready = ready; waiter = waiter; guarder = guarder; runner = runner; once = once;
	wait = wait_for; wait_for = wait_for; sleep = sleep; set_nexttick = set_nexttick;
	set_schedule_function = set_schedule_function; waiting_runners = waiting_runners;
	default_runner_func = default_runner_func;
};
