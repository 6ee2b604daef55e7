-- Metrics that belong to no module; module:measure and module:metric are for the others.

local server = require "native.server";
local now = require "util.time".now;
local setmetatable = setmetatable;

local methods = {};
local mt = { __index = methods };

function methods:with_labels(...)
	return setmetatable({ metric = server.metric_labelled(self.metric, ...) }, mt);
end

methods.with_partial_label = methods.with_labels;
function methods:set(value) server.metric_set(self.metric, value); end
function methods:add(value) server.metric_record(self.metric, value); end
function methods:inc() server.metric_record(self.metric, 1); end
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

return { metric = metric; measure = measure; get_stats = get_stats };
