-- Writing values as Lua source.
--
-- Options: preset ("default", "debug", "oneline", "compact", "pretty"), and those of the presets
-- below, which are the text between the parts. fatal: raise for what has no source form, else write
-- what fallback(value, reason) gives. unquoted: keys that are names (or fit this pattern) stand
-- without brackets. freeze: use the metatable's __freeze and show its __name. multiref: allow a
-- table to be there twice. maxdepth: how deep tables may be.

local type, next, error, tostring, getmetatable, pairs, rawget =
	type, next, error, tostring, getmetatable, pairs, rawget;
local s_find, s_format, s_gsub, s_rep = string.find, string.format, string.gsub, string.rep;
local t_concat, t_sort = table.concat, table.sort;
local floor, huge = math.floor, math.huge;
local math_type = math.type or function () return "float"; end;

local MAX_DEPTH = 127;

local basis = {
	tstart = "{"; tend = "}"; kstart = "["; kend = "]"; equals = " = "; indentwith = "\t";
	itemstart = "\n"; itemsep = ";"; itemlast = ";\n"; fatal = true; maxdepth = MAX_DEPTH;
};

local presets = {
	default = {};
	pretty = { unquoted = true };
	oneline = { indentwith = ""; itemstart = " "; itemlast = ""; tend = " }" };
	compact = { indentwith = ""; itemstart = ""; itemlast = ""; equals = "="; unquoted = true };
	debug = { indentwith = ""; itemstart = " "; itemlast = ""; tend = " }"; unquoted = true;
		fatal = false; freeze = true; multiref = true };
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

-- The keys of a table besides 1 to `count`.
local function sorted_keys(value, count)
	local keys = {};
	for key in next, value do
		if type(key) ~= "number" or key < 1 or key > count or floor(key) ~= key then
			keys[#keys + 1] = key;
		end
	end
	t_sort(keys, before);
	return keys;
end

local function describe(value, reason)
	return s_format('{__type=%q,__error=%q}', type(value), reason or "fail");
end

local function refuse(options, value, reason)
	if options.fatal then
		error("cannot serialize " .. type(value) .. ": " .. (reason or "it has no source form"), 0);
	end
	return tostring((options.fallback or describe)(value, reason));
end

local write_value;

local function write_key(key, options, seen, depth)
	if options.unquoted and type(key) == "string" and s_find(key, options.name_pattern)
		and not keywords[key] then
		return key;
	end
	return options.kstart .. write_value(key, options, seen, depth) .. options.kend;
end

-- Return the table to be written instead of this one, and what to write before it.
local function thaw(value, options)
	local mt = options.freeze and getmetatable(value);
	if type(mt) ~= "table" then return value, ""; end
	local freeze, name = mt.__freeze, mt.__name;
	if type(freeze) ~= "function" then return value, ""; end
	return freeze(value), type(name) == "string" and s_find(name, "^[%a_][%w_.]*$") and name or "";
end

local function write_items(value, options, seen, depth)
	local parts, count = {}, 0;
	-- Only what stands in a row from 1 on can do without its key: there may be gaps.
	while rawget(value, count + 1) ~= nil do
		count = count + 1;
		parts[count] = write_value(rawget(value, count), options, seen, depth + 1);
	end
	for _, key in pairs(sorted_keys(value, count)) do
		parts[#parts + 1] = write_key(key, options, seen, depth + 1) .. options.equals
			.. write_value(value[key], options, seen, depth + 1);
	end
	return parts;
end

local function write_table(value, options, seen, depth)
	local original, name = value, "";
	value, name = thaw(value, options);
	if type(value) ~= "table" then return write_value(value, options, seen, depth); end
	if seen[original] then return refuse(options, original, "table has multiple references"); end
	if depth >= options.maxdepth then return refuse(options, original, "max table depth reached"); end
	if next(value) == nil then return name .. options.tstart .. options.tend; end
	seen[original] = true;
	local parts = write_items(value, options, seen, depth);
	if options.multiref then seen[original] = nil; end
	local start = options.itemstart .. s_rep(options.indentwith, depth + 1);
	return name .. options.tstart .. start .. t_concat(parts, options.itemsep .. start)
		.. options.itemlast .. s_rep(options.indentwith, depth) .. options.tend;
end

function write_value(value, options, seen, depth)
	local kind = type(value);
	if kind == "string" then return write_string(value); end
	if kind == "number" then return write_number(value); end
	if kind == "boolean" or kind == "nil" then return tostring(value); end
	if kind == "table" then return write_table(value, options, seen, depth); end
	return refuse(options, value);
end

-- Return a function that writes one value with these options (a table, or the name of a preset).
local function new(options)
	if type(options) ~= "table" then options = { preset = options }; end
	local all = {};
	for key, value in pairs(basis) do all[key] = value; end
	for key, value in pairs(presets[options.preset] or presets.default) do all[key] = value; end
	for key, value in pairs(options) do all[key] = value; end
	all.name_pattern = type(all.unquoted) == "string" and all.unquoted or "^[%a_][%w_]*$";
	return function (value)
		return write_value(value, all, {}, 0);
	end;
end

return { new = new };
