-- TLS settings from several places: new() returns an object with :apply(settings) and :final().

local ipairs, pairs, setmetatable, tostring, type = ipairs, pairs, setmetatable, tostring, type;
local s_match = string.match;
local t_concat, t_insert, t_sort = table.concat, table.insert, table.sort;

-- Protocols from the oldest on; "x+" is this one and all that are newer.
local PROTOCOLS = { "sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3" };

local setters, finishers = {}, {};

-- Settings that are sets: true adds, false takes out; a list or one name adds.
local function merge_set(config, field, value)
	if type(value) == "string" then value = { value }; end
	if type(value) ~= "table" then return; end
	local set = config[field];
	if type(set) ~= "table" or set[1] ~= nil then set = {}; end
	for key, entry in pairs(value) do
		if type(key) == "number" then set[tostring(entry)] = true; else set[key] = entry; end
	end
	config[field] = set;
end

local function list_of(set)
	local list = {};
	for name, wanted in pairs(set) do
		if type(name) == "number" then t_insert(list, wanted);
		elseif wanted then t_insert(list, name); end
	end
	t_sort(list);
	return list;
end

local function join(separator)
	return function (config, field)
		if type(config[field]) == "table" then config[field] = t_concat(config[field], separator); end
	end;
end

setters.options, setters.verifyext = merge_set, merge_set;
finishers.options = function (config) config.options = list_of(config.options or {}); end;
finishers.verifyext = function (config, field) config[field] = list_of(config[field]); end;
finishers.ciphers, finishers.curveslist = join(":"), join(":");
finishers.ciphersuites = join(":");

finishers.protocol = function (config)
	local oldest = s_match(tostring(config.protocol), "^(.+)%+$");
	if not oldest then return; end
	local excluded = {};
	for _, name in ipairs(PROTOCOLS) do
		if name == oldest then
			for _, old in ipairs(excluded) do t_insert(config.options, "no_" .. old); end
			config.protocol = "sslv23";
			return;
		end
		t_insert(excluded, name);
	end
end;

local methods = {};
local mt = { __index = methods };

-- Later settings win over earlier ones.
function methods:apply(settings)
	for field, value in pairs(settings or {}) do
		if setters[field] then setters[field](self, field, value); else self[field] = value; end
	end
end

-- Return all settings as a TLS context takes them.
function methods:final()
	local config = {};
	for field, value in pairs(self) do config[field] = value; end
	finishers.options(config);
	for field, finish in pairs(finishers) do
		if field ~= "options" and config[field] ~= nil then finish(config, field); end
	end
	return config;
end

local function new()
	return setmetatable({}, mt);
end

return { new = new; apply = methods.apply; final = methods.final };
