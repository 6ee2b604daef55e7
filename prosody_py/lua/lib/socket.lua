-- The part of LuaSocket that does not block: clocks, and sleeping as a wait of the driver.

local clock = require "native.clock";
local async = require "util.async";

local pcall, error, select, type = pcall, error, select, type;

-- newtry and protect: errors as values, for code written in LuaSocket's style.
local function newtry(finalizer)
	return function (...)
		if (...) then return ...; end
		if finalizer then pcall(finalizer); end
		return error({ (select(2, ...)) }, 0);
	end;
end

local function answer(ok, ...)
	if ok then return ...; end
	local err = ...;
	if type(err) == "table" then return nil, err[1]; end
	return error(err, 0);
end

local function protect(f)
	return function (...) return answer(pcall(f, ...)); end;
end

local function refuse(name)
	return function ()
		return nil, "socket." .. name .. " would block the server: use net.http or a net service";
	end;
end

return {
	gettime = clock.now;
	sleep = async.sleep;
	newtry = newtry; try = newtry(); protect = protect;
	skip = function (count, ...) return select(count + 1, ...); end;
	tcp = refuse "tcp"; tcp4 = refuse "tcp4"; tcp6 = refuse "tcp6"; udp = refuse "udp";
	connect = refuse "connect"; bind = refuse "bind"; unix = refuse "unix";
	_VERSION = "LuaSocket 3.0";
};
