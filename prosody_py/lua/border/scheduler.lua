-- Entries into Lua and requests out of it.
--
-- Python enters through `enter`, which runs a function in a coroutine of a pool. Whatever may
-- block is a request: it yields to the driver in Python, which does the work with no Lua frame
-- below it and comes back through `resume`. Results of both functions, as Python sees them:
--     nothing or one value            the function has returned that
--     DONE, ...                       it has returned several values
--     REQUEST, slot, function, ...    call that function, then resume(slot, ok, results...)
--     FAILED, value, traceback        it has raised an error

local config = ...;
local time_limit = config.time_limit;
local create, raw_resume, yield, status, running, isyieldable =
	coroutine.create, coroutine.resume, coroutine.yield, coroutine.status, coroutine.running,
	coroutine.isyieldable;
local error, select, type, setmetatable, tostring, collectgarbage =
	error, select, type, setmetatable, tostring, collectgarbage;
local clock, sethook, getinfo, traceback, format =
	os.clock, debug.sethook, debug.getinfo, debug.traceback, string.format;

local unpack = table.unpack or unpack;

local DONE, REQUEST, FAILED = 0, 1, 2;
local NO_MEMORY = "not enough memory";
local FINISHED, FINISHED_ONE, ASK = {}, {}, {}; -- what a coroutine yields, first value
local HOOK_EVERY = 1000000; -- instructions, about 10 ms

local workers = {}; -- slot -> coroutine
local nested = {}; -- slot -> true when another Lua frame is below this entry
local free, free_count, slot_count = {}, 0, 0;
local free_one, free_one_count = {}, 0; -- slots with a worker for one argument and one result
local is_worker = setmetatable({}, { __mode = "k" });
local current; -- the slot that is running, nil outside of Lua
local started = false; -- CPU time when the hook first saw the running entry

-- Time limit --------------------------------------------------------------------------------

local expired = false;
local OWN_SOURCE = getinfo(1, "S").source;
local hooks_are_shared = jit ~= nil; -- LuaJIT has one hook for all coroutines

local function on_count()
	if not current then -- the border's own functions, which LuaJIT's one hook sees too
		started = false;
		return;
	end
	local now = clock();
	if not started then
		started = now;
	elseif now - started >= time_limit then
		expired = true;
		-- From now on at each instruction, so that no pcall keeps the loop alive.
		sethook(on_count, "", 1);
		local where = getinfo(2, "Sl");
		if not current or where and where.source == OWN_SOURCE then return; end
		error(format("%s:%d: interrupted, it has run for %g seconds without a pause",
			where and where.short_src or "?", where and where.currentline or 0, time_limit), 0);
	end
end

local function watch(co)
	if hooks_are_shared then
		sethook(on_count, "", HOOK_EVERY);
	else
		sethook(co, on_count, "", HOOK_EVERY);
	end
end

-- Entries -----------------------------------------------------------------------------------

local function call(f, ...)
	return FINISHED, f(...);
end

-- An idle worker keeps its last results, but neither the function nor what it was given.
local function work_on(...)
	return work_on(call(yield(...)));
end

local function work(f, ...)
	return work_on(call(f, ...));
end

-- The same for one argument and one result, which costs less. It keeps no argument either.
local function work_on_one(f, argument)
	while true do
		local result = f(argument);
		f, argument = nil, nil;
		f, argument = yield(FINISHED_ONE, result);
	end
end

local function settle(slot, below, below_started, ok, tag, ...)
	current, started = below, below_started;
	if ok then
		if tag == FINISHED then
			free_count = free_count + 1;
			free[free_count] = slot;
			if select("#", ...) < 2 then return (...); end
			return DONE, ...;
		elseif tag == FINISHED_ONE then
			free_one_count = free_one_count + 1;
			free_one[free_one_count] = slot;
			return (...);
		elseif tag == ASK then
			return REQUEST, slot, unpack((...), 1, (...).n);
		end
		tag = "attempt to yield from outside a coroutine";
	end
	local co = workers[slot];
	workers[slot] = nil;
	if tag == NO_MEMORY then
		co = nil; -- with it goes what it held
		collectgarbage();
	end
	free_count = free_count + 1;
	free[free_count] = slot;
	if expired then
		expired = false;
		if hooks_are_shared then watch(); end
	end
	if not co then return FAILED, tag, tag; end
	return FAILED, tag, traceback(co, type(tag) == "table" and "error value" or tostring(tag));
end

-- A slot with a new worker.
local function employ(what)
	local slot;
	if free_count > 0 then
		slot = free[free_count];
		free_count = free_count - 1;
	else
		slot_count = slot_count + 1;
		slot = slot_count;
	end
	local co = workers[slot];
	if not co or what ~= work then
		co = create(what);
		watch(co);
		workers[slot] = co;
		is_worker[co] = true;
	end
	return slot, co;
end

local function enter(f, ...)
	local slot, co = employ(work);
	local below, below_started = current, started;
	nested[slot] = below ~= nil;
	current, started = slot, false;
	return settle(slot, below, below_started, raw_resume(co, f, ...));
end

local function pack(...) return { n = select("#", ...), ... }; end

-- For handlers of events, of whose results only the first one counts. When one has not ended at
-- once, what `enter` would return comes in a list, behind nil.
local function enter_one(f, argument)
	local slot, co;
	if free_one_count > 0 then
		slot = free_one[free_one_count];
		free_one_count = free_one_count - 1;
		co = workers[slot];
	else
		slot, co = employ(work_on_one);
	end
	local below, below_started = current, started;
	nested[slot] = below ~= nil;
	current, started = slot, false;
	local ok, tag, result = raw_resume(co, f, argument);
	if tag ~= FINISHED_ONE then
		return nil, pack(settle(slot, below, below_started, ok, tag, result));
	end
	current, started = below, below_started;
	free_one_count = free_one_count + 1;
	free_one[free_one_count] = slot;
	return result;
