-- module:measure and module:metric, on top of api/measures.py.

local module_api = ...;
local methods, plain, object_of = module_api.methods, module_api.plain, module_api.object_of;
local prosody, setmetatable = prosody, setmetatable;
local now = require "util.time".now;

function methods:measure(name, kind, conf)
	local metric = plain.make_metric(object_of(self, "measure"), kind, name, nil, nil, nil, conf);
	if kind == "times" then
		return function ()
			local start = now();
			return function () plain.record(metric, now() - start); end
		end
	elseif kind == "rate" or kind == "counter" then
		return function (value) plain.record(metric, value or 1); end
	end
	return function (value) plain.record(metric, value); end
end

-- The time that the handlers of an event take together.
function methods:measure_object_event(events, name, stat)
	local start = self:measure(stat or name, "times");
	return self:wrap_object_event(events, name, function (fire, fired, data)
		local stop = start();
		local result = fire(fired, data);
		stop();
		return result;
	end);
end

function methods:measure_event(name, stat)
	return self:measure_object_event(prosody.hosts[self.host] and prosody.hosts[self.host].events
		or prosody.events, name, stat);
end

function methods:measure_global_event(name, stat)
	return self:measure_object_event(prosody.events, name, stat);
end

local family_mt = {};
family_mt.__index = family_mt;

function family_mt:with_labels(...)
	return setmetatable({ metric = plain.labelled(self.metric, ...) }, family_mt);
end

family_mt.with_partial_label = family_mt.with_labels;
function family_mt:set(value) plain.set_metric(self.metric, value); end
function family_mt:add(value) plain.add_to_metric(self.metric, value); end
function family_mt:inc() plain.add_to_metric(self.metric, 1); end
function family_mt:clear() plain.clear_metric(self.metric); end
family_mt.reset = family_mt.clear;
function family_mt:sample(value) plain.record(self.metric, value); end

function methods:metric(kind, name, unit, description, label_keys, conf)
	local metric = plain.make_metric(object_of(self, "metric"), kind, name, unit, description,
		label_keys, conf);
	return setmetatable({ metric = metric }, family_mt);
end
