-- Resolvers one after the other: new({ resolver, ... }).

local setmetatable, t_remove = setmetatable, table.remove;

local methods = {};
local mt = { __index = methods };

function methods:next(callback)
	local current = self.resolvers[1];
	if not current then return callback(nil, nil, self.last_error); end
	current:next(function (kind, ip, port, extra)
		if ip then return callback(kind, ip, port, extra); end
		self.last_error = port or self.last_error;
		t_remove(self.resolvers, 1);
		return self:next(callback);
	end);
end

local function new(resolvers)
	local list = {};
	for i, resolver in ipairs(resolvers) do list[i] = resolver; end
	return setmetatable({ resolvers = list }, mt);
end

return { new = new, resolver_mt = mt };
