-- Targets that are known: new({ { kind, ip, port, extra }, ... }).

local setmetatable, t_remove, unpack = setmetatable, table.remove, table.unpack or unpack;

local methods = {};
local mt = { __index = methods };

-- Call callback(kind, ip, port, extra), without arguments when there is no target left.
function methods:next(callback)
	local target = t_remove(self.targets, 1);
	if not target then return callback(nil, nil, self.last_error); end
	return callback(unpack(target, 1, 4));
end

local function new(targets, kind, extra)
	local list = {};
	for i, target in ipairs(targets) do
		if kind then
			list[i] = { kind, target[1], target[2], target[3] or extra };
		else
			list[i] = { unpack(target, 1, 4) };
		end
	end
	return setmetatable({ targets = list }, mt);
end

return { new = new, resolver_mt = mt };
