-- Says what is inside libraries and objects: members, the names of parameters, where a function is
-- written. See inside.py. An answer is lines of fields with tabs between them.

local getinfo, getlocal = debug.getinfo, debug.getlocal;
local methods = require "core.moduleapi";
local MAX_DEPTH = 3;

-- Names of parameters, "..." for more of them; nothing is known of a function that is built in.
local function parameters(f)
	local found, index = {}, 1;
	local info = getinfo(f, "Su");
	if info.what == "C" then return "..."; end
	local name = getlocal(f, index);
	while name do
		found[index], index = name, index + 1;
		name = getlocal(f, index);
	end
	if info.isvararg then found[index] = "..."; end
	return table.concat(found, ",");
end

local function is_callable(value)
	local mt = getmetatable(value);
	return type(value) == "table" and type(mt) == "table" and mt.__call ~= nil;
end

local function add(lines, path, value)
	local kind = is_callable(value) and "callable" or type(value);
	local where, names = "", "";
	if kind == "function" then
		local info = getinfo(value, "S");
		if info.source:find("^@[%w_/.-]+$") then
			where = info.source .. ":" .. ("%d"):format(info.linedefined);
		end
		names = parameters(value);
	end
	lines[#lines + 1] = table.concat({ path, kind, names, where }, "\t");
end

local function walk(lines, prefix, value, depth, seen)
	local keys = {};
	for key in pairs(value) do
		if type(key) == "string" and key:find("^%a[%w_]*$") then keys[#keys + 1] = key; end
	end
	table.sort(keys);
	seen[value] = true;
	for _, key in ipairs(keys) do
		local member = value[key];
		add(lines, prefix .. key, member);
		if type(member) == "table" and depth < MAX_DEPTH and not seen[member] then
			walk(lines, prefix .. key .. ".", member, depth + 1, seen);
		end
	end
end

local function inside(name)
	local value, lines = name == "prosody" and prosody or require(name), {};
	add(lines, "", value);
	if type(value) == "table" then
		-- What belongs to the server is different on each one.
		walk(lines, "", value, name == "prosody" and MAX_DEPTH or 1, {});
	end
	return table.concat(lines, "\n");
end

-- The methods of an object that an expression makes.
local function object(source)
	local value = assert((loadstring or load)("return " .. source))();
	local mt, lines = getmetatable(value), {};
	local index = type(mt) == "table" and mt.__index;
	local owner = type(index) == "table" and index or value;
	local keys = {};
	for key in pairs(owner) do
		if type(key) == "string" and type(owner[key]) == "function" and key:find("^%a[%w_]*$") then
			keys[#keys + 1] = key;
		end
	end
	table.sort(keys);
	for _, key in ipairs(keys) do add(lines, key, owner[key]); end
	return table.concat(lines, "\n");
end

local function module_methods()
	local lines, keys = {}, {};
	for key, value in next, methods do
		if type(value) == "function" then keys[#keys + 1] = key; end
	end
	table.sort(keys);
	for _, key in ipairs(keys) do add(lines, key, methods[key]); end
	return table.concat(lines, "\n");
end

return inside, object, module_methods;
