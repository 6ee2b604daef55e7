-- Events of file descriptors as libevent's binding for Lua has them, on the server's loop:
-- addevent(fd, what, callback, seconds). The callback gets what has happened. It returns for what it
-- is to be called next (nil: the same) and in which time (nil: the same), or LEAVE.

local native = require "native.server";
local timer = require "util.timer";

local error, type, pcall, setmetatable = error, type, pcall, setmetatable;
local EV_TIMEOUT, EV_READ, EV_WRITE, LEAVE = 0x01, 0x02, 0x04, -1;

local event_mt = {};
event_mt.__index = event_mt;

local function contains(what, flag) return what % (2 * flag) >= flag; end

local function stop_watch(self)
	if self.watch then self.watch:close(); end
	self.watch = nil;
end

local function stop_timer(self)
	if self.timer then timer.stop(self.timer); end
	self.timer = nil;
end

function event_mt:close()
	self.closed = true;
	stop_watch(self);
	stop_timer(self);
end

local arm;

local function happened(self, what)
	if self.closed then return; end
	local ok, following, seconds = pcall(self.callback, what);
	if self.closed then return; end
	if not ok or following == LEAVE then
		self:close();
		if not ok then error(following, 0); end
		return;
	end
	arm(self, following or self.what, type(seconds) == "number" and seconds or self.seconds);
end

function arm(self, what, seconds)
	if what ~= self.what or not self.watch then
		stop_watch(self);
		local readable, writable = contains(what, EV_READ), contains(what, EV_WRITE);
		if self.fd and (readable or writable) then
			local err;
			self.watch, err = native.net_watch(self.fd,
				readable and function () happened(self, EV_READ); end or nil,
				writable and function () happened(self, EV_WRITE); end or nil);
			if not self.watch then return nil, err; end
		end
	end
	stop_timer(self);
	self.what, self.seconds = what, seconds;
	if seconds and seconds >= 0 then
		self.timer = timer.add_task(seconds, function ()
			self.timer = nil;
			happened(self, EV_TIMEOUT);
		end);
	end
	return self;
end

-- An event with close(), nil and why there is none. A descriptor is a number or a socket.
local function addevent(fd, what, callback, seconds)
	if type(what) ~= "number" or type(callback) ~= "function" then
		error("addevent takes a descriptor, what to wait for, a function and seconds", 2);
	end
	return arm(setmetatable({ fd = fd; callback = callback; closed = false }, event_mt), what,
		seconds);
end

return {
	addevent = addevent;
	event = {
		EV_TIMEOUT = EV_TIMEOUT; EV_READ = EV_READ; EV_WRITE = EV_WRITE; LEAVE = LEAVE;
		core = { EV_TIMEOUT = EV_TIMEOUT; EV_READ = EV_READ; EV_WRITE = EV_WRITE; LEAVE = LEAVE };
	};
	base = {
		addevent = function (_, ...) return addevent(...); end;
		loop = function () return nil, "the loop runs already"; end;
	};
};
