-- connect(resolver, listeners, options, data): tries the targets of a resolver one after the other
-- until one answers, then hands the connection to `listeners`: onattach(conn, data) and
-- onconnect(conn). When none answers, onfail(data, reason).

local server = require "net.server";
local log = require "util.logger".init("net.connect");

local pairs, setmetatable = pairs, setmetatable;

local attempts = {}; -- connection that is being made -> attempt
local attempt_mt = {};
attempt_mt.__index = attempt_mt;

local pending = {};

function attempt_mt:try_next()
	self.resolver:next(function (kind, ip, port, extra)
		if not ip then
			local reason = self.last_error or port or self.resolver.last_error
				or "unable to resolve service";
			log("debug", "No connection to %s: %s", self.id, reason);
			if self.listeners.onfail then self.listeners.onfail(self.data, reason); end
			return;
		end
		local conn, err = server.addclient(ip, port, pending, self.options.pattern or "*a",
			self.options.sslctx, kind, extra);
		if not conn then
			self.last_error = err or self.last_error;
			return self:try_next();
		end
		attempts[conn] = self;
	end);
end

function pending.onconnect(conn)
	local attempt = attempts[conn];
	attempts[conn] = nil;
	if not attempt then return conn:close(); end
	log("debug", "Connected to %s", attempt.id);
	conn:setlistener(attempt.listeners, attempt.data);
	if attempt.listeners.onconnect then return attempt.listeners.onconnect(conn); end
end

function pending.ondisconnect(conn, reason)
	local attempt = attempts[conn];
	attempts[conn] = nil;
	if not attempt then return; end
	attempt.last_error = reason or attempt.last_error;
	attempt:try_next();
end

local function connect(resolver, listeners, options, data)
	local attempt = setmetatable({
		id = (resolver.hostname or resolver.service and (resolver.service .. " of " .. (resolver.hostname or ""))
			or "the targets given");
		resolver = resolver; listeners = listeners; options = options or {}; data = data;
	}, attempt_mt);
	attempt:try_next();
	return attempt;
end

local settings = { use_ipv4 = true; use_ipv6 = true };

return {
	connect = connect;
	set_config = function (new) for name, value in pairs(new) do settings[name] = value; end end;
	settings = settings;
};
