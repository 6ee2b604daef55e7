-- Runs a chunk and shows what it returns; finds names for completion. See place.py.

local environment = ...;
local st = require "util.stanza";
local methods = require "core.moduleapi";
local getinfo = debug and debug.getinfo;
local MAX_DEPTH, MAX_OBJECT_DEPTH, MAX_ITEMS, WIDTH = 6, 1, 200, 90;

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ["\""] = "\\\"" };

local function quoted(text)
	return "\"" .. (text:gsub("[%c\\\"\127]", function (c)
		return escapes[c] or ("\\%03d"):format(c:byte());
	end)) .. "\"";
end

local function shown_function(f)
	local where = getinfo and getinfo(f, "S");
	if not where or where.what == "C" then return "function (built in)"; end
	return ("function (%s:%d)"):format(where.short_src, where.linedefined);
end

local function sorted_keys(value)
	local keys = {};
	for key in pairs(value) do keys[#keys + 1] = key; end
	table.sort(keys, function (a, b)
		local x, y = type(a), type(b);
		if x == y and (x == "number" or x == "string") then return a < b; end
		if x ~= y then return x < y; end
		return tostring(a) < tostring(b);
	end);
	return keys;
end

local show;

local function key_text(key)
	if type(key) == "string" and key:find("^[%a_][%w_]*$") then return key; end
	if type(key) == "string" then return "[" .. quoted(key) .. "]"; end
	return "[" .. tostring(key) .. "]";
end

local function show_table(value, depth, open)
	local parts, items, size, indent = {}, 0, 0, ("  "):rep(depth);
	open[value] = true;
	for _, key in ipairs(sorted_keys(value)) do
		items = items + 1;
		if items > MAX_ITEMS then parts[#parts + 1] = "..."; break; end
		local text = show(value[key], depth + 1, open);
		parts[#parts + 1] = key == items and text or key_text(key) .. " = " .. text;
		size = size + #parts[#parts] + 2;
		if text:find("\n", 1, true) then size = WIDTH + 1; end
	end
	open[value] = nil;
	if #parts == 0 then return "{}"; end
	if size + 2 * depth < WIDTH then return "{ " .. table.concat(parts, ", ") .. " }"; end
	return "{\n" .. indent .. "  " .. table.concat(parts, ",\n" .. indent .. "  ") .. "\n" .. indent .. "}";
end

function show(value, depth, open)
	local kind = type(value);
	if kind == "string" then return quoted(value); end
	if kind == "function" then return shown_function(value); end
	if kind ~= "table" then return tostring(value); end
	if st.is_stanza(value) then return tostring(value); end
	local mt = getmetatable(value);
	if type(mt) == "table" and rawget(mt, "__tostring") then return tostring(value); end
	if open[value] then return "{ (see above) }"; end
	-- Objects of the server know all the others, so one of them is shown at a time.
	local is_object = not tostring(value):find("^table: ");
	if depth >= (is_object and MAX_OBJECT_DEPTH or MAX_DEPTH) then return "{ ... }"; end
	return show_table(value, depth, open);
end

local function show_all(...)
	local texts = {};
	for index = 1, select("#", ...) do
		texts[index] = show((select(index, ...)), 0, {});
	end
	return (table.unpack or unpack)(texts);
end

io.stdout:setvbuf("no"); -- so that what is printed and what is shown are in order

-- An expression is a chunk that calls what it is given with its values.
local function run(chunk, is_expression)
	if is_expression then return chunk(show_all); end
	return show_all(chunk());
end

-- Names -----------------------------------------------------------------------------------------

local function get(owner, name)
	if owner == environment then
		local value = rawget(environment, name);
		if value ~= nil then return value; end
		return rawget(_G, name); -- a plain look would warn of a global that is not there
	end
	if type(owner) == "string" then return string[name]; end
	if type(owner) ~= "table" then return nil; end
	return owner[name];
end

local function add_keys(found, owner)
	if type(owner) ~= "table" then return; end
	for key in pairs(owner) do
		if type(key) == "string" and key:find("^[%a_][%w_]*$") then found[key] = true; end
	end
end

local function members(owner)
	local found = {};
	if type(owner) == "string" then add_keys(found, string); return found; end
	add_keys(found, owner);
	if owner == environment then add_keys(found, _G); end
	if owner == rawget(environment, "module") then add_keys(found, methods); end
	local mt = getmetatable(owner);
	if type(mt) == "table" and type(rawget(mt, "__index")) == "table" then
		add_keys(found, mt.__index);
	end
	return found;
end

local function names(text)
	local path, last = text:match("^(.-)([%w_]*)$");
	local owner = environment;
	for name in path:gmatch("[%w_]+") do
		owner = get(owner, name);
		if owner == nil then return ""; end
	end
	local found = {};
	for name in pairs(members(owner)) do
		if name:sub(1, #last) == last then found[#found + 1] = path .. name; end
	end
	return table.concat(found, " ");
end

return run, names;
