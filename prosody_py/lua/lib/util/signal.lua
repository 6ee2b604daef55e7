-- Signals: signal(name or number, function) calls the function each time one arrives, in addition
-- to what the server does about it. The function runs as any other entry, not in the middle of
-- something else. Without a function the call ends what was set.

local native = require "native.signals";

local error, pairs, type = error, pairs, type;

local library = {};
for name, value in pairs(native) do
	if type(value) == "number" then library[name] = value; end
end

local function number_of(signal)
	if type(signal) == "number" then return signal; end
	local number = type(signal) == "string" and library[signal];
	if not number then error("invalid signal string", 3); end
	return number;
end

-- Return true, false for a signal that cannot be had.
function library.signal(signal, handler)
	if handler ~= nil and type(handler) ~= "function" then
		error("bad argument #2 to 'signal' (function expected, got " .. type(handler) .. ")", 2);
	end
	return require "native.server".on_signal(number_of(signal), handler) == true;
end

function library.kill(pid, signal)
	local ok, err = native.kill(pid, number_of(signal));
	if not ok then return nil, err; end
	return 0;
end

function library.raise(signal)
	return library.kill(require "util.pposix".getpid(), number_of(signal));
end

return library;
