-- Promises. Executors and what `next` registers run on the next tick of the driver; reactions to a
-- promise that settles run at once. A raised string becomes a reason with its traceback, any other
-- raised value is the reason itself.

local type, setmetatable, getmetatable, pairs, select, xpcall =
	type, setmetatable, getmetatable, pairs, select, xpcall;
local pack = table.pack or function (...) return { n = select("#", ...), ... }; end;
local unpack = table.unpack or unpack;
local traceback = debug.traceback;

local driver = require "native.driver";

local promise_methods = {};
local promise_mt = { __name = "promise"; __index = promise_methods };

local run_later = driver.next_tick;

-- nil makes everything run at once.
local function set_nexttick(f)
	run_later = f or function (g, ...) return g(...); end;
end

function promise_mt:__tostring()
	return "promise (" .. (self._state or "invalid") .. ")";
end

local function is_promise(value)
	return getmetatable(value) == promise_mt;
end

local function with_traceback(reason)
	if type(reason) == "string" then return traceback(reason, 2); end
	return reason;
end

local function settle(promise, state, callbacks, value)
	if promise._state ~= "pending" then return; end
	promise._state, promise.value = state, value;
	local list = promise[callbacks];
	promise._on_fulfilled, promise._on_rejected = nil, nil;
	for i = 1, #list do list[i](value); end
end

-- Functions that settle a promise; only the first call of either counts.
local function resolvers(promise)
	local called = false;
	local function reject(reason)
		if called then return; end
		called = true;
		settle(promise, "rejected", "_on_rejected", reason);
	end
	local function resolve(value)
		if called then return; end
		called = true;
		if is_promise(value) then
			if value == promise then
				return settle(promise, "rejected", "_on_rejected", "a promise cannot wait for itself");
			end
			return value:_react(function (inner)
				settle(promise, "fulfilled", "_on_fulfilled", inner);
			end, function (reason)
				settle(promise, "rejected", "_on_rejected", reason);
			end);
		end
		settle(promise, "fulfilled", "_on_fulfilled", value);
	end
	return resolve, reject;
end

function promise_methods:_react(on_fulfilled, on_rejected)
	if self._state == "pending" then
		local fulfilled, rejected = self._on_fulfilled, self._on_rejected;
		fulfilled[#fulfilled + 1] = on_fulfilled;
		rejected[#rejected + 1] = on_rejected;
	elseif self._state == "fulfilled" then
		on_fulfilled(self.value);
	else
		on_rejected(self.value);
	end
end

local function pending()
	return setmetatable({ _state = "pending"; _on_fulfilled = {}; _on_rejected = {} }, promise_mt);
end

-- executor(resolve, reject)
local function new(executor)
	local promise = pending();
	local resolve, reject = resolvers(promise);
	run_later(function ()
		local ok, err = xpcall(executor, with_traceback, resolve, reject);
		if not ok then reject(err); end
	end);
	return promise;
end

local function reaction(handler, resolve, reject, otherwise)
	if not handler then return otherwise; end
	return function (value)
		local ok, result = xpcall(handler, with_traceback, value);
		if ok then resolve(result); else reject(result); end
	end;
end

function promise_methods:next(on_fulfilled, on_rejected)
	return new(function (resolve, reject)
		self:_react(reaction(on_fulfilled, resolve, reject, resolve),
			reaction(on_rejected, resolve, reject, reject));
	end);
end

function promise_methods:catch(on_rejected)
	return self:next(nil, on_rejected);
end

function promise_methods:finally(on_finally)
	return self:next(function (value)
		on_finally();
		return value;
	end, function (reason)
		on_finally();
		-- Not as an error: the reason is to arrive as it is.
		return new(function (_, reject) reject(reason); end);
	end);
end

local function resolve(value)
	return new(function (done) done(value); end);
end

local function reject(reason)
	return new(function (_, fail) fail(reason); end);
end

-- Call each(promise, key) for the promises in a table, put other values into the results; when
-- `settled(key, result)` was called for all of them, `done` gets the results.
local function gather(promises, done, each)
	local results, waiting = {}, {};
	local left = 0;
	for key, value in pairs(promises) do
		if is_promise(value) then
			waiting[key] = value;
			left = left + 1;
		else
			results[key] = value;
		end
	end
	if left == 0 then return done(results); end
	local function settled(key, result)
		results[key] = result;
		left = left - 1;
		if left == 0 then done(results); end
	end
	for key, promise in pairs(waiting) do each(promise, key, settled); end
end

local function all(promises)
	return new(function (done, fail)
		gather(promises, done, function (promise, key, settled)
			promise:next(function (value) settled(key, value); end, fail);
		end);
	end);
end

local function all_settled(promises)
	return new(function (done)
		gather(promises, done, function (promise, key, settled)
			promise:next(function (value)
				settled(key, { status = "fulfilled"; value = value });
			end, function (reason)
				settled(key, { status = "rejected"; reason = reason });
			end);
		end);
	end);
end

local function race(promises)
	return new(function (done, fail)
		for _, promise in pairs(promises) do promise:next(done, fail); end
	end);
end

-- Call handler(values...) when all promises have theirs.
local function join(handler, ...)
	local promises = pack(...);
	local count = promises.n;
	promises.n = nil;
	return all(promises):next(function (results)
		return handler(unpack(results, 1, count));
	end);
end

local function try(f, ...)
	local arguments = pack(...);
	return resolve():next(function () return f(unpack(arguments, 1, arguments.n)); end);
end

return {
	new = new; resolve = resolve; reject = reject; all = all; all_settled = all_settled;
	race = race; join = join; try = try; is_promise = is_promise; set_nexttick = set_nexttick;
};
