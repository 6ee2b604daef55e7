-- What the HTTP server does with results of Lua handlers, with their files and sinks.

local promise, errors, async = require "util.promise", require "util.error", require "util.async";
local type = type;

local function is_object(value)
	return type(value) == "table" or type(value) == "userdata";
end

-- "promise", "table", or "error" with its code and text.
local function kind(value)
	if promise.is_promise(value) then return "promise"; end
	if errors.is_error(value) then
		return "error", type(value.code) == "number" and value.code or 500, value.text;
	end
	return "table";
end

-- Wait for a promise: whether it was rejected, and its value or the reason.
local function settle(value)
	local wait, done = async.waiter();
	local rejected, result = false, nil;
	value:next(function (got)
		result = got;
		done();
	end, function (reason)
		rejected, result = true, reason;
		done();
	end);
	wait();
	return rejected, result;
end

local function read(file, size)
	return file:read(size);
end

local function write(sink, data)
	local ok, err = sink:write(data);
	if not ok then error(err or "the sink of a body takes no more", 0); end
end

local function close(file)
	if is_object(file) and file.close then file:close(); end
end

return { kind = kind; settle = settle; read = read; write = write; close = close };
