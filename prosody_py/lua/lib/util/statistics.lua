-- Statistics in memory: new() returns { metric_registry } (see util.openmetrics).

local new_metric_registry = require "util.openmetrics".new_metric_registry;

return { new = function () return { metric_registry = new_metric_registry() }; end };
