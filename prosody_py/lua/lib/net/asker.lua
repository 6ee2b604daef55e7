-- Which module asks: of(callback, level) gives the API object of the module whose code a callback
-- is, or else of the innermost module that is being run; nil when there is none.
--
-- A function's environment has its module. Lua 5.4 keeps the environment as an upvalue, but only
-- where a function uses a global, so the functions among the upvalues are looked at as well.

local getfenv = getfenv;
local getinfo, getupvalue = debug.getinfo, debug.getupvalue;
local type, rawget = type, rawget;

local MAX_DEPTH, MAX_LEVEL = 3, 50;

local function module_in(environment)
	local found = type(environment) == "table" and rawget(environment, "module");
	return type(found) == "table" and found or nil;
end

local function module_of(f, depth)
	if getfenv then return module_in(getfenv(f)); end
	local functions = {};
	for i = 1, 255 do
		local name, value = getupvalue(f, i);
		if name == nil then break; end
		if name == "_ENV" then return module_in(value); end
		if type(value) == "function" then functions[#functions + 1] = value; end
	end
	if depth >= MAX_DEPTH then return nil; end
	for i = 1, #functions do
		local found = module_of(functions[i], depth + 1);
		if found then return found; end
	end
	return nil;
end

local function of(callback)
	local found = callback and module_of(callback, 0);
	if found then return found; end
	for level = 3, MAX_LEVEL do
		local info = getinfo(level, "f");
		if not info then return nil; end
		if info.func then
			found = module_of(info.func, 0);
			if found then return found; end
		end
	end
	return nil;
end

return { of = of };
