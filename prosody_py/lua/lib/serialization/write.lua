-- Writing values as Lua source.
--
-- Options: preset ("default", "debug", "oneline", "compact", "pretty"), and those of the presets
-- below. fatal: raise for what has no source form, else write nil with a comment. unquoted: keys
-- that are names stand without brackets. freeze: use the metatable's __freeze. multirefs: allow a
-- table to be there twice. maxdepth: how deep tables may be.

local type, next, error, tostring, getmetatable, pairs =
	type, next, error, tostring, getmetatable, pairs;
local s_find, s_format, s_gsub, s_rep = string.find, string.format, string.gsub, string.rep;
local t_concat, t_sort = table.concat, table.sort;
local floor, huge = math.floor, math.huge;
local math_type = math.type or function () return "float"; end;

local presets = {
	default = { indent = "\t"; newline = "\n"; space = " "; fatal = true };
	debug = { indent = ""; newline = ""; space = " "; unquoted = true; fatal = false; freeze = true;
		multirefs = true; separator = "; "; pad = " " };
	oneline = { indent = ""; newline = ""; space = " "; fatal = true; separator = "; "; pad = " " };
	compact = { indent = ""; newline = ""; space = ""; unquoted = true; fatal = true };
	pretty = { indent = "\t"; newline = "\n"; space = " "; unquoted = true; fatal = true };
};

local keywords = {};
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
	return then true until while]]):gmatch("%a+") do
	keywords[word] = true;
end

local function write_string(text)
	return (s_gsub(s_gsub(s_gsub(s_format("%q", text), "\\\n", "\\n"), "\r", "\\r"), "%z", "\\000"));
end

local function write_number(number)
	if math_type(number) == "integer" then return s_format("%d", number); end
	if number ~= number then return "(0/0)"; end
	if number == huge then return "(1/0)"; end
	if number == -huge then return "(-1/0)"; end
	if floor(number) == number and number < 1e15 and number > -1e15 then
		return s_format("%d", number);
	end
	return s_format("%.17g", number);
end

local order = { number = 1; string = 2; boolean = 3 };

local function before(a, b)
	local kind_a, kind_b = type(a), type(b);
	if kind_a ~= kind_b then return (order[kind_a] or 9) < (order[kind_b] or 9); end
	if kind_a == "number" or kind_a == "string" then return a < b; end
	return tostring(a) < tostring(b);
end

local function sorted_keys(value)
	local keys = {};
	for key in next, value do keys[#keys + 1] = key; end
	t_sort(keys, before);
	return keys;
end

local function refuse(options, value, why)
	if options.fatal then error("cannot serialize " .. type(value) .. ": " .. why, 0); end
	return "nil --[[" .. s_gsub(tostring(value), "]", "?") .. ": " .. why .. "]]";
end

local write_value;

local function write_key(key, options, seen, depth)
	if options.unquoted and type(key) == "string" and s_find(key, "^[%a_][%w_]*$")
		and not keywords[key] then
		return key;
	end
	return "[" .. write_value(key, options, seen, depth) .. "]";
end

local function write_table(value, options, seen, depth)
	if options.freeze then
		local mt = getmetatable(value);
		if type(mt) == "table" and mt.__freeze then value = mt.__freeze(value); end
		if type(value) ~= "table" then return write_value(value, options, seen, depth); end
	end
	if seen[value] then return refuse(options, value, "it is inside of itself or there twice"); end
	if depth > (options.maxdepth or 127) then return refuse(options, value, "nested too deeply"); end
	if next(value) == nil then return "{}"; end
	seen[value] = true;
	local parts = {};
	local count = #value;
	for _, key in pairs(sorted_keys(value)) do
		local item = write_value(value[key], options, seen, depth + 1);
		if type(key) == "number" and key >= 1 and key <= count and floor(key) == key then
			parts[#parts + 1] = item;
		else
			parts[#parts + 1] = write_key(key, options, seen, depth + 1) .. options.space .. "="
				.. options.space .. item;
		end
	end
	if options.multirefs then seen[value] = nil; end
	local line = options.newline .. s_rep(options.indent, depth);
	if options.newline == "" then
		local pad = options.pad or "";
		return "{" .. pad .. t_concat(parts, options.separator or ";") .. pad .. "}";
	end
	return "{" .. line .. options.indent .. t_concat(parts, ";" .. line .. options.indent) .. ";"
		.. line .. "}";
end

function write_value(value, options, seen, depth)
	local kind = type(value);
	if kind == "string" then return write_string(value); end
	if kind == "number" then return write_number(value); end
	if kind == "boolean" or kind == "nil" then return tostring(value); end
	if kind == "table" then return write_table(value, options, seen, depth); end
	return refuse(options, value, "it has no source form");
end

-- Return a function that writes one value with these options (a table, or the name of a preset).
local function new(options)
	if type(options) == "string" then options = { preset = options }; end
	options = options or {};
	local preset = presets[options.preset or "default"]
		or error("no such preset: " .. tostring(options.preset), 2);
	local all = {};
	for key, value in pairs(preset) do all[key] = value; end
	for key, value in pairs(options) do all[key] = value; end
	return function (value)
		return write_value(value, all, {}, 0);
	end;
end

return { new = new };
