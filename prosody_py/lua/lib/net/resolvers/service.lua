-- The hosts that SRV records name (RFC 2782): new(hostname, service, kind, extra). Without records
-- the host itself on `extra.default_port`, if that is given.

local adns = require "net.adns";
local basic = require "net.resolvers.basic";
local idna_to_ascii = require "util.encodings".idna.to_ascii;
local net = require "util.net";

local ipairs, setmetatable, t_insert, t_remove, t_sort = ipairs, setmetatable, table.insert,
	table.remove, table.sort;
local random = math.random;

local methods = {};
local mt = { __index = methods };

-- Draw one record of those with the lowest priority, by their weights.
local function draw(records)
	local lowest, total = records[1].priority, 0;
	for _, record in ipairs(records) do
		if record.priority == lowest then total = total + (record.weight or 0); end
	end
	local left = random(0, total);
	for i, record in ipairs(records) do
		left = left - (record.weight or 0);
		if left <= 0 then return t_remove(records, i); end
	end
	return t_remove(records, 1);
end

local function in_order(answer)
	local records, order = {}, {};
	for _, entry in ipairs(answer) do
		if entry.srv then t_insert(records, entry.srv); end
	end
	t_sort(records, function (a, b) return a.priority < b.priority; end);
	while records[1] do t_insert(order, draw(records)); end
	return order;
end

local function next_target(self, callback)
	local resolver = self.resolvers[1];
	if not resolver then return callback(nil, nil, self.last_error or "no service there"); end
	resolver:next(function (kind, ip, port, extra)
		if ip then return callback(kind, ip, port, extra); end
		self.last_error = port or self.last_error;
		t_remove(self.resolvers, 1);
		return next_target(self, callback);
	end);
end

function methods:next(callback)
	if self.resolvers then return next_target(self, callback); end
	if not self.hostname then return callback(nil, nil, "not a host name"); end
	local function found(answer, err)
		local records = answer and in_order(answer) or {};
		self.resolvers, self.last_error = {}, err;
		if #records == 1 and (records[1].target == "." or records[1].target == "") then
			self.last_error = "the service is not offered there";
		else
			for _, record in ipairs(records) do
				local target = record.target:gsub("%.$", "");
				t_insert(self.resolvers, basic.new(target, record.port, self.conn_type, self.extra));
			end
		end
		if #records == 0 and self.default_port then
			t_insert(self.resolvers, basic.new(self.hostname, self.default_port, self.conn_type, self.extra));
		end
		return next_target(self, callback);
	end
	local name = "_" .. self.service .. "._" .. (self.conn_type:match("^%a+")) .. "." .. self.hostname;
	return adns.lookup(found, name, "SRV", "IN");
end

local function new(hostname, service, conn_type, extra)
	local is_address = net.pton(hostname);
	local name = is_address and hostname or idna_to_ascii(hostname);
	extra = extra or {};
	local self = setmetatable({
		hostname = name; service = service; conn_type = conn_type or "tcp"; extra = extra;
		default_port = extra.default_port;
	}, mt);
	if extra.servername == nil and not is_address then
		self.extra = setmetatable({ servername = name }, { __index = extra });
	end
	if is_address then
		self.resolvers = { basic.new(hostname, extra.default_port, self.conn_type, self.extra) };
	end
	return self;
end

return { new = new, resolver_mt = mt };
