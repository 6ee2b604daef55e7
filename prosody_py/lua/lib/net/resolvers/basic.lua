-- The addresses of a host: new(hostname, port, kind, extra). IPv6 and IPv4 take turns, IPv6 first.

local native = require "native.server";
local driver = require "native.driver";
local net = require "util.net";

local ipairs, setmetatable, t_insert, t_remove, unpack =
	ipairs, setmetatable, table.insert, table.remove, table.unpack or unpack;

local methods = {};
local mt = { __index = methods };

local function allowed(kind, version)
	local settings = require "net.connect".settings;
	if version == 6 then return kind ~= "tcp4" and kind ~= "udp4" and settings.use_ipv6 ~= false; end
	return kind ~= "tcp6" and kind ~= "udp6" and settings.use_ipv4 ~= false;
end

local function targets_of(self)
	local by_version = { [4] = {}, [6] = {} };
	local addresses, err = native.net_addresses(self.hostname);
	if not addresses then return {}, err; end
	for _, address in ipairs(addresses) do
		local version = address:find(":", 1, true) and 6 or 4;
		if allowed(self.conn_type, version) then t_insert(by_version[version], address); end
	end
	local base = self.conn_type:match("^%a+") or "tcp";
	local targets = {};
	while by_version[6][1] or by_version[4][1] do
		for _, version in ipairs { 6, 4 } do
			local address = t_remove(by_version[version], 1);
			if address then
				t_insert(targets, { base .. version, address, self.port, self.extra });
			end
		end
	end
	return targets, targets[1] == nil and "no usable address" or nil;
end

-- Call callback(kind, ip, port, extra), with nil and the reason in the place of the port when there
-- is no target left. It is called on a later turn when a name has to be looked up.
function methods:next(callback)
	if self.targets then
		local target = t_remove(self.targets, 1);
		if not target then return callback(nil, nil, self.last_error); end
		return callback(unpack(target, 1, 4));
	end
	if not self.hostname then return callback(nil, nil, "not a host name"); end
	driver.next_tick(function ()
		self.targets, self.last_error = targets_of(self);
		return self:next(callback);
	end);
end

local function new(hostname, port, conn_type, extra)
	local name = hostname;
	if not net.pton(hostname) then
		name = require "util.encodings".idna.to_ascii(hostname);
	end
	extra = extra or {};
	if extra.servername == nil and not net.pton(hostname) then
		local copy = { servername = name };
		for key, value in pairs(extra) do copy[key] = value; end
		extra = copy;
	end
	return setmetatable({
		hostname = name; port = port; conn_type = conn_type or "tcp"; extra = extra;
	}, mt);
end

return { new = new, resolver_mt = mt };
