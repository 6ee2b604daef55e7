-- Roles: named sets of permissions that can inherit from others.

local set = require "util.set";
local id = require "util.id";

local setmetatable, getmetatable, ipairs, pairs = setmetatable, getmetatable, ipairs, pairs;

local methods = {};
local role_mt = { __index = methods; __name = "role" };

function role_mt.__tostring(role)
	return ("role<%s>"):format(role.name or "nil");
end

function role_mt.__add(a, b)
	return methods.clone(a, { inherits = { a, b } });
end

local function is_role(value)
	return getmetatable(value) == role_mt;
end

local function new(config, overrides)
	local role = { permissions = {}; inherits = {} };
	for _, source in ipairs { config or {}, overrides or {} } do
		for key, value in pairs(source) do role[key] = value; end
	end
	role.id = role.id or id.short();
	return setmetatable(role, role_mt);
end

function methods:clone(overrides)
	return new(self, overrides);
end

-- true: allowed; false: denied; nil: neither, which denies.
function methods:policy(action)
	local policy = self.permissions[action];
	if policy ~= nil then return policy; end
	for _, parent in ipairs(self.inherits) do
		policy = parent:policy(action);
		if policy ~= nil then return policy; end
	end
	return nil;
end

function methods:may(action)
	return self:policy(action) == true;
end

-- A permission that was set stays unless `overwrite` is given.
function methods:set_permission(permission, policy, overwrite)
	local existing = self.permissions[permission];
	if policy ~= nil and existing ~= nil and existing ~= policy and not overwrite then
		return false, "policy-already-exists";
	end
	self.permissions[permission] = policy;
	return true;
end

function methods:default_permission(permission)
	return self:set_permission(permission, true);
end

-- Iterate over permission and policy, inherited ones too.
function methods:policies()
	local seen, list = set.new(), {};
	local function collect(role)
		for permission, policy in pairs(role.permissions) do
			if not seen:contains(permission) then
				seen:add(permission);
				list[#list + 1] = { permission, policy };
			end
		end
		for _, parent in ipairs(role.inherits) do collect(parent); end
	end
	collect(self);
	local i = 0;
	return function ()
		i = i + 1;
		if list[i] then return list[i][1], list[i][2]; end
	end;
end

return { new = new; is_role = is_role; role_mt = role_mt };
