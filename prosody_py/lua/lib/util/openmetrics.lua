-- A registry of metrics in the manner of OpenMetrics: new_metric_registry(backend).
--
-- registry:gauge(name, unit, description, label keys, extra) and counter, histogram, summary make a
-- family; family:with_labels(...) is one metric, made by backend.gauge(family name, labels, extra)
-- and so on. Without backend metrics are kept in memory: set, add, inc, sample, reset and
-- iter_samples() -> suffix, extra labels, value.

local now = require "util.time".now;

local error, ipairs, math_huge, next, pairs, select, setmetatable, tostring =
	error, ipairs, math.huge, next, pairs, select, setmetatable, tostring;
local s_format, t_concat, t_sort = string.format, table.concat, table.sort;
local unpack = table.unpack or unpack;

local KINDS = { "gauge", "counter", "histogram", "summary" };
local DEFAULT_BUCKETS = { 0.001, 0.01, 0.1, 1, 10, 100, math_huge };

local function render_histogram_le(value)
	if value == math_huge then return "+Inf"; end
	return s_format("%.14g", value);
end

-- Metrics in memory -------------------------------------------------------------------------------

local metric = {};
metric.__index = metric;

function metric:set(value) self.value = value; end
function metric:add(value) self.value = self.value + value; end
function metric:inc() self:add(1); end

function metric:reset()
	self.value, self.count = 0, 0;
	if self.counts then
		for i in ipairs(self.counts) do self.counts[i] = 0; end
	end
end

function metric:sample(value)
	self.value, self.count = self.value + value, self.count + 1;
	for i, limit in ipairs(self.buckets or {}) do
		if value <= limit then self.counts[i] = self.counts[i] + 1; end
	end
end

local function samples_of(self)
	local kind = self.kind;
	if kind == "gauge" then return { { "", nil, self.value } }; end
	if kind == "counter" then
		return { { "_created", nil, self.created }, { "_total", nil, self.value } };
	end
	local samples = { { "_created", nil, self.created }, { "_sum", nil, self.value },
		{ "_count", nil, self.count } };
	for i, limit in ipairs(self.buckets or {}) do
		samples[#samples + 1] = { "_bucket", { le = render_histogram_le(limit) }, self.counts[i] };
	end
	return samples;
end

function metric:iter_samples()
	local samples, at = samples_of(self), 0;
	return function ()
		at = at + 1;
		if samples[at] then return samples[at][1], samples[at][2], samples[at][3]; end
	end;
end

local function new_metric(kind, extra)
	local made = setmetatable({ kind = kind; value = 0; count = 0; created = now() }, metric);
	if kind == "histogram" then
		made.buckets, made.counts = extra and extra.buckets or DEFAULT_BUCKETS, {};
		if made.buckets[#made.buckets] ~= math_huge then
			made.buckets = { unpack(made.buckets) };
			made.buckets[#made.buckets + 1] = math_huge;
		end
		for i in ipairs(made.buckets) do made.counts[i] = 0; end
	end
	return made;
end

-- Families ----------------------------------------------------------------------------------------

local family = {};
family.__index = family;

local function key_of(...)
	local parts = {};
	for i = 1, select("#", ...) do
		local label = tostring((select(i, ...)));
		parts[i] = #label .. ":" .. label;
	end
	return t_concat(parts);
end

function family:with_labels(...)
	local count = select("#", ...);
	if count ~= #self.label_keys then
		error("number of labels passed to with_labels does not match number of label keys", 2);
	end
	local key = key_of(...);
	local found = self.data[key];
	if not found then
		local labels = count > 0 and { n = count, ... } or nil;
		found = { labels = labels or { n = 0 };
			metric = self._metric_ctor(self.family_name, labels, self.extra) };
		self.data[key] = found;
	end
	return found.metric;
end

-- The family with its first labels given.
function family:with_partial_label(label)
	if #self.label_keys == 0 then error("the metric has no labels", 2); end
	return {
		_family = self;
		with_labels = function (_, ...) return self:with_labels(label, ...); end;
		with_partial_label = function (_, ...)
			local first, second = label, (...);
			return { with_labels = function (_, ...) return self:with_labels(first, second, ...); end };
		end;
	};
end

function family:clear()
	for _, entry in pairs(self.data) do entry.metric:reset(); end
	self.data = {};
end

-- Iterate over the list of the labels' values and the metric.
function family:iter_metrics()
	local key, entry;
	return function ()
		key, entry = next(self.data, key);
		if key ~= nil then return entry.labels, entry.metric; end
	end;
end

-- Registries --------------------------------------------------------------------------------------

local registry = {};
registry.__index = registry;

for _, kind in ipairs(KINDS) do
	registry[kind] = function (self, name, unit, description, label_keys, extra)
		unit = unit or "";
		local full_name = unit ~= "" and name .. "_" .. unit or name;
		local found = self.families[full_name];
		if found and found.type_ == kind then return found; end
		local made = setmetatable({
			family_name = full_name; type_ = kind; unit = unit; description = description or "";
			label_keys = label_keys or {}; extra = extra; data = {};
			_metric_ctor = self.backend[kind];
		}, family);
		self.families[full_name] = made;
		return made;
	end;
end

function registry:register_metric_family(name, made)
	if self.families[name] then error("metric " .. name .. " is already registered", 2); end
	self.families[name] = made;
	return made;
end

function registry:get_metric_families()
	return self.families;
end

local ESCAPES = { ["\\"] = "\\\\"; ['"'] = '\\"'; ["\n"] = "\\n" };

local function render_labels(keys, values, more)
	local parts = {};
	local function put(name, value)
		parts[#parts + 1] = name .. '="' .. tostring(value):gsub('[\\"\n]', ESCAPES) .. '"';
	end
	for i, name in ipairs(keys) do put(name, values[i]); end
	for name, value in pairs(more or {}) do put(name, value); end
	t_sort(parts);
	return parts[1] and "{" .. t_concat(parts, ",") .. "}" or "";
end

-- Return all metrics in the text format.
function registry:render()
	local out = {};
	for name, found in pairs(self.families) do
		out[#out + 1] = s_format("# TYPE %s %s", name, found.type_);
		if found.description ~= "" then
			out[#out + 1] = s_format("# HELP %s %s", name, (found.description:gsub("[\\\n]", ESCAPES)));
		end
		if found.unit ~= "" then out[#out + 1] = s_format("# UNIT %s %s", name, found.unit); end
		for labels, one in found:iter_metrics() do
			for suffix, more, value in one:iter_samples() do
				out[#out + 1] = name .. suffix .. render_labels(found.label_keys, labels, more) .. " "
					.. s_format("%.14g", value);
			end
		end
	end
	out[#out + 1] = "# EOF\n";
	return t_concat(out, "\n");
end

local function new_metric_registry(backend)
	if not backend then
		backend = {};
		for _, kind in ipairs(KINDS) do
			backend[kind] = function (_, _, extra) return new_metric(kind, extra); end;
		end
	end
	return setmetatable({ backend = backend; families = {} }, registry);
end

-- A family as modules see it: with_labels and with_partial_label only.
local function new_metric_proxy(made)
	return {
		_family = made;
		with_labels = function (_, ...) return made:with_labels(...); end;
		with_partial_label = function (_, label) return made:with_partial_label(label); end;
	};
end

-- Start to measure; calling the result ends it and gives the metric the seconds.
local function timed(one)
	local start = now();
	return function () one:sample(now() - start); end;
end

return {
	new_metric_registry = new_metric_registry; new_metric_proxy = new_metric_proxy;
	render_histogram_le = render_histogram_le; timed = timed;
};
