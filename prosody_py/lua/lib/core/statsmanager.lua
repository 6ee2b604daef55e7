-- Metrics that belong to no module; module:measure and module:metric are for the others.

local server = require "native.server";
local now = require "util.time".now;
local setmetatable, ipairs = setmetatable, ipairs;

local methods = {};
local mt = { __index = methods };

function methods:with_labels(...)
	return setmetatable({ metric = server.metric_labelled(self.metric, ...) }, mt);
end

methods.with_partial_label = methods.with_labels;
function methods:set(value) server.metric_set(self.metric, value); end
function methods:add(value) server.metric_add(self.metric, value); end
function methods:inc() server.metric_add(self.metric, 1); end
function methods:clear() server.metric_clear(self.metric); end
methods.reset = methods.clear;
function methods:sample(value) server.metric_record(self.metric, value); end

local function metric(kind, name, unit, description, label_keys)
	return setmetatable({ metric = server.metric(kind, name, unit, description, label_keys) }, mt);
end

-- A function that takes what is measured; for "times" one that starts a measurement.
local function measure(kind, name)
	local found = server.metric(kind, name);
	if kind == "times" then
		return function ()
			local start = now();
			return function () server.metric_record(found, now() - start); end
		end
	end
	return function (value)
		if value == nil and (kind == "rate" or kind == "counter") then value = 1; end
		server.metric_record(found, value);
	end
end

-- All values by name, twice: all of them are news.
local function get_stats()
	local values = server.metric_values();
	return values, values;
end

-- All metrics, as those who write them down for others want them.
local registry, family_methods, series_methods = {}, {}, {};
local family_mt, series_mt = { __index = family_methods }, { __index = series_methods };

function registry.get_metric_families()
	local families = {};
	for _, family in ipairs(server.metric_families()) do
		families[family.name] = setmetatable(family, family_mt);
	end
	return families;
end

-- The text that is fetched over HTTP.
local render = require "util.openmetrics".new_metric_registry().render;

function registry.render()
	return render({ families = registry.get_metric_families() });
end

-- Gives the values of the labels and an object for each series.
function family_methods:iter_metrics()
	local i = 0;
	return function ()
		i = i + 1;
		local series = self.series[i];
		if series then
			series.type_ = self.type_;
			return series.labels, setmetatable(series, series_mt);
		end
	end;
end

-- Gives suffix, further labels, and number of each sample.
function series_methods:iter_samples()
	local samples = { { "", self.value } };
	if self.type_ == "counter" then
		samples = { { "_total", self.value } };
	elseif self.type_ == "summary" then
		samples = { { "_count", self.count }, { "_sum", self.value } };
	end
	local i = 0;
	return function ()
		i = i + 1;
		if samples[i] then return samples[i][1], {}, samples[i][2]; end
	end;
end

-- Metrics are written one by one, and nothing waits for the end of a batch.
local function cork() end

return {
	metric = metric; measure = measure; get_stats = get_stats; collect = server.collect_metrics;
	get_metric_registry = function () return registry; end;
	cork = cork; uncork = cork;
};