end

local function resume(slot, ...)
	local below, below_started = current, started;
	current, started = slot, false;
	return settle(slot, below, below_started, raw_resume(workers[slot], ...));
end

-- Forget an entry whose driver has gone away in the middle of a request.
local function abandon(slot)
	workers[slot] = nil;
	free_count = free_count + 1;
	free[free_count] = slot;
end

-- Nothing is running: called when an entry has ended in an error outside of its coroutine.
local function recover() current, started = nil, false; end

-- Finalizers --------------------------------------------------------------------------------
-- Lua runs them with hooks switched off, in the middle of whatever makes garbage. In a coroutine
-- of their own the hook is on, and their time is their own.

local finalizers = setmetatable({}, { __mode = "k" });
local finalizer_failed;
local FINALIZER = 0; -- the slot of all finalizers; nothing in them can wait

local function finalizer(f)
	if type(f) ~= "function" or finalizers[f] then return f; end
	local function run(object)
		local co = create(f);
		watch(co);
		local below, below_started, began = current, started, clock();
		nested[FINALIZER], current, started = true, FINALIZER, false;
		local ok, problem = raw_resume(co, object);
		current = below;
		started = below_started and below_started + (clock() - began);
		if expired then
			expired = false;
			if hooks_are_shared then watch(); end
		end
		if not ok and finalizer_failed then
			finalizer_failed("Error in a finalizer (__gc): "
				.. (type(problem) == "string" and problem or "(error value is a "
				.. type(problem) .. ")"));
		end
	end
	finalizers[run] = true;
	return run;
end

local function on_finalizer_error(f) finalizer_failed = f; end

-- A handler of errors is called from inside the hook, where no hook is seen: an expired entry
-- goes without.
local native_xpcall = xpcall;
local function guarded_xpcall(f, handler, ...)
	if type(handler) ~= "function" then return native_xpcall(f, handler, ...); end
	return native_xpcall(f, function (problem)
		if expired then return problem; end
		return handler(problem);
	end, ...);
end

-- Requests ----------------------------------------------------------------------------------

local function answered(ok, ...)
	if ok then return ...; end
	error((...), 0);
end

local CANNOT_YIELD = "this call may have to wait, which Lua cannot do inside a callback of "
	.. "table.sort, string.gsub and the like";

local function request(f, ...)
	if not current then
		error("this call may have to wait, and nothing here can wait for it", 0);
	elseif nested[current] then
		error("this call may have to wait, which is not possible in a function that was called "
			.. "from a call that must not wait", 0);
	elseif not isyieldable() then
		error(CANNOT_YIELD, 3);
	end
	return answered(yield(ASK, { n = 1 + select("#", ...), f, ... }));
end

-- Coroutines of modules ---------------------------------------------------------------------
-- A request inside one goes out through all that are around it.

local pass;

local function again(co, ...)
	return pass(co, raw_resume(co, ...));
end

function pass(co, ok, tag, ...)
	if not ok or tag ~= ASK then return ok, tag, ...; end
	if not isyieldable() then return again(co, false, CANNOT_YIELD); end
	return again(co, yield(ASK, ...));
end

local lib = {};
for name, value in next, coroutine do lib[name] = value; end

function lib.create(f)
	local co = create(f);
	if not hooks_are_shared then watch(co); end
	return co;
end

function lib.resume(co, ...)
	return pass(co, raw_resume(co, ...));
end

function lib.yield(...)
	if is_worker[(running())] then
		error("attempt to yield from outside a coroutine", 2);
	end
	return yield(...);
end

function lib.running()
	local co, main = running();
	if is_worker[co] then
		if hooks_are_shared then return nil; end
		return co, true;
	end
	return co, main;
end

local function unwrap(co, ok, ...)
	if ok then return ...; end
	local err = ...;
	if lib.close and status(co) ~= "dead" then lib.close(co); end
	error(err, 0);
end

function lib.wrap(f)
	local co = lib.create(f);
	return function (...)
		return unwrap(co, pass(co, raw_resume(co, ...)));
	end
end

-- For functions of the border that take two arguments, give one result and run no code of modules:
-- in a coroutine of their own, without the hook of the time limit, which costs Lua 5.4 as much as
-- their instructions do. nil when they have failed. LuaJIT has one hook for all: nil in place of it.
local function unwatched(f)
	if hooks_are_shared then return nil; end
	local function serve(a, b)
		while true do
			local result = f(a, b);
			a, b = nil, nil;
			a, b = yield(result);
		end
	end
	local idle;
	return function (a, b)
		local co = idle;
		if not co then
			co = create(serve);
			sethook(co); -- it has that of the coroutine it was made in
		end
		local ok, result = raw_resume(co, a, b);
		idle = ok and co or nil;
		return ok and result or nil;
	end
end

return {
	enter = enter; enter_one = enter_one; resume = resume; abandon = abandon; collect = collectgarbage; recover = recover; request = request; coroutine = lib;
	xpcall = guarded_xpcall; finalizer = finalizer; on_finalizer_error = on_finalizer_error;
	workers = workers; unwatched = unwatched; can_request = function ()
		return current ~= nil and not nested[current] and isyieldable();
	end;
};
